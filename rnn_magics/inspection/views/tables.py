"""Small tables in plain text, for the repr of what a view returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_magics.tables import aligned

_ROWS = 24


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows with aligned columns; of many rows the middle is left out."""
    lines = [tuple(head), *map(tuple, rows)]
    if len(rows) > _ROWS:
        half = _ROWS // 2
        lines[1 + half : -half] = [("...",) + ("",) * (len(head) - 1)]
    return aligned(lines)


def joined(tokens: Sequence[Any]) -> str:
    """Return tokens as one short text: characters side by side, words apart."""
    words = [str(token) for token in tokens]
    return repr(("" if all(len(word) == 1 for word in words) else " ").join(words))


def note_unknown(unknown: Sequence[Any]) -> str:
    """Return a line that names what was read as ``<unk>``, empty if nothing was."""
    named = ", ".join(repr(token) for token in unknown)
    return f"\nread as <unk>: {named}" if named else ""
