"""Looks inside a trained model: the views of `inspectors`, and the checks of the doctor."""

from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, inspect_rnn
from rnn_magics.inspection.views.gates import Gates, GatesConfig, inspect_gates
from rnn_magics.inspection.views.gradient import Gradient, GradientConfig, inspect_gradient
from rnn_magics.inspection.views.hidden import Hidden, HiddenConfig, inspect_hidden
from rnn_magics.inspection.views.match import Match, MatchConfig, inspect_match
from rnn_magics.inspection.views.play import Play, PlayConfig, inspect_play
from rnn_magics.inspection.views.surprise import Surprise, SurpriseConfig, inspect_surprise
from rnn_magics.inspection.views.trace import TextTrace, Trace
from rnn_magics.inspection.views.units import Units, UnitsConfig, inspect_units
from rnn_magics.inspection.views.windows import Windows, WindowsConfig, inspect_batches

__all__ = [
    "INSPECTORS",
    "Gates",
    "GatesConfig",
    "Gradient",
    "GradientConfig",
    "Hidden",
    "HiddenConfig",
    "Inspector",
    "Match",
    "MatchConfig",
    "Play",
    "PlayConfig",
    "Surprise",
    "SurpriseConfig",
    "TextTrace",
    "Trace",
    "Units",
    "UnitsConfig",
    "Windows",
    "WindowsConfig",
    "inspect_batches",
    "inspect_gates",
    "inspect_gradient",
    "inspect_hidden",
    "inspect_match",
    "inspect_play",
    "inspect_rnn",
    "inspect_surprise",
    "inspect_units",
]
