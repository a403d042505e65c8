"""A text as a model writes it: appended in a terminal, one output that grows in a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Protocol

from IPython.display import DisplayHandle, display

from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import Bundle
from rnn_magics.notebook.show.rich.decoded import written_html
from rnn_magics.notebook.show.written import written_forms
from rnn_magics.results import visible

if TYPE_CHECKING:
    from rnn_magics.decoding.generate import Generation

_SECONDS_BETWEEN = 0.1
_GROWTH = 1.05  # between two updates, so that all of them together are no more than 20 texts
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Writer(Protocol):
    """Shows the pieces of a text, of which the first is the prefix."""

    def __call__(self, piece: str) -> None:
        """Show the next piece."""

    def end(self, written: Generation | None = None) -> None:
        """Show what is not shown yet; in a notebook, also what is said of the text."""

    def whole(self, prefix: str, text: str) -> None:
        """Show all of a text at once, instead of its pieces."""


class StreamWriter:
    """Writes to a stream; in a terminal with colours, the prefix is bold.

    Parameters
    ----------
    stream
        Where the text goes.
    colours
        Whether the stream may be sent escape sequences.
    """

    def __init__(self, stream: IO[str], *, colours: bool) -> None:
        self._stream, self._colours, self._before = stream, colours, ""
        self._has_begun = False

    def __call__(self, piece: str) -> None:
        """Write the next piece."""
        self._stream.write(self._form(piece))
        self._stream.flush()

    def whole(self, prefix: str, text: str) -> None:
        """Write all of a text at once."""
        self._stream.write(f"{self._form(prefix)}{self._form(text)}\n")

    def _form(self, piece: str) -> str:
        shown = visible(piece, before=self._before)
        is_bold = self._colours and not self._has_begun
        self._before, self._has_begun = piece, True
        return f"{_BOLD}{shown}{_PLAIN}" if is_bold else shown

    def end(self, written: Generation | None = None) -> None:
        """End the last line, if there is one; the value of the cell says what is said of it."""
        del written
        if self._has_begun:
            self._stream.write("\n")


class OutputWriter:
    """Rewrites one output, a few times a second; each time all of it is replaced in one paint.

    Parameters
    ----------
    clock
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pieces: list[str] = []
        self._handle: DisplayHandle | None = None
        self._length = self._shown = 0
        self._shown_at = 0.0

    def __call__(self, piece: str) -> None:
        """Take the next piece, and show it if the last update was a while ago."""
        self._pieces.append(piece)
        self._length += len(piece)
        has_grown = self._length > _GROWTH * self._shown
        if self._handle is None or (
            has_grown and self._clock() - self._shown_at >= _SECONDS_BETWEEN
        ):
            self._show()

    def whole(self, prefix: str, text: str) -> None:
        """Show all of a text at once."""
        self._pieces, self._length = [prefix, text], len(prefix) + len(text)
        self._show()

    def end(self, written: Generation | None = None) -> None:
        """Show all of it, with what is said of it if it is whole."""
        if written is not None:
            self._put(written_forms(written))
        elif self._length > self._shown:
            self._show()

    def _show(self) -> None:
        prefix, text = self._pieces[0], "".join(self._pieces[1:])
        self._put({"text/plain": visible(prefix + text), "text/html": written_html(prefix, text)})

    def _put(self, forms: dict[str, str]) -> None:
        if self._handle is None:
            self._handle = display(Bundle(forms), display_id=True)
        else:
            self._handle.update(Bundle(forms))
        self._shown, self._shown_at = self._length, self._clock()


def writer_for(desk: Desk, stream: IO[str]) -> Writer:
    """Return what shows a text as it is written: an output of a notebook, or a stream."""
    if desk.has_notebook:
        return OutputWriter()
    plain = desk.shell.colors.lower() == "nocolor"
    return StreamWriter(stream, colours=stream.isatty() and not plain)
