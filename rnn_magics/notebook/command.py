"""What every magic has in common.

Its line is parsed, its errors are one line, and its help is made from its docstring and its
arguments.
"""

from __future__ import annotations

import argparse
import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import no_var_expand

from rnn_magics.errors import RNNMagicsError, is_out_of_memory
from rnn_magics.files import reason, shown
from rnn_magics.interrupts import half_import_behind, is_interrupt, whole_imports
from rnn_magics.notebook.arguments import MagicParser
from rnn_magics.notebook.visible import one_line
from rnn_magics.notebook.words import split_line


class HasShell(Protocol):
    """A group of magics, as IPython makes it."""

    shell: InteractiveShell


Declare = Callable[[MagicParser], None]
Method = Callable[[Any, argparse.Namespace, str | None], Any]


def command(declare: Declare) -> Callable[[Method], Callable[..., Any]]:
    """Make a method a magic whose options are those that `declare` adds to a parser.

    The parser is built anew each time it is needed, so that registered cells, tokenizers and
    decoders are always among the choices, and so that nothing is imported before.

    Parameters
    ----------
    declare
        Adds the arguments of the magic.
    """

    def decorate(method: Method) -> Callable[..., Any]:
        name = method.__name__

        @whole_imports()
        def parser() -> MagicParser:
            made = MagicParser(name)
            declare(made)
            made.add(
                "--explain", action="store_true", help="show the library call; do nothing else"
            )
            return made

        def getdoc() -> str:
            return f"{inspect.getdoc(method)}\n\n{parser().format_help()}"

        @functools.wraps(method)
        def magic(self: HasShell, line: str, cell: str | None = None) -> Any:
            try:
                with whole_imports():
                    words = split_line(line, self.shell.user_ns)
                    return method(self, parser().parse(words), cell)
            except RNNMagicsError as error:
                # UsageError itself: IPython prints a traceback for its subclasses.
                raise UsageError(one_line(str(error))) from None
            except BaseException as error:
                msg = _in_words(name, error)
                if not msg:
                    raise
                raise UsageError(one_line(msg)) from None

        magic.getdoc = getdoc  # type: ignore[attr-defined]  # what IPython's `?` asks for
        magic.parser = parser  # type: ignore[attr-defined]  # what completion asks for
        return no_var_expand(magic)

    return decorate


def _in_words(name: str, error: BaseException) -> str:
    # What stopped a magic though it made no mistake; empty where it did make one.
    if is_interrupt(error):
        return f"%{name} was interrupted; what was there before stays"
    if is_out_of_memory(error):
        return f"out of memory in %{name}; what was there before stays; ask for less at once"
    if isinstance(error, OSError):  # the last wall; what opens a file has better words for it
        where = f" ({shown(error.filename)})" if error.filename else ""
        return f"%{name} was refused by the system{where}: {reason(error)}"
    if broken := half_import_behind(error):
        return (
            f"an import of {broken} ended half-way before (an interrupt?), and cannot be done"
            " again in this kernel; restart it"
        )
    return ""
