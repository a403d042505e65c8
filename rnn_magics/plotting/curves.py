"""The figure of a training: perplexity and gradient norm for each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes

from rnn_magics.digits import rounded
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import ORANGE, RED, cycle, house_style, number_plainly
from rnn_magics.reports.baselines import Mark
from rnn_magics.training.history import History


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
        for mark, style in zip(marks, ("dotted", "dashdot", "dashed", "solid"), strict=False):
            label = f"{mark.name} {rounded(mark.perplexity)}"
            left.axhline(mark.perplexity, color="gray", linestyle=style, linewidth=0.8, label=label)
        bound = []
        if clip is not None:
            line = right.axhline(
                clip, color=RED, linestyle="--", linewidth=1, label=f"clip {clip:g}"
            )
            bound.append(line)
        left.set(xlabel="epoch", ylabel="perplexity", yscale="log", title="Perplexity")
        right.set(xlabel="epoch", ylabel="norm", yscale="log", title="Gradient norm, unclipped")
        for axes in (left, right):
            axes.xaxis.get_major_locator().set_params(integer=True)
            if len(histories) == 1:
                axes.legend(frameon=False)
            number_plainly(axes.yaxis)
            axes.tick_params(axis="y", which="minor", labelsize="small")
        if len(histories) > 1:
            # Both axes use the same colour for a run, so one legend below serves both.
            right.set_ylabel("norm, median to maximum")
            handles = [*left.lines, *bound]
            figure.set_figheight(3.4 + 0.2 * -(-len(handles) // 4))
            figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_perplexity(axes: Axes, history: History, color: str, label: str) -> None:
    epochs = np.arange(1, len(history) + 1)
    train = np.array(history.train_perplexity, float)
    valid = np.array([np.nan if p is None else p for p in history.valid_perplexity], float)
    held_out = ORANGE if not label else color
    axes.plot(epochs, _drawable(train), color=color, marker=".", label=f"{label}training")
    if np.isfinite(valid).any():
        style = "-" if not label else "--"
        axes.plot(
            epochs, _drawable(valid), style, color=held_out, marker=".", label=f"{label}held out"
        )


def _draw_norm(axes: Axes, history: History, color: str, label: str) -> None:
    epochs = np.arange(1, len(history) + 1)
    median, largest = _drawable(history.grad_norm), _drawable(history.grad_norm_max)
    axes.plot(epochs, median, color=color, marker=".", label=f"{label}median")
    axes.fill_between(epochs, median, largest, color=color, alpha=0.2, label=f"{label}to maximum")


def _drawable(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    # A log axis cannot show inf or zero.
    array = np.asarray(values, float)
    return np.where(np.isfinite(array) & (array > 0), array, np.nan)
