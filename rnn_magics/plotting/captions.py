"""The heading of a figure, and under it how to read it."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_magics.inspection.views.trace import Trace
from rnn_magics.plotting.style import INK
from rnn_magics.tables import wrapped

_LETTERS = 13  # in an inch of small text


def add_caption(figure: Figure, axes: Axes, trace: Trace) -> None:
    """Write the heading and the caption of a view above its figure, as the live view has them.

    Parameters
    ----------
    figure
        The figure.
    axes
        The axes at its upper left.
    trace
        The result that is drawn.
    """
    width = int(figure.get_figwidth() * _LETTERS)
    heading = wrapped(trace.heading, width, indent="")
    figure.suptitle(heading, x=0.01, horizontalalignment="left", color=INK, fontsize="large")
    caption = wrapped(trace.caption, width, indent="")
    figure.set_figheight(figure.get_figheight() + 0.3 + 0.17 * (1 + caption.count("\n")))
    axes.set_title(caption, loc="left", color=INK, fontsize="small")
