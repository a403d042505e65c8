"""Names of lines at the right edge of a chart, moved apart where they would lie on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from rnn_magics.plotting.style import INK

_GAP = 0.075  # between two lines of small text, as a share of the height of the axes
_OUTSIDE = 1.03


@dataclass(frozen=True)
class Level:
    """A line across a chart.

    Parameters
    ----------
    name
        What stands at its right edge.
    value
        Where it lies.
    color, style
        How it is drawn, as matplotlib takes them.
    """

    name: str
    value: float
    color: str = INK
    style: str = "dotted"


def label_levels(axes: Axes, levels: Sequence[Level]) -> None:
    """Draw a line across a log axis for each level, with its name at the right edge.

    Call it last, when the limits of the axis are final. A level that lies outside of them has its
    name at the upper or lower edge.
    """
    low, high = map(math.log, axes.get_ylim())
    places = [(math.log(level.value) - low) / (high - low) for level in levels]
    labels = spread([min(1.0, max(0.0, place)) for place in places], _GAP)
    for level, place, label in zip(levels, places, labels, strict=True):
        beyond = "\N{UPWARDS ARROW} " if place > 1 else "\N{DOWNWARDS ARROW} " if place < 0 else ""
        if not beyond:
            axes.axhline(
                level.value,
                color=level.color,
                linestyle=level.style,
                linewidth=0.9,
                label=level.name,
            )
        axes.annotate(
            f"{beyond}{level.name}",
            (1.0, min(1.0, max(0.0, place))),
            (_OUTSIDE, label),
            xycoords="axes fraction",
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": level.color, "linewidth": 0.6, "shrinkA": 0},
            color=INK,
            fontsize="small",
            verticalalignment="center",
        )


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return places in [0, 1], at least `gap` apart as far as they fit, moved as little as may be.

    ``labextension/src/views/plots/spread.ts`` does the same for the live views.
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    # Labels that touch form a block: its size, and the sum of what its labels want for the first.
    blocks: list[tuple[int, float]] = []
    for index in order:
        blocks.append((1, wanted[index]))
        while len(blocks) > 1 and _first(*blocks[-1], gap) < (
            _first(*blocks[-2], gap) + blocks[-2][0] * gap
        ):
            (size, total), (more, added) = blocks[-2:]
            blocks[-2:] = [(size + more, total + added - size * more * gap)]
    sorted_places = [
        _first(size, total, gap) + at * gap for size, total in blocks for at in range(size)
    ]
    places = dict(zip(order, sorted_places, strict=True))
    return [places[index] for index in range(len(wanted))]


def _first(size: int, total: float, gap: float) -> float:
    return max(0.0, min(1.0 - (size - 1) * gap, total / size))
