"""Curves of a figure as characters, for terminals and for whoever reads a notebook as text."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

Values: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

HEIGHT = 12  # lines of characters
WIDTH = 64  # characters, without the axis
_MARKS = "+xo*#%@="  # one for each curve
_WIDE = 30  # a range with a larger ratio of its ends is drawn on a logarithmic axis


def to_characters(figure: Figure, width: int = WIDTH) -> str:
    """Draw the curves of a figure as lines of characters.

    Parameters
    ----------
    figure
        Its curves are drawn, chart after chart; pictures, areas and notes are left out.
    width
        The width of a chart in characters, without its axis.

    Returns
    -------
    str
        One block of lines for each chart. Empty if no chart has a curve.
    """
    return "\n\n".join(filter(None, (_chart(axes, width) for axes in figure.axes)))


def _chart(axes: Axes, width: int) -> str:
    from uniplot import plot_to_string  # noqa: PLC0415  (needed for text only)

    log = axes.get_xscale() == "log", axes.get_yscale() == "log"
    curves = [_shown(axes, line, log) for line in axes.get_lines() if _is_named(line)]
    curves = [(x, y, label) for x, y, label in curves if len(x)][: len(_MARKS)]
    if not curves:
        return ""
    xs, ys, labels = zip(*curves, strict=True)
    title = axes.get_title() or axes.get_ylabel()
    low, high = min(y.min() for y in ys), max(y.max() for y in ys)
    drawn: str = plot_to_string(
        ys=list(ys),
        xs=list(xs),
        lines=True,
        title=title,
        legend_labels=list(labels),
        x_as_log=log[0],
        y_as_log=log[1] and high / low > _WIDE,
        width=width,
        height=HEIGHT,
        color=False,
        character_set="ascii",
        force_ascii_characters=list(_MARKS),
    )
    return "\n".join(line.rstrip() for line in drawn.splitlines())


def _is_named(line: Line2D) -> bool:
    return not str(line.get_label()).startswith("_")


def _shown(axes: Axes, line: Line2D, log: tuple[bool, bool]) -> tuple[Values, Values, str]:
    # The points of a curve that the axes can show, and its label.
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    if line.get_transform() != axes.transData:  # a level: from end to end of the axes
        x = np.asarray(axes.dataLim.intervalx)
    shown = np.isfinite(x) & np.isfinite(y)
    for values, is_log in zip((x, y), log, strict=True):
        shown &= (values > 0) | (not is_log)
    return x[shown], y[shown], str(line.get_label())
