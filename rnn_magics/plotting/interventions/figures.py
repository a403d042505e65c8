"""The figures of ``patch``, ``ablate`` and ``probe``: what a changed state does."""

from __future__ import annotations

import numpy as np

from rnn_magics.inspection.interventions.ablation import Ablation
from rnn_magics.inspection.interventions.effect import Effect
from rnn_magics.inspection.interventions.probes import Probe
from rnn_magics.language import say
from rnn_magics.plotting.captions import add_caption
from rnn_magics.plotting.heatmaps import label_tokens
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import BLUE, INK, ORANGE, house_style

_UNITS = 30
_LONGEST = 12  # characters of the name of a group


def effect_figure(trace: Effect) -> Figure:
    """Draw the bits of each token without and with a change, and how far the predictions are."""
    with house_style():
        figure = Figure(figsize=(12, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[2, 1])
        places = np.arange(len(trace.tokens))
        left.plot(places, trace.bits, color=BLUE, marker=".", label=say("as it is"))
        left.plot(places, trace.changed_bits, color=ORANGE, marker=".", label=say("changed"))
        left.set(ylabel=say("surprise in bits"))
        left.legend(frameon=False)
        add_caption(figure, left, trace)
        label_tokens(left, trace.tokens)
        right.plot(trace.felt, color=ORANGE, marker=".")
        right.set(
            xlabel=say("tokens after the change"), ylabel=say("felt, in nats"), ylim=(0, None)
        )
        right.xaxis.get_major_locator().set_params(integer=True)
    return figure


def ablation_figure(trace: Ablation) -> Figure:
    """Draw what the units are worth, the most first, with their intervals."""
    with house_style():
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        first = trace.order[:_UNITS]
        places, half = np.arange(len(first)), (trace.intervals[first, 1] - trace.worth[first])
        axes.bar(places, trace.worth[first], color=BLUE, yerr=half, ecolor=INK)
        axes.set_xticks(places, [_name(trace.groups[at].name) for at in first], fontsize="small")
        axes.set(xlabel=trace.measured, ylabel=say("nats a token"))
        axes.grid(visible=False, axis="x")
        add_caption(figure, axes, trace)
    return figure


def _name(group: str) -> str:
    return group if len(group) <= _LONGEST else f"{group[: _LONGEST - 1]}…"


def probe_figure(trace: Probe) -> Figure:
    """Draw what each unit explains alone, beside what all of them explain together."""
    with house_style():
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        units = np.argsort(-trace.single, kind="stable")[:_UNITS]
        places = np.arange(len(units))
        axes.bar(places, trace.single[units], color=BLUE)
        axes.axhline(max(trace.r2, 0), color=ORANGE, label=say("all units, on unseen text"))
        axes.axhline(
            max(trace.control.max(), 0), color=INK, linestyle="--", label=say("shifted target")
        )
        axes.set_xticks(places, [str(unit) for unit in units], fontsize="small")
        axes.set(xlabel=say("unit"), ylabel=say("share of variance"), ylim=(0, 1.02))
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False)
        add_caption(figure, axes, trace)
    return figure
