"""The figure of a forecast: the median and the bands of many futures, over what followed."""

from __future__ import annotations

import numpy as np

from rnn_magics.decoding.forecast import BANDS, Forecast
from rnn_magics.language import say
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import BLUE, INK, house_style

_SHADES = (0.35, 0.18)  # of the bands, the narrow one first
_MOST_BEFORE = 200


def fan_figure(forecast: Forecast) -> Figure:
    """Draw the median and the middle 50 % and 90 % of the futures, and the true series."""
    steps = forecast.values.shape[1]
    shown = forecast.before[-min(max(steps // 2, 20), _MOST_BEFORE) :]
    ahead = forecast.begins + np.arange(steps)
    with house_style():
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        for share, shade in zip(BANDS, _SHADES, strict=True):
            lower, upper = forecast.band(share)
            coverage = forecast.coverage(share)
            held = "" if coverage is None else say(", holds {coverage:.0%}", coverage=coverage)
            label = say("middle {share:.0%}{held}", share=share, held=held)
            axes.fill_between(
                ahead, lower, upper, color=BLUE, alpha=shade, linewidth=0, label=label
            )
        known = np.concatenate((shown, forecast.truth))
        places = forecast.begins - len(shown) + np.arange(len(known))
        axes.plot(places, known, color=INK, linewidth=1, label=say("true series"))
        axes.plot(ahead, forecast.median, color=BLUE, linewidth=2, label=say("median"))
        axes.axvline(forecast.begins - 0.5, color=INK, linestyle="dotted", linewidth=0.9)
        title = say("Forecast: {size}", size=forecast.size)
        axes.set(xlabel=say("step"), ylabel=say("value"), title=title)
        figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure
