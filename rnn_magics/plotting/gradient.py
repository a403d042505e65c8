"""The figure of ``gradient``: how much each earlier token changes a prediction."""

from __future__ import annotations

import numpy as np

from rnn_magics.inspection.views.gradient import Gradient
from rnn_magics.inspection.views.unrolled import Array
from rnn_magics.language import say
from rnn_magics.plotting.captions import add_caption
from rnn_magics.plotting.heatmaps import label_tokens
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import BLUE, INK, ORANGE, house_style, number_plainly


def gradient_figure(trace: Gradient) -> Figure:
    """Draw the norm for each token, and the gain of the state against the lag, on log axes."""
    with house_style():
        figure = Figure(figsize=(12, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[2, 1])
        places = np.arange(len(trace.norms))
        left.bar(places, _drawable(trace.norms), color=BLUE)
        left.set(yscale="log", ylabel=say("norm of the gradient"))
        add_caption(figure, left, trace)
        label_tokens(left, trace.tokens[: trace.step + 1])
        right.plot(_drawable(trace.lags), color=ORANGE, marker=".")
        right.axhline(1, color=INK, linestyle="--", linewidth=1)
        right.set(yscale="log", xlabel=say("steps back"), ylabel=say("what is left of a change"))
        right.xaxis.get_major_locator().set_params(integer=True)
        for axes in (left, right):
            number_plainly(axes.yaxis)
            axes.tick_params(axis="y", which="minor", labelsize="small")
        left.grid(visible=False, axis="x")
    return figure


def _drawable(values: Array) -> Array:
    # A log axis cannot show inf or zero.
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)
