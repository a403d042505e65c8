"""The figure of a text: Zipf's law and coverage."""

from __future__ import annotations

import numpy as np

from rnn_magics.language import say
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import BLUE, GREEN, ORANGE, house_style, number_plainly
from rnn_magics.text.statistics import TextStatistics


def zipf_figure(statistics: TextStatistics) -> Figure:
    """Draw the frequency of n-grams against rank, with the laws that hold, and the coverage."""
    names = (say("tokens"), say("bigrams"), say("trigrams"))
    with house_style():
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name, color, counts, fit in zip(
            names, (BLUE, ORANGE, GREEN), statistics.ngrams, statistics.fits, strict=True
        ):
            ranks = np.arange(1, len(counts.counts) + 1)
            law = fit if fit is not None and fit.holds else None
            slope = "" if law is None else say(", slope {slope:.2f}", slope=law.slope)
            left.plot(ranks, counts.counts, color=color, label=f"{name}{slope}")
            if law is not None:
                fitted = np.array(law.ranks)
                left.plot(fitted, law(fitted), color=color, linestyle="--", linewidth=1)
        left.set(
            xscale="log",
            yscale="log",
            xlabel=say("rank"),
            ylabel=say("count"),
            title=say("Zipf's law"),
        )
        left.legend(frameon=False)
        number_plainly(left.xaxis)
        number_plainly(left.yaxis)
        right.plot(
            statistics.sizes, statistics.covered, color=BLUE, marker=".", label=say("covered")
        )
        if statistics.oov_rates is not None:
            right.plot(
                statistics.sizes,
                statistics.oov_rates,
                color=ORANGE,
                marker=".",
                label=say("held out, unknown"),
            )
        right.set(
            xscale="log",
            xlabel=say("vocabulary size"),
            ylabel=say("share of the text"),
            ylim=(0, 1.02),
            title=say("Coverage"),
        )
        right.legend(frameon=False, loc="center right")
        number_plainly(right.xaxis)
    return figure
