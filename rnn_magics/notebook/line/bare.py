"""A bare word is a variable, not a magic.

With automagic, IPython reads a line that is only ``vocab`` as ``%vocab``. That would replace the
vocabulary that the user wants to look at.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.prefilter import PrefilterChecker
from IPython.core.splitinput import LineInfo
from traitlets import Integer


class BareWordChecker(PrefilterChecker):
    """Makes a line that consists only of the name of one of our magics plain Python.

    Parameters
    ----------
    shell
        The shell whose lines are checked.
    names
        The names of our magics.
    """

    priority = Integer(650)  # before automagic's checker, which has 700

    def __init__(self, shell: InteractiveShell, names: Collection[str]) -> None:
        self._names = names
        super().__init__(shell=shell, prefilter_manager=shell.prefilter_manager)

    def check(self, line_info: LineInfo) -> Any:
        """Return the handler for plain Python for such a line, and None for any other."""
        manager = self.prefilter_manager
        if manager is None or line_info.line.strip() not in self._names:
            return None
        return manager.get_handler_by_name("normal")

    @classmethod
    def unregister(cls, shell: InteractiveShell) -> None:
        """Remove the checker from a shell."""
        manager: Any = shell.prefilter_manager
        for checker in [each for each in manager.checkers if isinstance(each, cls)]:
            manager.unregister_checker(checker)
