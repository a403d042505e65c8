"""Curves of a figure as characters, for terminals and for whoever reads a notebook as text."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_magics.language import say
from rnn_magics.tables import columns_of, terminal_width

Values: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

HEIGHT = 12  # lines of characters
WIDTH = 60  # characters, without the axis
_LEAST_WIDTH = 20
_AXIS = 20  # characters to the left of a chart, and of the number behind its last tick
_MARGIN = 0.02  # of the height, so that no curve lies on the edge
_MARKS = "+xo*#%@="  # one for each curve
_WIDE = 30  # a range with a larger ratio of its ends is drawn on a logarithmic axis


def to_characters(figure: Figure, width: int | None = None) -> str:
    """Draw the curves of a figure as lines of characters.

    Parameters
    ----------
    figure
        Its curves are drawn, chart after chart; pictures, areas and notes are left out.
    width
        The width of a chart in characters, without its axis; by default 60, or what fits into the
        terminal.

    Returns
    -------
    str
        One block of lines for each chart. Empty if no chart has a curve of two points.
    """
    if width is None:
        room = terminal_width() or WIDTH + _AXIS
        width = min(WIDTH, max(room - _AXIS, _LEAST_WIDTH))
    return "\n\n".join(filter(None, (_chart(axes, width) for axes in figure.axes)))


def _chart(axes: Axes, width: int) -> str:
    import plotille  # noqa: PLC0415  (needed for text only)

    log = axes.get_xscale() == "log", axes.get_yscale() == "log"
    curves = [_shown(axes, line, log) for line in axes.get_lines() if _is_named(line)]
    curves = [(x, y, label) for x, y, label in curves if len(x)][: len(_MARKS)]
    if not any(np.ptp(x) > 0 for x, _, _ in curves):  # one point is no curve
        return ""
    ends_x, ends_y = _ends([x for x, _, _ in curves]), _ends([y for _, y, _ in curves])
    to_x, to_y = _Scale(*ends_x, log=log[0]), _Scale(*ends_y, log=log[1])
    drawn = plotille.Figure()
    drawn.width, drawn.height, drawn.with_colors = width, HEIGHT, False
    drawn.origin = False
    drawn.set_x_limits(0, 1)
    drawn.set_y_limits(-_MARGIN, 1 + _MARGIN)
    drawn.x_ticks_fkt, drawn.y_ticks_fkt = to_x.tick, to_y.tick
    drawn.x_label, drawn.y_label = "", axes.get_title() or axes.get_ylabel()
    cells = (np.arange(width) + 0.5) / width  # a mark in the middle of each column
    for mark, (x, y, _) in zip(_MARKS, curves, strict=False):
        columns, heights = to_x(x), to_y(y)
        near = cells[(cells > columns.min() - 1 / width) & (cells < columns.max() + 1 / width)]
        order = np.argsort(columns, kind="stable")
        drawn.scatter(near, np.interp(near, columns[order], heights[order]), marker=mark)
    names = [f"{mark} {label}" for mark, (*_, label) in zip(_MARKS, curves, strict=False)]
    along = axes.get_xlabel()
    against = [say("against {label}", label=along)] if along else []
    lines = drawn.show().replace("-> ()\n", "->\n").splitlines()
    lines = [line.replace("\N{BRAILLE PATTERN BLANK}", " ").rstrip() for line in lines]
    return "\n".join([*lines, *_packed([*names, *against], width + _AXIS)])


def _packed(names: list[str], width: int) -> list[str]:
    # Lines of as many names as fit below the chart.
    lines = names[:1]
    for name in names[1:]:
        longer = f"{lines[-1]}   {name}"
        lines[-1:] = [longer] if columns_of(longer) <= width else [lines[-1], name]
    return lines


class _Scale:
    """Maps the values of an axis to the numbers from 0 to 1."""

    def __init__(self, low: float, high: float, *, log: bool) -> None:
        self._log = log and high > _WIDE * low
        self._low, self._high = self._of(low), self._of(high)

    def __call__(self, values: Values) -> Values:
        scaled: Values = (self._of(values) - self._low) / ((self._high - self._low) or 1.0)
        return scaled

    def tick(self, place: float, _next: float) -> str:
        value = self._low + place * (self._high - self._low)
        return f"{10.0**value if self._log else value:.4g}"

    def _of(self, values: Any) -> Any:
        return np.log10(values) if self._log else np.asarray(values)


def _ends(values: list[Values]) -> tuple[float, float]:
    return min(v.min() for v in values), max(v.max() for v in values)


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
