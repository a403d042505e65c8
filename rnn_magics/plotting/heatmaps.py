"""The figures of ``hidden`` and ``gates``: tokens against units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from rnn_magics.inspection.views.gates import HIGH, LOW, Gates
from rnn_magics.inspection.views.hidden import Hidden
from rnn_magics.inspection.views.unrolled import Array
from rnn_magics.language import say
from rnn_magics.plotting.captions import add_caption
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import (
    DIVERGING,
    INK,
    SEQUENTIAL,
    cycle,
    house_style,
    token_label,
)

_LABELLED = 90  # tokens; if there are more, they are numbered
_UNITS_LABELLED = 32


def hidden_figure(trace: Hidden) -> Figure:
    """Draw the states of one layer, a row for each unit shown."""
    with house_style():
        height = 1.6 + min(4.4, max(1.2, 0.11 * len(trace.units)))
        figure = Figure(figsize=(_width(trace.tokens), height), layout="constrained")
        axes = figure.subplots()
        image = _heatmap(axes, trace.shown)
        figure.colorbar(image, ax=axes, label="h", pad=0.01)
        label_tokens(axes, trace.tokens)
        add_caption(figure, axes, trace)
        axes.set_ylabel(
            say("layer {layer}, units by {order}", layer=trace.layer, order=trace.order)
        )
        few = len(trace.units) <= _UNITS_LABELLED
        axes.set_yticks(range(len(trace.units)) if few else [], trace.units if few else [])
    return figure


def gates_figure(trace: Gates) -> Figure:
    """Draw a heatmap for each gate, and the share of the text where each unit is saturated."""
    with house_style():
        count = len(trace.values)
        width = _width(trace.tokens)
        figure = Figure(figsize=(width + 3.6, 0.9 + 1.25 * count), layout="constrained")
        grid = figure.add_gridspec(count, 2, width_ratios=[width, 3.6])
        rows = [figure.add_subplot(grid[row, 0]) for row in range(count)]
        for axes, (name, values) in zip(rows, trace.values.items(), strict=True):
            image = _heatmap(axes, values, bounded=name in trace.low)
            figure.colorbar(image, ax=axes, pad=0.01)
            axes.set_xticks([])
            axes.set_ylabel(name)
            axes.set_yticks([])
        label_tokens(rows[-1], trace.tokens)
        add_caption(figure, rows[0], trace)
        _draw_saturation(figure.add_subplot(grid[:, 1]), trace)
    return figure


def _draw_saturation(axes: Axes, trace: Gates) -> None:
    for color, name in zip(cycle(len(trace.low)), trace.low, strict=True):
        axes.scatter(trace.low[name], trace.high[name], 14, color, alpha=0.6, label=name)
    axes.plot([0, 1], [1, 0], color=INK, linewidth=0.5)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set_xlabel(say("share of tokens below {low}", low=LOW))
    axes.set_ylabel(say("share of tokens above {high}", high=HIGH))
    axes.set_title(say("Saturation, a dot a unit"), loc="left", color=INK, fontsize="small")
    if trace.low:
        axes.legend(frameon=False, loc="upper right")


def _heatmap(axes: Axes, values: Array, *, bounded: bool = False) -> AxesImage:
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0)) or 1.0
    low, high, colours = (0, 1, SEQUENTIAL) if bounded else (-largest, largest, DIVERGING)
    axes.grid(visible=False)
    return axes.imshow(
        values.T, colours, aspect="auto", interpolation="nearest", vmin=low, vmax=high
    )


def _width(tokens: Sequence[Any]) -> float:
    return min(14.0, max(6.0, 2.0 + 0.16 * len(tokens)))


def label_tokens(axes: Axes, tokens: Sequence[Any]) -> None:
    """Write the tokens along the x axis, or their numbers if there are many."""
    if len(tokens) > _LABELLED:
        axes.set_xlabel(say("place in the text"))
        return
    labels = [token_label(token) for token in tokens]
    upright = max(map(len, labels)) == 1
    size = "medium" if len(tokens) <= _LABELLED // 2 else "small"
    axes.set_xticks(range(len(tokens)), labels, rotation=0 if upright else 90, fontsize=size)
    axes.tick_params(axis="x", length=0)
