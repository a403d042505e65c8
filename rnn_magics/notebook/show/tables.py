"""Tables for notebooks; every cell is literal text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnn_magics.language import say
from rnn_magics.notebook.show.rich.markup import Markup, block, table, title
from rnn_magics.tables import aligned

Row = Sequence[object]


def html_table(head: Row, rows: Iterable[Row]) -> str:
    """Return an HTML table whose cells are literal text."""
    return table(head, rows)


def text_table(head: Row, rows: Iterable[Row]) -> str:
    """Return a plain-text table with aligned columns."""
    return aligned([[str(cell) for cell in row] for row in (head, *rows)])


def heads(*words: str) -> tuple[str, ...]:
    """Return the headings of a table, in the language that is spoken."""
    return tuple(map(say, words))


def headed(name: str, below: str = "") -> str:
    """Return a title with a table below it, as HTML."""
    return block(title(name), Markup(below))
