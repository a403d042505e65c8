"""The pieces of our HTML: legible in any theme, and still meaningful without their style.

Text has the colour of the page. What has a colour of its own has a ground of its own, too, so it
is read in light and dark alike. No piece needs a script or a style sheet: a notebook that is not
trusted, and a page that shows notebooks, remove both.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, repeat, zip_longest

from rnn_magics.notebook.show.escape import escaped
from rnn_magics.results import visible
from rnn_magics.tables import columns_of

MUTED = "color:var(--jp-ui-font-color2,inherit)"
_TITLE = "font-size:15px;font-weight:600;margin:4px 0"
_WORDS = "white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0"
_CELL = "text-align:left;white-space:pre-wrap"
_BREAKS = "overflow-wrap:anywhere"
_BESIDE = 1.5  # em beside the text of a cell
_BOLD = 2  # columns more than a word has: letters of a heading are wider than digits
_LONGEST = 24  # a longer word, such as a path, may always be broken
_TAG = re.compile(r"<[^>]*>")
_SIDE_BY_SIDE = (
    "display:grid;grid-template-columns:repeat(auto-fit, minmax(min(260px, 100%), 1fr));gap:16px"
)
GOOD, BAD = "#2f8a4d", "#d0493c"  # drawn, never written: 3 to 1 on white and on black


_SHADES = 12


class Markup(str):
    """HTML that is shown as it is; any other text is escaped."""

    __slots__ = ()


def markup(text: object) -> Markup:
    """Return a text as HTML in which every character is literal; markup stays as it is."""
    return text if isinstance(text, Markup) else Markup(escaped(text))


def block(*parts: object) -> Markup:
    """Return parts below each other."""
    return Markup("".join(f"<div>{markup(part)}</div>" for part in parts if part))


def title(text: object) -> Markup:
    """Return what a result says first: a verdict or a name."""
    return Markup(f"<div style='{_TITLE}'>{markup(text)}</div>")


def muted(text: object) -> Markup:
    """Return a note."""
    return Markup(f"<small style='{MUTED}'>{markup(text)}</small>")


def bold(text: object) -> Markup:
    """Return text that is set off."""
    return Markup(f"<b>{markup(text)}</b>")


def words(*parts: object) -> Markup:
    """Return text whose spaces and line breaks are kept."""
    inside = "".join(map(markup, parts))
    # A browser drops a line break at the beginning of this element, so one stands there always.
    return Markup(f"<pre style='{_WORDS}'>\n{inside}</pre>")


def mark(text: object, *, good: bool) -> Markup:
    """Return a short word with a line at its left that is green or red."""
    line = f"border-left:4px solid {GOOD if good else BAD};padding-left:6px"
    return Markup(f"<span style='{line}'>{markup(text)}</span>")


def shaded(text: object, share: float, says: str) -> Markup:
    """Return text on a ground of the scale for how much, from 0 to 1; it says more when pointed at.

    The colours are those of every view and picture (`rnn_magics.plotting.style`).
    """
    ground, ink = _shade(round(min(max(share, 0.0), 1.0) * _SHADES))
    style = f"background:{ground};color:{ink}"
    return Markup(f"<span style='{style}' title='{attribute(says)}'>{markup(text)}</span>")


@cache
def _shade(place: int) -> tuple[str, str]:
    # A ground, and black or white, whichever is read better on it.
    from rnn_magics.plotting.style import SEQUENTIAL, ink_on  # noqa: PLC0415  (matplotlib on demand)

    red, green, blue, _ = SEQUENTIAL(place / _SHADES)
    ground = "#" + "".join(f"{round(255 * c):02x}" for c in (red, green, blue))
    return ground, ink_on((red, green, blue))


def attribute(text: str) -> str:
    """Return text as the value of an attribute between quotes."""
    # Formulas are looked for in text only, so an attribute needs no element around its marks.
    return html.escape(visible(text, keep=""))


def picture(png: str, says: str) -> Markup:
    """Return a picture of this base64, and the value of an attribute that says what it shows."""
    style = "max-width:100%;height:auto"
    return Markup(f"<img style='{style}' alt='{says}' src='data:image/png;base64,{png}'>")


def folded(summary: object, inside: Markup) -> Markup:
    """Return something that a reader opens."""
    return Markup(f"<details><summary>{markup(summary)}</summary>{inside}</details>")


def side_by_side(parts: Iterable[Markup]) -> Markup:
    """Return parts beside each other, as many in a row as the page is wide."""
    columns = "".join(f"<div>{part}</div>" for part in parts)
    return Markup(f"<div style='{_SIDE_BY_SIDE}'>{columns}</div>")


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> Markup:
    """Return a table; where it is wider than the page, words are broken rather than cut off."""
    top, lines = list(map(markup, head)), [list(map(markup, row)) for row in rows]
    rows_of = (
        [("th", top), *(("td", line) for line in lines)] if top else [("td", x) for x in lines]
    )
    widths = _widths([cells for _, cells in rows_of])  # said in the first row, for all
    made = [_row(tag, cells, widths if at == 0 else []) for at, (tag, cells) in enumerate(rows_of)]
    above = f"<thead>{made.pop(0)}</thead>" if top else ""
    inside = f"<table style='{_BREAKS}'>{above}<tbody>{''.join(made)}</tbody></table>"
    return Markup(f"<div style='container-type:inline-size'>{inside}</div>")


def _row(tag: str, cells: Iterable[Markup], widths: Iterable[str]) -> str:
    pairs = zip(cells, chain(widths, repeat("")), strict=False)
    inside = "".join(f"<{tag} style='{_CELL}{width}'>{cell}</{tag}>" for cell, width in pairs)
    return f"<tr>{inside}</tr>"


def _widths(lines: Sequence[Sequence[Markup]]) -> list[str]:
    # A column is as wide as its longest word, but no wider than its share of the page.
    needed = [_longest_word(cells) for cells in zip_longest(*lines, fillvalue=Markup())]
    room = f"(100cqi - {_BESIDE * len(needed)}em)"
    return [f";min-width:min({each}ch, {each / sum(needed):.3f} * {room})" for each in needed]


def _longest_word(cells: Iterable[Markup]) -> int:
    words = (word for cell in cells for word in html.unescape(_TAG.sub(" ", cell)).split())
    return min(max(map(columns_of, words), default=0) + _BOLD, _LONGEST)
