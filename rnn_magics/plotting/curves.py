"""The figure of a training: perplexity and gradient norm for each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from rnn_magics.digits import rounded
from rnn_magics.plotting.labels import label_levels
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import GOOD, cycle, house_style, number_plainly
from rnn_magics.reports.baselines import Mark
from rnn_magics.training.history import History

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def training_figure(
    histories: Mapping[str, History],
    clip: float | None = None,
    marks: Iterable[Mark] = (),
) -> Figure:
    """Draw perplexity and gradient norm against epochs, for one run or several.

    Parameters
    ----------
    histories
        The history of each run, by name.
    clip
        The bound on the gradient norm, drawn as a line.
    marks
        Perplexities of baselines, drawn as lines.
    """
    with house_style():
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for color, (name, history) in zip(cycle(len(histories)), histories.items(), strict=True):
            label = f"{name}: " if len(histories) > 1 else ""
            _draw_perplexity(left, history, color, label)
            _draw_norm(right, history, color, label)
        left.set(xlabel="epoch", ylabel="perplexity", yscale="log", title="Perplexity")
        right.set(xlabel="epoch", ylabel="norm", yscale="log", title="Gradient norm, unclipped")
        for axes in (left, right):
            if axes.get_ylim()[0] <= 0:  # nothing is drawn
                axes.set_ylim(1, 10)
            axes.xaxis.get_major_locator().set_params(integer=True)
            if len(histories) == 1:
                axes.legend(frameon=False)
            number_plainly(axes.yaxis)
            axes.tick_params(axis="y", which="minor", labelsize="small")
        if clip is not None:
            _reach(right, clip)
        levels = [(f"{mark.name} {rounded(mark.perplexity)}", mark.perplexity) for mark in marks]
        if levels:
            _reach(left, min(value for _, value in levels))
        label_levels(left, levels)
        label_levels(right, [] if clip is None else [(f"clip {clip:g}", clip)])
        if len(histories) > 1:
            # Both axes use the same colour for a run, so one legend below serves both.
            right.set_ylabel("norm, median to maximum")
            handles = [line for line in left.lines if line.get_linestyle() != ":"]
            figure.set_figheight(3.4 + 0.2 * -(-len(handles) // 4))
            figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_perplexity(axes: Axes, history: History, color: str, label: str) -> None:
    epochs = np.arange(1, len(history) + 1)
    train = np.array(history.train_perplexity, float)
    valid = np.array([np.nan if p is None else p for p in history.valid_perplexity], float)
    axes.plot(epochs, _drawable(train), color=color, marker=".", label=f"{label}training")
    if np.isfinite(valid).any():
        axes.plot(epochs, _drawable(valid), "--", color=color, marker=".", label=f"{label}held out")
        if not label:
            _mark_best(axes, valid)


def _mark_best(axes: Axes, valid: Floats) -> None:
    best = int(np.nanargmin(valid))
    axes.scatter([best + 1], [valid[best]], 80, facecolors="none", edgecolors=GOOD, zorder=3)
    axes.annotate(
        f"best {valid[best]:.4g}, epoch {best + 1}",
        (best + 1, valid[best]),
        (0, -9),
        textcoords="offset points",
        verticalalignment="top",
        path_effects=[withStroke(linewidth=3, foreground="white")],  # readable on a line
        horizontalalignment="right" if best > len(valid) / 2 else "left",
        color=GOOD,
        fontsize="small",
    )


def _reach(axes: Axes, value: float) -> None:
    """Extend a log axis to a value, unless that would leave a decade empty."""
    low, high = axes.get_ylim()
    if low / 10 < value < high * 10:
        axes.set_ylim(min(low, value / 1.1), max(high, value * 1.1))


def _draw_norm(axes: Axes, history: History, color: str, label: str) -> None:
    epochs = np.arange(1, len(history) + 1)
    median, largest = _drawable(history.grad_norm), _drawable(history.grad_norm_max)
    axes.plot(epochs, median, color=color, marker=".", label=f"{label}median")
    axes.fill_between(epochs, median, largest, color=color, alpha=0.2, label=f"{label}to maximum")


def _drawable(values: object) -> Floats:
    # A log axis cannot show inf or zero.
    array = np.asarray(values, float)
    return np.where(np.isfinite(array) & (array > 0), array, np.nan)
