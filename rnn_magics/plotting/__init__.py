"""Pictures of results: matplotlib figures from plain data.

Every function returns a `matplotlib.figure.Figure` that belongs to nobody: pyplot, its global
list of figures and its backends are not touched, so nothing is shown or kept by accident.
"""

from rnn_magics.plotting.curves import training_figure
from rnn_magics.plotting.style import to_png
from rnn_magics.plotting.zipf import zipf_figure

__all__ = ["to_png", "training_figure", "zipf_figure"]
