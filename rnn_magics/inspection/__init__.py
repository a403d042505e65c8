"""Looks inside a trained model: the views of `inspectors`, and the checks of the doctor."""

from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, inspect_rnn
from rnn_magics.inspection.views.gates import Gates, inspect_gates
from rnn_magics.inspection.views.gradient import Gradient, inspect_gradient
from rnn_magics.inspection.views.hidden import Hidden, inspect_hidden
from rnn_magics.inspection.views.match import Match, inspect_match
from rnn_magics.inspection.views.surprise import Surprise, inspect_surprise
from rnn_magics.inspection.views.units import Units, inspect_units
from rnn_magics.inspection.views.windows import Windows, inspect_batches

__all__ = [
    "INSPECTORS",
    "Gates",
    "Gradient",
    "Hidden",
    "Inspector",
    "Match",
    "Surprise",
    "Units",
    "Windows",
    "inspect_batches",
    "inspect_gates",
    "inspect_gradient",
    "inspect_hidden",
    "inspect_match",
    "inspect_rnn",
    "inspect_surprise",
    "inspect_units",
]
