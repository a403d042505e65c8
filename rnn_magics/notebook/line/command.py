"""What all magics share: how a line is parsed, how errors are reported, how help is made.

An error is one line. Help is made from the docstring and the options. A magic is imported when it
is first used, so loading the extension does not import torch.
"""

from __future__ import annotations

import inspect
import re
from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from IPython.core.error import UsageError
from IPython.core.magic import no_var_expand

from rnn_magics.errors import RNNMagicsError, is_out_of_memory
from rnn_magics.files import reason, shown
from rnn_magics.interrupts import half_import_behind, is_interrupt, whole_imports
from rnn_magics.language import say
from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.options import Line
from rnn_magics.notebook.line.parser import MagicParser, O
from rnn_magics.notebook.line.words import read_line
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import show_forms
from rnn_magics.notebook.show.escape import one_line


@dataclass(frozen=True)
class Magic(Generic[O]):
    """A magic.

    Parameters
    ----------
    options
        The class of its options.
    run
        Runs the magic and returns the result of the cell. Its docstring is the help text.
    calls
        Returns the library calls that `run` makes and ``--explain`` prints; or a sentence, for a
        magic without a library call.
    """

    options: type[O]
    run: Callable[[Desk, O], Any]
    calls: Callable[[Desk, O], Sequence[Call[Any]]] | str


def command(name: str, load: Callable[[], Magic[Any]], desk: Desk) -> Callable[..., Any]:
    """Return the function that IPython calls for a magic.

    Parameters
    ----------
    name
        The name of the magic.
    load
        Imports the magic. It is called for every use, and the parser is rebuilt each time, so that
        newly registered cells, tokenizers and decoders are among the choices.
    desk
        What the magic works with.
    """

    @whole_imports()
    def parser() -> MagicParser[Any]:
        return MagicParser(name, load().options)

    def getdoc() -> str:
        paragraphs = (inspect.getdoc(load().run) or "").split("\n\n")
        return "\n\n".join((*map(say, paragraphs), parser().format_help()))

    def magic(line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        variables = ChainMap(local_ns or {}, desk.shell.user_ns)
        try:
            with whole_imports():
                read, asked = read_line(line, variables), load()
                options = parser().parse(read.words, Line(cell=cell, variables=variables))
                if options.explain:
                    _explain(desk, asked, options)
                    return None
                result = asked.run(desk, options)
                return None if read.silent and _is_statement(desk, name, line) else result
        except RNNMagicsError as error:
            # UsageError itself: IPython prints a traceback for its subclasses.
            raise UsageError(one_line(str(error))) from None
        except BaseException as error:
            msg = _in_words(name, error)
            if not msg:
                raise
            raise UsageError(one_line(msg)) from None

    magic.__name__ = magic.__qualname__ = name
    magic.__doc__ = say("%{name} of rnn_magics; %{name}? shows its help.", name=name)
    magic.getdoc = getdoc  # type: ignore[attr-defined]  # for IPython's `?`
    magic.parser = parser  # type: ignore[attr-defined]  # for completion
    magic.needs_local_scope = True  # type: ignore[attr-defined]  # for $name in functions
    return no_var_expand(magic)


def _is_statement(desk: Desk, name: str, line: str) -> bool:
    # Whether the line stands alone in the cell, so that its result is not assigned.
    pattern = rf"^\s*%{name}\s+{re.escape(line.strip())}\s*$"
    return re.search(pattern, desk.cell.source, re.MULTILINE) is not None


def _explain(desk: Desk, magic: Magic[O], options: O) -> None:
    if isinstance(magic.calls, str):
        print(f"# {say(magic.calls)}")
        return
    from rnn_magics.notebook.line.explain import explain  # noqa: PLC0415  (equations, on demand)

    explanation = explain(desk.session, *magic.calls(desk, options))
    show_forms({"text/plain": explanation.plain(), "text/markdown": explanation.markdown()})


def _in_words(name: str, error: BaseException) -> str:
    # The message for an error that is not a bug of the magic; empty for a bug.
    if is_interrupt(error):
        return say("%{name} was interrupted; everything you had is still there", name=name)
    if is_out_of_memory(error):
        return say(
            "out of memory in %{name}; everything you had is still there; try smaller sizes",
            name=name,
        )
    if isinstance(error, OSError):  # a last resort; code that opens a file says more
        where = f" ({shown(error.filename)})" if error.filename else ""
        return say(
            "the operating system refused %{name}{where}: {error}",
            name=name,
            where=where,
            error=reason(error),
        )
    if broken := half_import_behind(error):
        return say(
            "an earlier import of {broken} was cut short (by an interrupt?) and cannot be"
            " repeated in this kernel; restart the kernel",
            broken=broken,
        )
    return ""
