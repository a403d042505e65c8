"""Looks inside a trained model: the views of `inspectors`, and the checks of the doctor."""

from rnn_magics.inspection.diff import Diff, DiffConfig, inspect_diff
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, inspect_rnn
from rnn_magics.inspection.interventions.ablation import AblateConfig, Ablation, inspect_ablate
from rnn_magics.inspection.interventions.changes import Intervention
from rnn_magics.inspection.interventions.effect import (
    Effect,
    Patch,
    PatchConfig,
    inspect_patch,
    intervene,
)
from rnn_magics.inspection.interventions.groups import Group
from rnn_magics.inspection.interventions.probes import Probe, ProbeConfig, inspect_probe
from rnn_magics.inspection.interventions.walk import Walk, walk
from rnn_magics.inspection.play.play import Play, PlayConfig, inspect_play
from rnn_magics.inspection.views.gates import Gates, GatesConfig, inspect_gates
from rnn_magics.inspection.views.gradient import Gradient, GradientConfig, inspect_gradient
from rnn_magics.inspection.views.hidden import Hidden, HiddenConfig, inspect_hidden
from rnn_magics.inspection.views.match import Match, MatchConfig, inspect_match
from rnn_magics.inspection.views.surprise import Surprise, SurpriseConfig, inspect_surprise
from rnn_magics.inspection.views.trace import TextTrace, Trace
from rnn_magics.inspection.views.units import Units, UnitsConfig, inspect_units
from rnn_magics.inspection.views.windows import Windows, WindowsConfig, inspect_batches

__all__ = [
    "INSPECTORS",
    "AblateConfig",
    "Ablation",
    "Diff",
    "DiffConfig",
    "Effect",
    "Gates",
    "GatesConfig",
    "Gradient",
    "GradientConfig",
    "Group",
    "Hidden",
    "HiddenConfig",
    "Inspector",
    "Intervention",
    "Match",
    "MatchConfig",
    "Patch",
    "PatchConfig",
    "Play",
    "PlayConfig",
    "Probe",
    "ProbeConfig",
    "Surprise",
    "SurpriseConfig",
    "TextTrace",
    "Trace",
    "Units",
    "UnitsConfig",
    "Walk",
    "Windows",
    "WindowsConfig",
    "inspect_ablate",
    "inspect_batches",
    "inspect_diff",
    "inspect_gates",
    "inspect_gradient",
    "inspect_hidden",
    "inspect_match",
    "inspect_patch",
    "inspect_play",
    "inspect_probe",
    "inspect_rnn",
    "inspect_surprise",
    "inspect_units",
    "intervene",
    "walk",
]
