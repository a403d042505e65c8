"""The figures of the views of `rnn_magics.inspection`, by the name of the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from rnn_magics.inspection.epochs import Epochs
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.plotting.coloured_text import (
    diff_figure,
    match_figure,
    surprise_figure,
    units_figure,
)
from rnn_magics.plotting.gradient import gradient_figure
from rnn_magics.plotting.heatmaps import gates_figure, hidden_figure
from rnn_magics.plotting.interventions.figures import ablation_figure, effect_figure, probe_figure
from rnn_magics.plotting.windows import windows_figure

FIGURES: dict[str, Callable[[Any], Figure]] = {
    "hidden": hidden_figure,
    "gates": gates_figure,
    "surprise": surprise_figure,
    "gradient": gradient_figure,
    "match": match_figure,
    "units": units_figure,
    "batches": windows_figure,
    "play": lambda play: surprise_figure(play.surprise),
    "patch": effect_figure,
    "ablate": ablation_figure,
    "probe": probe_figure,
    "diff": diff_figure,
}


def inspection_figure(view: str, trace: Trace) -> Figure | None:
    """Return the figure of a view; of several epochs, that of the last.

    None for a view that has no figure.
    """
    if view not in FIGURES:
        return None
    return FIGURES[view](trace.last if isinstance(trace, Epochs) else trace)
