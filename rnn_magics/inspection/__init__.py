"""What a trained model does, as arrays and findings: the views of `inspectors`, the doctor."""

from rnn_magics.inspection.gates import Gates, inspect_gates
from rnn_magics.inspection.gradient import Gradient, inspect_gradient
from rnn_magics.inspection.hidden import Hidden, inspect_hidden
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, inspect_rnn
from rnn_magics.inspection.match import Match, inspect_match
from rnn_magics.inspection.surprise import Surprise, inspect_surprise
from rnn_magics.inspection.units import Units, inspect_units
from rnn_magics.inspection.windows import Windows, inspect_batches

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
