"""Columns under each other, for the repr of what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_magics.results import visible


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of as many cells each as text, their columns aligned, each cell on one line."""
    shown = [[visible(cell, keep="") for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in shown
    )
