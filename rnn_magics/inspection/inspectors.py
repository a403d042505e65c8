"""INSPECTORS: the views, by name.

A view is a function that takes what it needs of `NEEDS`, in that order, and a dataclass of
options, and returns a `Trace`: its ``title`` of one line, the ``rows`` of its plain text, and
``to_data()`` where a front end draws it (see payload.py). To add one, write that function and put
a line into `INSPECTORS`; ``%inspect_rnn`` offers it with its options.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnn_magics.inspection.diff import DiffConfig, inspect_diff
from rnn_magics.inspection.interventions.ablation import AblateConfig, inspect_ablate
from rnn_magics.inspection.interventions.effect import PatchConfig, inspect_patch
from rnn_magics.inspection.interventions.probes import ProbeConfig, inspect_probe
from rnn_magics.inspection.play.play import PlayConfig, inspect_play
from rnn_magics.inspection.views.gates import GatesConfig, inspect_gates
from rnn_magics.inspection.views.gradient import GradientConfig, inspect_gradient
from rnn_magics.inspection.views.hidden import HiddenConfig, inspect_hidden
from rnn_magics.inspection.views.match import MatchConfig, inspect_match
from rnn_magics.inspection.views.surprise import SurpriseConfig, inspect_surprise
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.inspection.views.units import UnitsConfig, inspect_units
from rnn_magics.inspection.views.windows import WindowsConfig, inspect_batches
from rnn_magics.language import marked
from rnn_magics.models.forked import check_fork
from rnn_magics.options import Options, check_choice

NEEDS = (
    marked("run"),
    marked("runs"),
    marked("text"),
    marked("into"),
    marked("passage"),
    marked("corpus"),
    marked("batches"),
)
"""The things that a view may need; a passage is a text, or a corpus where none is typed."""


@dataclass(frozen=True)
class Inspector:
    """A view.

    Parameters
    ----------
    inspect
        The function of the view; it takes the things named in `needs`, then the options.
    needs
        Words of `NEEDS`, in that order.
    config
        The class of its options.
    help
        One line for the help of ``%inspect_rnn``.
    settle
        Returns options that fix everything that a trace has chosen by itself, so that the view of
        another model is comparable; None for a view that chooses nothing.
    is_drawn
        Whether ``labextension/src/views/inspect`` draws it, from its ``to_data()``. Any other view
        is shown as text, with a picture if `rnn_magics.plotting.inspection` has one.
    is_searched
        Whether a page may search the corpus for states like those of some of its tokens.
    """

    inspect: Callable[..., Trace]
    needs: tuple[str, ...]
    config: type[Options]
    help: str
    settle: Callable[[Any, Any], Options] | None = None
    is_drawn: bool = False
    is_searched: bool = False


_TEXT, _SEARCH, _CORPUS = ("run", "text"), ("run", "text", "corpus"), ("run", "corpus")

INSPECTORS: dict[str, Inspector] = {
    "hidden": Inspector(
        inspect_hidden,
        _TEXT,
        HiddenConfig,
        marked("states after every token"),
        is_drawn=True,
        is_searched=True,
    ),
    "gates": Inspector(
        inspect_gates,
        _TEXT,
        GatesConfig,
        marked("gates, and how many are saturated"),
        is_drawn=True,
    ),
    "surprise": Inspector(
        inspect_surprise,
        _TEXT,
        SurpriseConfig,
        marked("bits of each token, and the likeliest instead"),
        is_drawn=True,
    ),
    "gradient": Inspector(
        inspect_gradient,
        _TEXT,
        GradientConfig,
        marked("how much each earlier token moves a prediction"),
        settle=GradientConfig.settled,
        is_drawn=True,
    ),
    "match": Inspector(
        inspect_match,
        _SEARCH,
        MatchConfig,
        marked("places in the corpus with a similar state"),
        settle=MatchConfig.settled,
        is_drawn=True,
        is_searched=True,
    ),
    "units": Inspector(
        inspect_units,
        _CORPUS,
        UnitsConfig,
        marked("what drives a unit highest and lowest"),
        settle=UnitsConfig.settled,
        is_drawn=True,
    ),
    "batches": Inspector(
        inspect_batches,
        ("batches",),
        WindowsConfig,
        marked("the positions of the windows in the text"),
        is_drawn=True,
    ),
    "play": Inspector(
        inspect_play,
        _TEXT,
        PlayConfig,
        marked("the model itself, in the page: type, let it write, change its units"),
        is_drawn=True,
    ),
    "patch": Inspector(
        inspect_patch,
        ("run", "text", "into"),
        PatchConfig,
        marked("the state after one text, put into another"),
        is_drawn=True,
    ),
    "ablate": Inspector(
        inspect_ablate,
        ("run", "passage"),
        AblateConfig,
        marked("how many nats each unit is worth, on a text or on held-out text"),
        is_drawn=True,
    ),
    "probe": Inspector(
        inspect_probe,
        _CORPUS,
        ProbeConfig,
        marked("what a linear function of the state knows"),
        is_drawn=True,
    ),
    "diff": Inspector(
        inspect_diff,
        ("runs", "text", "corpus"),
        DiffConfig,
        marked("where one of two runs is more surprised than the other"),
        is_drawn=True,
    ),
}


def inspect_rnn(view: str, *things: Any) -> Any:
    """Return a view of a trained model, or of minibatches, as arrays.

    ::

        inspect_rnn("hidden", run, "the time machine").states
        inspect_rnn("match", run, "the time", corpus, MatchConfig(span="4:8"))
        inspect_rnn("batches", batches)

    Parameters
    ----------
    view
        A name of `INSPECTORS`.
    *things
        The things that its ``needs`` name, then its options, if any.

    Returns
    -------
    Trace
        The view; the docstring of its class lists the arrays and their shapes.

    Raises
    ------
    ConfigError
        If there is no such view.
    InspectionError
        If this model or text does not allow the view.

    Examples
    --------
    >>> inspect_rnn("hidden", run, "tick").states.shape  # (num_layers, num_tokens, num_hiddens)
    (1, 4, 16)
    """
    check_choice("view", view, INSPECTORS)
    check_fork()
    return INSPECTORS[view].inspect(*things)
