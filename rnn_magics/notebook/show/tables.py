"""Tables for notebooks; every cell is literal text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnn_magics.notebook.show.escape import escaped
from rnn_magics.tables import aligned

Row = Sequence[object]


def html_table(head: Row, rows: Iterable[Row]) -> str:
    """Return an HTML table whose cells are literal text."""
    top = "".join(f"<th style='text-align:left'>{escaped(cell)}</th>" for cell in head)
    cells = (
        "".join(
            f"<td style='text-align:left;white-space:pre-wrap'>{escaped(cell)}</td>" for cell in row
        )
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def text_table(head: Row, rows: Iterable[Row]) -> str:
    """Return a plain-text table with aligned columns."""
    return aligned([[str(cell) for cell in row] for row in (head, *rows)])


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 token``, ``2 tokens``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def headed(title: str, table: str = "") -> str:
    """Return a bold title with a table below it, as HTML."""
    return f"<div><b>{escaped(title)}</b>{table}</div>"
