"""Tables of aligned columns, for the repr of results, which fit a terminal; and pandas."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from types import ModuleType

from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.results import visible

Line = Sequence[str]

_GAP = "  "
_NARROW = 24  # columns; a cell is not wrapped narrower than its longest word, up to this


def terminal_width() -> int | None:
    """Return the width of the terminal that stdout writes to; None if that is no terminal."""
    try:
        if not sys.stdout.isatty():
            return None
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (AttributeError, OSError, ValueError):  # closed, or replaced by an object without a file
        return None


def columns_of(text: str) -> int:
    """Return how many columns a text takes: a wide character takes two, a combining mark none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def aligned(lines: Sequence[Line], width: int | None = None) -> str:
    """Return a table as text, its columns aligned; every line has the same number of cells.

    A cell is one line of text. Where the table is too wide, long cells are wrapped inside of their
    column. If that is not enough, the table is cut into tables that begin with the same column.

    Parameters
    ----------
    lines
        The cells, the head first.
    width
        The width to fit into; by default that of the terminal, and without one there is no limit.
    """
    shown = [[visible(cell, keep="") for cell in line] for line in lines]
    width = width or terminal_width()
    return "\n\n".join("\n".join(_laid_out(part, width)) for part in _parts(shown, width))


def wrapped(text: str, width: int | None = None, indent: str = "  ") -> str:
    """Return a line of text broken between words, so that it fits; later lines are indented."""
    width = width or terminal_width()
    if width is None or columns_of(text) <= width:
        return text
    lead = text[: len(text) - len(text.lstrip(" "))]
    first, *rest = _wrapped_cell(text[len(lead) :], max(width - len(lead), 1))
    following = _wrapped_cell(" ".join(rest), max(width - len(indent), 1)) if rest else []
    return "\n".join((lead + first, *(indent + line for line in following)))


def fitting(text: str) -> str:
    """Return lines of text, each broken between words where it does not fit the terminal."""
    return "\n".join(map(wrapped, text.split("\n")))


def _parts(lines: list[list[str]], width: int | None) -> Iterator[list[list[str]]]:
    # Tables of as many columns as fit, each with the first column.
    if width is None:
        yield lines
        return
    narrowest = [_narrowest(column) for column in zip(*lines, strict=True)]
    begin = 1
    while True:
        end, used = begin, narrowest[0]
        while end < len(narrowest) and (end == begin or used + len(_GAP) + narrowest[end] <= width):
            used += len(_GAP) + narrowest[end]
            end += 1
        yield [[line[0], *line[begin:end]] for line in lines]
        begin = end
        if begin >= len(narrowest):
            return


def _narrowest(column: Sequence[str]) -> int:
    words = (columns_of(word) for cell in column for word in cell.split(" "))
    return min(max(words), _NARROW)


def _laid_out(lines: list[list[str]], width: int | None) -> Iterator[str]:
    columns = list(zip(*lines, strict=True))
    widths = [max(map(columns_of, column)) for column in columns]
    if width is not None:
        widths = _shrunk(widths, [_narrowest(column) for column in columns], width)
    for line in lines:
        cells = [_wrapped_cell(cell, most) for cell, most in zip(line, widths, strict=True)]
        for row in range(max(map(len, cells))):
            told = (cell[row] if row < len(cell) else "" for cell in cells)
            padded = (
                t + " " * (most - columns_of(t)) for t, most in zip(told, widths, strict=True)
            )
            yield _GAP.join(padded).rstrip()


def _shrunk(widths: list[int], narrowest: list[int], most: int) -> list[int]:
    # Take from the widest column that can still give, until the table fits.
    widths = list(widths)
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - most
    while over > 0:
        able = [i for i, width in enumerate(widths) if width > narrowest[i]]
        if not able:
            break
        widths[max(able, key=widths.__getitem__)] -= 1
        over -= 1
    return widths


def _wrapped_cell(text: str, width: int) -> list[str]:
    # The lines of a cell, broken between words, or inside of a word that is too long.
    if columns_of(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if columns_of(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while columns_of(line) > width:
            cut = _fitting(line, width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line]


def _fitting(text: str, width: int) -> int:
    # How many characters fit, at least one.
    used = 0
    for place, character in enumerate(text):
        used += columns_of(character)
        if used > width:
            return max(place, 1)
    return len(text)


def pandas_or(instead: str) -> ModuleType:
    """Return pandas, an optional extra.

    Parameters
    ----------
    instead
        What can be used without it.

    Raises
    ------
    TrainingError
        If pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415  (an optional extra)
    except ImportError:
        raise TrainingError(
            say(
                "to_pandas needs pandas: pip install 'rnn_magics[pandas]', or use {instead}",
                instead=instead,
            )
        ) from None
    return pd  # type: ignore[no-any-return]
