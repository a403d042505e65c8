"""The figure of a sweep: each trial a line over its options, and how much each option matters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from rnn_magics.language import say
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import BLUE, INK, ORANGE, SEQUENTIAL, house_style
from rnn_magics.sweeps.dimensions import Dimension, Interval, written
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Trial

_MOST_TICKS = 5
_DARKEST, _LIGHTEST = 0.95, 0.35  # of the scale: both are seen on white and on black


def sweep_figure(sweep: SweepRuns, shares: Mapping[str, float] | None = None) -> Figure:
    """Draw parallel coordinates, and the importance of each option beside them.

    Parameters
    ----------
    sweep
        A sweep with at least one trial that has a score.
    shares
        The importance of its options; by default, none is drawn.
    """
    with house_style():
        width = 2.2 + 1.3 * len(sweep.space.dimensions)
        figure = Figure(figsize=(width + (3 if shares else 0), 3.2), layout="constrained")
        ratios = {"width_ratios": [width, 3]} if shares else {}
        axes = figure.subplots(1, 2 if shares else 1, squeeze=False, gridspec_kw=ratios)[0]
        _draw_trials(axes[0], sweep)
        if shares:
            _draw_shares(axes[1], shares)
    return figure


def _draw_trials(axes: Axes, sweep: SweepRuns) -> None:
    dimensions = sweep.space.dimensions
    scored = [(t, reached) for t in sweep.searched if (reached := _reached(t)) is not None]
    low, high = min(r for _, r in scored), max(r for _, r in scored)
    last = len(dimensions)
    for trial, nats in sorted(scored, key=lambda pair: -pair[1]):  # the best on top
        height = 0.5 if high == low else (nats - low) / (high - low)
        places = [each.place(trial.params[name]) for name, each in dimensions.items()]
        axes.plot(range(last + 1), [*places, height], **_look(sweep, trial, height))
    for at, (name, each) in enumerate(dimensions.items()):
        _label(axes, at, name, [(each.place(v), written(v)) for v in _ticks(each)])
    ends = [(0.0, low), (1.0, high)] if high > low else [(0.5, low)]
    _label(axes, last, sweep.head[-3], [(y, sweep.score_in_words(v)) for y, v in ends])
    axes.set(xlim=(-0.2, last + 0.5), ylim=(-0.05, 1.15))
    axes.axis("off")


def _look(sweep: SweepRuns, trial: Trial, height: float) -> dict[str, Any]:
    if trial is sweep.best:
        return {"color": ORANGE, "linewidth": 2.5}
    if trial.nats is None:
        return {"color": INK, "linewidth": 0.8, "alpha": 0.6, "linestyle": ":"}
    shade = _DARKEST - (_DARKEST - _LIGHTEST) * height
    return {"color": SEQUENTIAL(shade), "linewidth": 1.2}


def _label(axes: Axes, at: int, name: str, ticks: Sequence[tuple[float, str]]) -> None:
    axes.axvline(at, ymin=0.04, ymax=0.88, color=INK, linewidth=1)
    axes.text(at, 1.08, name, ha="center", va="bottom")
    for place, words in ticks:
        axes.text(at + 0.05, place, words, va="center", fontsize=8)


def _draw_shares(axes: Axes, shares: Mapping[str, float]) -> None:
    names = list(shares)[::-1]
    axes.barh(names, [shares[name] for name in names], color=BLUE)
    axes.set_xlabel(say("share in the variance of the scores"))
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")


def _reached(trial: Trial) -> float | None:
    found = trial.nats if trial.nats is not None else trial.lowest
    return found if found is not None and math.isfinite(found) else None


def _ticks(dimension: Dimension) -> list[Any]:
    return dimension.points(3 if isinstance(dimension, Interval) else _MOST_TICKS)
