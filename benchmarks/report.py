"""The rows that benchmarks measure, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Ours beside a peer.

    Parameters
    ----------
    what
        Was measured.
    ours, peer
        The figures with their units, or ``not measured``.
    ratio
        How many times as fast ours is; None where it was not measured.
    target
        What the ratio is to reach.
    note
        What a reader should know about it.
    """

    what: str
    ours: str
    peer: str
    ratio: float | None
    target: str
    note: str = ""


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| what | ours | peer | ratio | target | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        cells = (row.what, row.ours, row.peer, ratio, row.target, row.note)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
