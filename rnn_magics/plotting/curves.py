"""The figure of a training: perplexity and gradient norm after each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.transforms import ScaledTranslation

from rnn_magics.digits import rounded
from rnn_magics.language import marked, say
from rnn_magics.plotting.labels import Level, label_levels
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import GOOD, ORANGE, cycle_with_markers, house_style, number_plainly
from rnn_magics.reports.baselines import Mark
from rnn_magics.training.history import History

_HEIGHT = 3.4  # inches, without a legend below
_BELOW = 0.5  # inches between the axes and a legend below them: ticks and the name of the axis
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Curves:
    """The curves of runs that share two axes: perplexity and gradient norm after each epoch.

    Parameters
    ----------
    histories
        The history of each run, by name.
    clip
        The bound on the gradient norm, drawn as a line.
    marks
        Perplexities of baselines, drawn as lines.
    heading
        What the titles begin with.
    against
        What the horizontal axis is, in English.
    ends
        Where on it the epochs of a run end, by name; by default after 1, 2, 3, ... epochs.
    predicted
        The held-out perplexity that the reader predicted, drawn as a line.
    """

    histories: Mapping[str, History]
    clip: float | None = None
    marks: Iterable[Mark] = ()
    heading: str = ""
    against: str = marked("epoch")
    ends: Mapping[str, Sequence[float]] = field(default_factory=dict)
    predicted: float | None = None


def training_figure(
    histories: Mapping[str, History],
    clip: float | None = None,
    marks: Iterable[Mark] = (),
    predicted: float | None = None,
) -> Figure:
    """Draw perplexity and gradient norm against epochs, for one run or several.

    Parameters
    ----------
    histories, clip, marks, predicted
        As for `Curves`.
    """
    return curves_figure([Curves(histories, clip, marks, predicted=predicted)])


def curves_figure(groups: Sequence[Curves]) -> Figure:
    """Draw curves that share no axes one below the other."""
    with house_style():
        figure = Figure(figsize=(9, 1), layout="constrained")
        heights = [_HEIGHT + _legend_height(curves) for curves in groups]
        figure.set_figheight(sum(heights))
        parts = figure.subfigures(len(groups), 1, squeeze=False, height_ratios=heights)
        for part, curves in zip(parts[:, 0], groups, strict=True):
            _draw(part, curves)
    return figure


def _legend_height(curves: Curves) -> float:
    # One legend below serves several runs, four lines a row, two lines a run; one has a row.
    rows = -(-2 * len(curves.histories) // 4)
    return 0.2 * rows


def _name_below(axes: Axes) -> None:
    """Put the legend of one run below its axes, where it covers nothing."""
    below = axes.transAxes + ScaledTranslation(0, -_BELOW, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=below,
        ncols=3,
        frameon=False,
        borderaxespad=0,
    )


def _draw(figure: FigureBase, curves: Curves) -> None:
    histories, several = curves.histories, len(curves.histories) > 1
    left, right = figure.subplots(1, 2)
    looks = cycle_with_markers(len(histories))
    for look, (name, history) in zip(looks, histories.items(), strict=True):
        at = np.asarray(curves.ends.get(name, range(1, len(history) + 1)), float)
        label = f"{name}: " if several else ""
        _draw_perplexity(left, at, history, look, label)
        _draw_norm(right, at, history, look, label)
    title = f"{curves.heading}{say('Perplexity')}"
    norm = f"{curves.heading}{say('Gradient norm, unclipped')}"
    against = say(curves.against)
    left.set(xlabel=against, ylabel=say("perplexity"), yscale="log", title=title)
    right.set(xlabel=against, ylabel=say("norm"), yscale="log", title=norm)
    for axes in (left, right):
        if axes.get_ylim()[0] <= 0:  # nothing is drawn
            axes.set_ylim(1, 10)
        if not curves.ends:
            axes.xaxis.get_major_locator().set_params(integer=True)
        if len(histories) == 1:
            _name_below(axes)
        number_plainly(axes.yaxis)
        axes.tick_params(axis="y", which="minor", labelsize="small")
    if curves.clip is not None:
        _reach(right, curves.clip)
    levels = [
        Level(f"{mark.words} {rounded(mark.perplexity, 2)}", mark.perplexity)
        for mark in curves.marks
    ]
    if levels:
        _reach(left, min(level.value for level in levels))
    if (predicted := curves.predicted) is not None:
        _reach(left, predicted)
        name = say("your prediction {perplexity}", perplexity=rounded(predicted, 2))
        levels.append(Level(name, predicted, ORANGE, "dashdot"))
    # The handles are of the runs; the levels, drawn after them, have their names at the edge.
    handles = left.get_lines()
    label_levels(left, levels)
    label_levels(
        right,
        [] if curves.clip is None else [Level(say("clip {clip:g}", clip=curves.clip), curves.clip)],
    )
    if several:
        # Both axes use the same colour for a run, so one legend below serves both.
        right.set_ylabel(say("norm, median to maximum"))
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)


def _draw_perplexity(
    axes: Axes, at: Floats, history: History, look: tuple[str, str], label: str
) -> None:
    color, marker = look
    train = np.array(history.train_perplexity, float)
    valid = np.array([np.nan if p is None else p for p in history.valid_perplexity], float)
    training, held_out = f"{label}{say('training')}", f"{label}{say('held out')}"
    axes.plot(at, _drawable(train), color=color, marker=marker, label=training)
    if np.isfinite(valid).any():
        axes.plot(at, _drawable(valid), "--", color=color, marker=marker, label=held_out)
        if not label:
            _mark_best(axes, at, valid)


def _mark_best(axes: Axes, at: Floats, valid: Floats) -> None:
    # Named in the legend, below the axes, where no curve runs through it.
    best = int(np.nanargmin(valid))
    axes.scatter(
        [at[best]],
        [valid[best]],
        80,
        facecolors="none",
        edgecolors=GOOD,
        zorder=3,
        label=say("best {value:.4g}, epoch {epoch}", value=valid[best], epoch=best + 1),
    )


def _reach(axes: Axes, value: float) -> None:
    """Extend a log axis to a value, unless that would leave a decade empty."""
    low, high = axes.get_ylim()
    if low / 10 < value < high * 10:
        axes.set_ylim(min(low, value / 1.1), max(high, value * 1.1))


def _draw_norm(axes: Axes, at: Floats, history: History, look: tuple[str, str], label: str) -> None:
    color, marker = look
    median, largest = _drawable(history.grad_norm), _drawable(history.grad_norm_max)
    axes.plot(at, median, color=color, marker=marker, label=f"{label}{say('median')}")
    axes.fill_between(
        at, median, largest, color=color, alpha=0.2, label=f"{label}{say('to maximum')}"
    )


def _drawable(values: object) -> Floats:
    # A log axis cannot show inf or zero.
    array = np.asarray(values, float)
    return np.where(np.isfinite(array) & (array > 0), array, np.nan)
