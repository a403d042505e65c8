"""Paths and rows of letters: what looks alike is one element, so a figure is small.

Each figure is in the wheel twice, once in each language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import hypot

from tools.drawing import INK, PALE, SOFT

Place = tuple[float, float]
HEAD = 8  # how long the head of an arrow is


def path(d: str, color: str = INK, fill: str = "none", further: str = "") -> str:
    """Return a path; further attributes are written as they are."""
    return f'<path d="{d}" fill="{fill}" stroke="{color}"{further}/>'


def squares(places: Iterable[Place], width: float, height: float) -> str:
    """Return, as the data of a path, a box at each place."""
    return "".join(f"M{x:g},{y:g}h{width:g}v{height:g}h-{width:g}z" for x, y in places)


def arrows(lines: Iterable[tuple[Place, Place]], color: str = INK, width: float = 1) -> str:
    """Return straight arrows, all of one colour."""
    d = []
    for (x, y), (to_x, to_y) in lines:
        way = to_x - x, to_y - y
        along, across = (HEAD * part / hypot(*way) for part in way)
        sides = (-along - across / 2, along / 2 - across), (across, -along)
        strokes = [f"l{round(x, 1):g},{round(y, 1):g}" for x, y in (way, *sides)]
        d.append(f"M{x:g},{y:g}{strokes[0]}m0,0{strokes[1]}{strokes[2]}z")
    return path("".join(d), color, color, f' stroke-width="{width:g}"' if width != 1 else "")


def words_at(x: float, y: float, words: str, color: str = INK, at: str = "middle") -> str:
    """Return words as they are, in the size of a remark."""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{color}" font-size="13" text-anchor="{at}">'
        f"{escape(words)}</text>"
    )


def named(x: float, y: float, width: float, height: float, color: str, words: str) -> str:
    """Return a box with words as they are in its middle."""
    label = words_at(x + width / 2, y + height / 2 + 5, words, color)
    return path(squares([(x, y)], width, height), color, PALE[color]) + label


def letters(places: Sequence[float], y: float, row: str, color: str = INK, size: int = 16) -> str:
    """Return a letter at each place; a space leaves its place empty."""
    seen = [(f"{x:g}", letter) for x, letter in zip(places, row, strict=True) if letter != " "]
    return (
        f'<text x="{" ".join(x for x, _ in seen)}" y="{y:g}" fill="{color}" font-size="{size}"'
        f' text-anchor="middle">{"".join(letter for _, letter in seen)}</text>'
    )


def dashed(d: str, color: str = SOFT) -> str:
    """Return a path of dashes."""
    return path(d, color, further=' stroke-dasharray="4 3"')


def thick(d: str, color: str) -> str:
    """Return a path that is seen first."""
    return path(d, color, further=' stroke-width="2.5"')
