"""Desk: what every magic works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

from rnn_magics.notebook.session.preferences import RNNMagics
from rnn_magics.notebook.session.session import Session


class RunningCell:
    """The source of the cell that runs, as it was typed."""

    def __init__(self) -> None:
        self.source = ""

    def __call__(self, info: ExecutionInfo) -> None:
        """Take the cell that is about to run: a hook of IPython."""
        self.source = info.raw_cell or ""


@dataclass(frozen=True)
class Desk:
    """A shell, what was made in it, and what its reader wants to see.

    Parameters
    ----------
    shell
        Where the magics are registered.
    session
        What the notebook has made so far.
    preferences
        ``%config RNNMagics``.
    cell
        What runs.
    """

    shell: InteractiveShell
    session: Session
    preferences: RNNMagics
    cell: RunningCell = field(default_factory=RunningCell)

    @property
    def has_notebook(self) -> bool:
        """Whether the shell talks to a notebook, rather than to a terminal."""
        return has_kernel(self.shell)

    @property
    def shows_live(self) -> bool:
        """Whether there is a notebook, and live views are wanted."""
        return self.preferences.live and self.has_notebook


def has_kernel(shell: InteractiveShell) -> bool:
    """Whether a shell is that of a kernel."""
    return getattr(shell, "kernel", None) is not None
