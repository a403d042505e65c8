"""The figure of ``batches``: what stands in the windows of an epoch, and where in the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rnn_magics.inspection.views.windows import Windows
from rnn_magics.language import say
from rnn_magics.plotting.captions import add_caption
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import INK, cycle, house_style, token_label

_ROWS_IN_COLOUR = 8
_ARROWS = 200
_GAP = 2.5  # columns between two windows
_LINES = 3.2  # for a row of a minibatch: X, Y and the space below
_LABEL = 5  # the most characters of a token


def windows_figure(trace: Windows) -> Figure:
    """Draw X over Y for the first windows, and below where the first minibatches stand."""
    with house_style():
        heights = [0.35 + 0.6 * len(trace.windows[0]), 0.8 + 0.22 * trace.num_shown]
        figure = Figure(figsize=(11, sum(heights)), layout="constrained")
        upper, lower = figure.subplots(2, 1, height_ratios=heights)
        _draw_tokens(upper, trace)
        _draw_places(lower, trace)
        add_caption(figure, upper, trace)
    return figure


def _draw_tokens(axes: Axes, trace: Windows) -> None:
    colours = cycle(_ROWS_IN_COLOUR)
    steps = len(trace.windows[0][0]) - 1
    more = ["\N{HORIZONTAL ELLIPSIS}"] if steps < trace.num_steps else []
    width = steps + len(more)
    lefts = [_GAP + place * (width + _GAP) for place in range(len(trace.windows))]
    for minibatch, (left, rows) in enumerate(zip(lefts, trace.windows, strict=True)):
        axes.text(
            left + width / 2,
            -0.5,
            say("minibatch {number}", number=minibatch),
            color=INK,
            ha="center",
        )
        for row, tokens in enumerate(rows):
            top = row * _LINES
            _write_cells(axes, left, top, [*tokens[:-1], *more])
            _write_cells(axes, left, top + 1, [*tokens[1:], *more])
            box = Rectangle(
                (left, top), width, 2, fill=False, edgecolor=colours[row], linewidth=1.4
            )
            axes.add_patch(box)
    for row in range(len(trace.windows[0])):
        for line, name in enumerate("XY"):
            axes.text(0.6, row * _LINES + line + 0.5, name, color=INK, va="center")
    for before, row, after, next_row in trace.arrows_shown.tolist():
        if after < len(trace.windows) and row < len(trace.windows[0]):
            axes.annotate(
                "",
                xy=(lefts[after], next_row * _LINES + 1),
                xytext=(lefts[before] + width, row * _LINES + 1),
                arrowprops={"arrowstyle": "-|>", "color": colours[row], "linewidth": 1.6},
            )
    axes.set(xlim=(0, lefts[-1] + width + 1), ylim=(len(trace.windows[0]) * _LINES - 0.9, -1.2))
    axes.set_axis_off()


def _write_cells(axes: Axes, left: float, top: float, tokens: Sequence[Any]) -> None:
    for place, token in enumerate(tokens):
        axes.text(
            left + place + 0.5,
            top + 0.5,
            token_label(token, _LABEL),
            color=INK,
            fontsize="small",
            horizontalalignment="center",
            verticalalignment="center",
        )


def _draw_places(axes: Axes, trace: Windows) -> None:
    starts = trace.starts[: trace.num_shown]
    colours = cycle(_ROWS_IN_COLOUR)
    # In a long text a window would be too thin to see, so it is drawn at least this wide.
    width = max(trace.num_steps, trace.num_tokens / 400)
    for minibatch, row_starts in enumerate(starts):
        bars = [(start, width) for start in row_starts.tolist()]
        rows = [colours[row % _ROWS_IN_COLOUR] for row in range(len(bars))]
        axes.broken_barh(bars, (minibatch - 0.3, 0.6), facecolors=rows)
    for before, row, after, next_row in trace.arrows_shown[:_ARROWS].tolist():
        axes.annotate(
            "",
            xy=(starts[after, next_row] + width / 2, after - 0.3),
            xytext=(starts[before, row] + width / 2, before + 0.3),
            arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8},
        )
    axes.axvspan(0, trace.offset, color=INK, alpha=0.3, linewidth=0)
    axes.set(xlim=(0, trace.num_tokens), ylim=(trace.num_shown - 0.4, -0.6))
    axes.set_yticks(range(trace.num_shown))
    axes.set(xlabel=say("place in the text (tokens)"), ylabel=say("minibatch"))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=False, axis="y")
