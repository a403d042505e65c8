"""What the figures of the course are drawn with: words, boxes, arrows, and the ground.

The figures themselves are in `figures.py`, and in the modules that it names. A group of labels, a
path of cells or of arrows takes fewer bytes than an element for each: the wheel has every figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

INK, SOFT, BLUE, ORANGE, RED, GREEN = "#222", "#767676", "#0072B2", "#A65E00", "#B34700", "#00694C"
PALE = {INK: "#f0f0f0", BLUE: "#dcecf7", ORANGE: "#fbeccd", RED: "#fbe0d3", GREEN: "#d9f0e8"}
FONT = "'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
SUBSCRIPT = 10  # the size of letters below the line
DASHED = ' stroke-dasharray="5 4"'
THICK = ' stroke-width="3"'

Label = tuple[float, float, str]
Cell = tuple[float, float, float, float]  # the left, the top, the width and the height


def text(
    x: float, y: float, words: str, color: str = INK, size: int = 14, at: str = "middle"
) -> str:
    """Return words at a place; what stands after a `_`, up to a space, is put below the line."""
    pieces = []
    for number, piece in enumerate(words.split("_")):
        low, space, rest = piece.partition(" ") if number else ("", "", piece)
        if low:
            pieces.append(f'<tspan font-size="{SUBSCRIPT}" dy="3">{escape(low)}</tspan>')
        if rest:
            up = ' dy="-3"' if low else ""
            pieces.append(f"<tspan{up}>{escape(space + rest)}</tspan>")
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{color}" font-size="{size}" text-anchor="{at}">'
        f"{''.join(pieces)}</text>"
    )


def box(x: float, y: float, width: float, height: float, color: str, words: str = "") -> str:
    """Return a box with words in its middle."""
    label = text(x + width / 2, y + height / 2 + 5, words, color) if words else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"'
        f' fill="{PALE[color]}" stroke="{color}"/>{label}'
    )


def knot(x: float, y: float, words: str, color: str = INK) -> str:
    """Return a small circle that multiplies or adds."""
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="11" fill="#fff" stroke="{color}"/>'
        f"{text(x, y + 5, words, color)}"
    )


def arrow(*places: tuple[float, float], color: str = INK) -> str:
    """Return a line through places, with a head at its end."""
    path = " ".join(f"{x:g},{y:g}" for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{color}" marker-end="url(#head)"/>'


def drawing(width: int, height: int, title: str, pieces: Iterable[str]) -> str:
    """Return a figure on a light ground, with a title for those who do not see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">'
    )
    marker = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{INK}"/></marker></defs>'
    )
    ground = (
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#fff"'
        ' stroke="#d0d0d0"/>'
    )
    drawn = "\n".join((ground, *pieces))
    heads = (marker,) if "#head" in drawn else ()  # what is drawn without arrow() needs none
    return "\n".join((head, f"<title>{escape(title)}</title>", *heads, drawn, "</svg>\n"))


def labels(places: Iterable[Label], color: str = INK, size: int = 14, more: str = "") -> str:
    """Return words at places, in one group; here a `_` is a `_`."""
    inside = "".join(f'<text x="{x:g}" y="{y:g}">{escape(words)}</text>' for x, y, words in places)
    return f'<g fill="{color}" font-size="{size}" text-anchor="middle"{more}>{inside}</g>'


def cells(places: Iterable[Cell], color: str, more: str = "") -> str:
    """Return boxes of one colour, in one path."""
    path = "".join(f"M{x:g} {y:g}h{wide:g}v{high:g}h-{wide:g}z" for x, y, wide, high in places)
    return f'<path d="{path}" fill="{PALE[color]}" stroke="{color}"{more}/>'


def lines(path: str, color: str = INK, more: str = "") -> str:
    """Return a path that is not filled."""
    return f'<path d="{path}" fill="none" stroke="{color}"{more}/>'


def arrows(paths: Iterable[str], color: str = INK, more: str = "") -> str:
    """Return paths with a head each, in one group."""
    inside = "".join(f'<path d="{path}"/>' for path in paths)
    return f'<g fill="none" stroke="{color}" marker-end="url(#head)"{more}>{inside}</g>'
