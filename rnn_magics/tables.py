"""Tables of aligned columns, for the repr of results."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_magics.results import visible


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return a table as text, its columns aligned; every line has the same number of cells.

    Each cell is shown on one line.
    """
    shown = [[visible(cell, keep="") for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in shown
    )
