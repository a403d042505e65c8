"""The figures of ``surprise``, ``match``, ``units`` and ``diff``: text, coloured by a number."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_rgb
from matplotlib.patches import Rectangle

from rnn_magics.inspection.diff import Diff, Passage
from rnn_magics.inspection.views.match import Match
from rnn_magics.inspection.views.surprise import Surprise
from rnn_magics.inspection.views.units import Peak, Units
from rnn_magics.inspection.views.unrolled import Array
from rnn_magics.language import say, say_number
from rnn_magics.plotting.captions import add_caption
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import (
    BLUE,
    DIVERGING,
    INK,
    SEQUENTIAL,
    drawable,
    fixed_width,
    house_style,
    ink_on,
)
from rnn_magics.results import brief
from rnn_magics.tables import columns_of
from rnn_magics.text.tokenizers import UNK

_COLUMNS, _LEAST_COLUMNS = 84, 50
_COLUMN = 0.103  # inches
_LINE = 0.235
_SIZE = 72 * _COLUMN / 0.602  # points; a character of the font is 0.602 em wide
_MOST_LINES = 40
_HALF, _LABEL = 36, 8  # columns on each side of the focus, and for the number at the left
_MATCH = "#C6DBEF"
_LEAST_BITS = 1.0
_PASSAGES = 5  # of each run
_RETURN = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"


@dataclass(frozen=True)
class Piece:
    """Some text, its background colour, and whether it is framed."""

    text: str
    colour: Any = None
    framed: bool = False

    @property
    def width(self) -> int:
        """The width in columns; East Asian wide characters take two."""
        return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in self.text)


Line = list[Piece]


@dataclass(frozen=True)
class Row:
    """A place in a text with its context, before layout."""

    label: str
    before: Line
    focus: Piece
    after: Line


def surprise_figure(trace: Surprise) -> Figure:
    """Draw the text; the more surprising a token, the darker it is."""
    with house_style():
        finite = trace.bits[np.isfinite(trace.bits)]
        shades = _shades(SEQUENTIAL, 0, max(_LEAST_BITS, float(finite.max(initial=0))))
        pieces = [
            Piece(text, shades.to_rgba(bits) if np.isfinite(bits) else None)
            for text, bits in zip(_texts(trace.tokens), trace.bits, strict=True)
        ]
        figure, axes = _page(lines := _wrapped(pieces))
        _write(axes, lines)
        add_caption(figure, axes, trace)
        figure.colorbar(shades, ax=axes, label=say("bits"), shrink=0.9, pad=0.01)
    return figure


def match_figure(trace: Match) -> Figure:
    """Draw the span, and each place found with its similarity; matches are framed."""
    with house_style():
        first, last = trace.span
        rows = [_marked(say("text"), trace.tokens, first, last)]
        for place, similarity, (start, tokens) in zip(
            trace.places.tolist(), trace.similarities, trace.contexts, strict=True
        ):
            first = place - start
            rows.append(_marked(f"{similarity:.3f}", tokens, first, first + trace.length))
        figure, axes = _page(lines := _aligned(rows))
        _write(axes, lines)
        add_caption(figure, axes, trace)
    return figure


def units_figure(trace: Units) -> Figure:
    """Draw the places that drive the unit highest and lowest, and the most selective units."""
    with house_style():
        peaks = [*trace.highest, *trace.lowest]
        largest = max(float(np.abs(peak.values).max(initial=0)) for peak in peaks) or 1.0
        shades = _shades(DIVERGING, -largest, largest)
        lines = _aligned([_coloured(peak, shades) for peak in peaks])
        lines.insert(len(trace.highest), [])
        figure, axes = _page(lines, beside=3.0)
        _write(axes, lines)
        add_caption(figure, axes, trace)
        figure.colorbar(shades, ax=axes, label=say("value"), shrink=0.9, pad=0.01)
        _draw_ranking(figure.axes[1], trace)
    return figure


def diff_figure(trace: Diff) -> Figure:
    """Draw the text coloured by the difference, and the passages on which one run is better."""
    with house_style():
        differs = trace.bits[0] - trace.bits[1]
        found = [each for passages in trace.passages for each in passages[:_PASSAGES]]
        all_values = np.concatenate((differs, *(each.values for each in found)))
        largest = float(np.abs(all_values[np.isfinite(all_values)]).max(initial=_LEAST_BITS))
        shades = _shades(DIVERGING, -largest, largest)
        lines = [*_wrapped(_on_shades(trace.tokens, differs, shades)), []]
        rows = [
            Row(f"{each.gain:+.1f}", *_around(_on_shades(each.tokens, each.values, shades), each))
            for each in found
        ]
        lines += _aligned(rows) if rows else []
        figure, axes = _page(lines)
        _write(axes, lines)
        add_caption(figure, axes, trace)
        figure.colorbar(shades, ax=axes, label=say("bits"), shrink=0.9, pad=0.01)
    return figure


def _on_shades(tokens: Sequence[Any], values: Array, shades: ScalarMappable) -> Line:
    return [
        Piece(text, shades.to_rgba(value) if np.isfinite(value) else None)
        for text, value in zip(_texts(tokens), values, strict=True)
    ]


def _around(pieces: Line, passage: Passage) -> tuple[Line, Piece, Line]:
    # A passage begins in the column of the focus; the rest of it is what comes after.
    first, _ = passage.focus
    return pieces[:first], pieces[first], pieces[first + 1 :]


def _draw_ranking(axes: Axes, trace: Units) -> None:
    ranked = trace.order[: min(12, len(trace.order))]
    axes.barh(range(len(ranked)), trace.selectivity[ranked], color=BLUE)
    labels = [f"{unit}, {drawable(trace.moved(unit))}" for unit in ranked]
    axes.set_yticks(range(len(ranked)), labels, fontsize="small")
    axes.invert_yaxis()
    axes.set_xlabel(say("share explained by the token"))
    axes.set_title(say("Most selective units"), loc="left", color=INK, fontsize="small")
    axes.grid(visible=False, axis="y")


def _texts(tokens: Sequence[Any]) -> list[str]:
    """Return tokens as drawable text, words with a space between them."""
    texts = [drawable(brief(token).replace("\n", _RETURN)) for token in tokens]
    gap = "" if all(len(str(token)) == 1 for token in tokens if token != UNK) else " "
    return [text + gap for text in texts]


def _shades(colours: Colormap, low: float, high: float) -> ScalarMappable:
    return ScalarMappable(Normalize(low, high), colours)


def _marked(label: str, tokens: list[Any], first: int, last: int) -> Row:
    texts = _texts(tokens)
    match = Piece("".join(texts[first:last])[:_HALF], _MATCH, framed=True)
    before, after = texts[:first], texts[last:]
    return Row(label, [Piece(text) for text in before], match, [Piece(text) for text in after])


def _coloured(peak: Peak, shades: ScalarMappable) -> Row:
    pieces = [
        Piece(text, shades.to_rgba(value), framed=place == peak.focus)
        for place, (text, value) in enumerate(zip(_texts(peak.tokens), peak.values, strict=True))
    ]
    at, after = peak.focus, peak.focus + 1
    return Row(f"{peak.values[at]:+.3f}", pieces[:at], pieces[at], pieces[after:])


def _aligned(rows: list[Row]) -> list[Line]:
    # The focus of every row is in the same column; text that does not fit beside it is left out.
    fronts = [_fitting(row.before[::-1])[::-1] for row in rows]
    widest = max(map(_width, fronts))
    lines = []
    for row, front in zip(rows, fronts, strict=True):
        blank = Piece(row.label + " " * (_LABEL - columns_of(row.label) + widest - _width(front)))
        lines.append([blank, *front, row.focus, *_fitting(row.after)])
    return lines


def _fitting(pieces: list[Piece]) -> list[Piece]:
    widths = itertools.accumulate(piece.width for piece in pieces)
    return [piece for piece, width in zip(pieces, widths, strict=True) if width <= _HALF]


def _width(line: Line) -> int:
    return sum(piece.width for piece in line)


def _wrapped(pieces: Iterable[Piece]) -> list[Line]:
    lines: list[Line] = [[]]
    width = 0
    for piece in pieces:
        if width and width + piece.width > _COLUMNS:
            lines.append([])
            width = 0
        lines[-1].append(piece)
        width += piece.width
        if piece.text.startswith(_RETURN):
            lines.append([])
            width = 0
    lines = [line for line in lines if line]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [
            [
                Piece(
                    say_number(
                        len(lines) - _MOST_LINES,
                        "... {number} more line",
                        "... {number} more lines",
                    )
                )
            ]
        ]
    return lines


def _page(lines: list[Line], beside: float = 0) -> tuple[Figure, Axes]:
    columns = max(_LEAST_COLUMNS, *map(_width, lines))
    width = columns * _COLUMN
    height = max(3, len(lines)) * _LINE
    figure = Figure(figsize=(width + beside + 1.2, height + 0.6), layout="constrained")
    if beside:
        axes, _ = figure.subplots(1, 2, width_ratios=[width, beside])
    else:
        axes = figure.subplots()
    axes.set(xlim=(0, columns), ylim=(max(3, len(lines)), 0))
    axes.set_axis_off()
    return figure, axes


def _write(axes: Axes, lines: list[Line]) -> None:
    for row, line in enumerate(lines):
        column = 0
        for piece in line:
            if piece.colour is not None or piece.framed:
                axes.add_patch(
                    Rectangle(
                        (column, row + 0.04),
                        piece.width,
                        0.92,
                        facecolor="none" if piece.colour is None else piece.colour,
                        edgecolor=INK if piece.framed else "none",
                        linewidth=1.2 if piece.framed else 0,
                        zorder=2 if piece.framed else 1,
                    )
                )
            axes.text(
                column,
                row + 0.52,
                piece.text,
                family=fixed_width(),
                fontsize=_SIZE,
                color=INK if piece.colour is None else ink_on(to_rgb(piece.colour)),
                va="center_baseline",
                zorder=3,
            )
            column += piece.width
