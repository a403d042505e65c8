"""Figures of results: matplotlib figures from plain data.

Every function returns a `matplotlib.figure.Figure` that is not registered with pyplot, so nothing
is shown or kept in memory by accident.
"""

from rnn_magics.plotting.characters import to_characters
from rnn_magics.plotting.curves import training_figure
from rnn_magics.plotting.style import to_png
from rnn_magics.plotting.zipf import zipf_figure

__all__ = ["to_characters", "to_png", "training_figure", "zipf_figure"]
