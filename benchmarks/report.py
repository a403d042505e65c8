"""The rows of a benchmark, and the table that they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement of ours, compared with a peer.

    Parameters
    ----------
    what
        What was measured.
    ours, peer
        The figures with their units, or ``not measured``.
    ratio
        How many times as fast ours is; None if it was not measured.
    target
        The goal for the ratio.
    note
        A remark for the reader.
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
