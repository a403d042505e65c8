"""A list in JSON, element by element: a file of them may be larger than memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_OPEN = "Unterminated string"  # told at the first character of the string, however long it is
# Any other mistake shows within so many characters, those of "\ud83d\ude00"; and so many
# after a value it is certain that it has ended.
_SURELY = 16


class NotJSONError(ValueError):
    """A text that is not JSON; says where as `json` does, counted in the whole text."""


class ExtraDataError(NotJSONError):
    """A text that goes on after its value."""


class TooLongError(ValueError):
    """An element that is longer than what may be held in memory."""


def elements(pieces: Iterable[str], most: int) -> Iterator[Any]:
    """Yield the elements of a list; of any other text, its value.

    Parameters
    ----------
    pieces
        The text.
    most
        How many characters of it are held at once.

    Raises
    ------
    NotJSONError, ExtraDataError, TooLongError
        When it is reached: what comes before has been yielded.
    RecursionError
        When its values are nested too deep for Python.
    """
    text = _Text(pieces, most)
    if text.sign() == "[":
        text.at += 1
        if text.sign() != "]":
            yield text.value()
        while text.sign() == ",":
            text.at += 1
            text.sign()
            yield text.value()
        if text.sign() != "]":
            raise NotJSONError(text.told("Expecting ',' delimiter", text.at))
        text.at += 1
    else:
        yield text.value()
    if text.sign():
        raise ExtraDataError(text.told("Extra data", text.at))


class _Text:
    # A text that is read on when it is needed, and forgotten behind `at`.

    def __init__(self, pieces: Iterable[str], most: int) -> None:
        self._pieces = iter(pieces)
        self._most = most
        self._decode = JSONDecoder().raw_decode
        self._held = ""
        self.at = 0
        self._gone, self._lines, self._columns = 0, 1, 1  # where what is held begins

    def sign(self) -> str:
        """Go to the next character that is no space and return it; at the end, nothing."""
        while True:
            found = _SPACE.match(self._held, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self._held) or not self._more():
                return self._held[self.at : self.at + 1]

    def value(self) -> Any:
        """Read the value that begins here."""
        while True:
            try:
                value, end = self._decode(self._held, self.at)
            except JSONDecodeError as error:
                told = self.told(error.msg, error.pos)
                cut = error.msg.startswith(_OPEN) or error.pos > len(self._held) - _SURELY
                if not (cut and self._more()):
                    raise NotJSONError(told) from None
                continue
            long = end - self.at
            # A number may go on in the next piece: 12 and 345, 1.5e- and 7.
            if end + _SURELY <= len(self._held) or not self._more():
                self.at += long
                return value

    def _more(self) -> bool:
        # As much again as is held: so a long value is begun anew only a few times.
        self._forget()
        wanted, gathered, size = len(self._held), [self._held], len(self._held)
        for piece in self._pieces:
            gathered.append(piece)
            size += len(piece)
            if size > self._most:
                raise TooLongError
            if size > 2 * wanted:
                break
        self._held = "".join(gathered)
        return size > wanted

    def _forget(self) -> None:
        gone, self._held = self._held[: self.at], self._held[self.at :]
        lines = gone.count("\n")
        self._columns = len(gone) - gone.rfind("\n") if lines else self._columns + len(gone)
        self._gone += len(gone)
        self._lines += lines
        self.at = 0

    def told(self, mistake: str, at: int) -> str:
        """Return what `json` says of a mistake at a place of what is held."""
        before = self._held[:at]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else self._columns + at
        place = f"line {self._lines + lines} column {column} (char {self._gone + at})"
        return f"{mistake}: {place}"
