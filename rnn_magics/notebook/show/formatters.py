"""How results are shown: rich in a notebook, plain text elsewhere.

Every result of the library has a `repr` that is safe to print (`rnn_magics.results`). This module
adds the forms that show more. Formatters are registered by class name, and their code is imported
when an object is shown, so loading the extension imports nothing for objects that nobody makes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.interrupts import whole_imports
from rnn_magics.results import visible


def _made_by(place: str) -> Callable[[Any], Any]:
    # A function of this package, imported when it is called.
    module, name = place.split(":")

    def make(thing: Any) -> Any:
        return getattr(import_module(f"{__package__}.{module}"), name)(thing)

    return make


def _fitting(thing: Any) -> str:
    # The words of a result, each line broken where it does not fit a terminal.
    from rnn_magics.tables import fitting  # noqa: PLC0415  (needed when something is shown)

    return fitting(repr(thing))


def _pretty(plain: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    @whole_imports()
    def write(thing: Any, printer: Any, _cycle: bool) -> None:  # noqa: FBT001  (IPython's signature)
        printer.text(visible(plain(thing)))

    return write


_BUNDLE = "bundle"  # several forms at once
_FORMS: dict[str, dict[tuple[str, str], Callable[[Any], Any]]] = {
    _BUNDLE: {
        ("rnn_magics.reports.comparison", "Comparison"): _made_by("comparison:comparison_bundle"),
    },
    "text/html": {
        ("rnn_magics.text.corpus", "Corpus"): _made_by("texts:corpus_html"),
        ("rnn_magics.text.vocab", "Vocab"): _made_by("texts:vocab_html"),
        ("rnn_magics.batching", "Batches"): _made_by("texts:batches_html"),
        ("rnn_magics.training.run", "Run"): _made_by("runs:run_html"),
        ("rnn_magics.inspection.novelty", "Novelty"): _made_by("novelty:novelty_html"),
        ("rnn_magics.inspection.diagnosis", "Diagnosis"): _made_by("rich.reports:diagnosis_html"),
        ("rnn_magics.scores.ladder", "Ladder"): _made_by("rich.reports:ladder_html"),
        ("rnn_magics.reports.texts", "TextEvaluation"): _made_by("rich.reports:evaluation_html"),
        ("rnn_magics.reports.texts", "Evaluations"): _made_by("rich.reports:evaluations_html"),
        ("rnn_magics.reports.mixture", "MixtureEvaluation"): _made_by("rich.reports:mixture_html"),
        ("rnn_magics.reports.seeds", "SeedRuns"): _made_by("rich.reports:seeds_html"),
        ("rnn_magics.sweeps.sweep", "SweepRuns"): _made_by("rich.sweeps:sweep_html"),
        ("rnn_magics.sweeps.kept", "KeptSweeps"): _made_by("rich.sweeps:kept_sweeps_html"),
        ("rnn_magics.decoding.score", "Score"): _made_by("rich.decoded:score_html"),
        ("rnn_magics.decoding.generate", "Generation"): _made_by("written:generation_html"),
        (f"{__package__}.decoded", "Generations"): _made_by("rich.decoded:generations_html"),
        (f"{__package__}.status", "Status"): _made_by("rich.session:status_html"),
        (f"{__package__}.status", "KeptRuns"): _made_by("rich.session:kept_html"),
    },
    "text/plain": {
        ("rnn_magics.inspection.views.trace", "Trace"): _fitting,
        ("rnn_magics.reports.mixture", "MixtureEvaluation"): _fitting,
        ("rnn_magics.reports.texts", "TextEvaluation"): _fitting,
        ("rnn_magics.scores.ladder", "Ladder"): _fitting,
        ("rnn_magics.training.run", "Run"): _fitting,
        ("rnn_magics.decoding.generate", "Generation"): _fitting,
        ("rnn_magics.batching", "Batches"): _made_by("texts:batches_text"),
        ("rnn_magics.preview", "BatchPreview"): _made_by("texts:preview_text"),
        ("rnn_magics.decoding.score", "Score"): _made_by("decoded:score_text"),
        ("rnn_magics.inspection.novelty", "Novelty"): _made_by("novelty:novelty_text"),
    },
}
_AS_IPYTHON_CALLS: dict[str, Callable[..., Any]] = {
    _BUNDLE: whole_imports(),
    "text/html": whole_imports(),
    "text/plain": _pretty,
}


def register_formatters(shell: InteractiveShell) -> None:
    """Teach a shell how to show our objects."""
    for mime, forms in _FORMS.items():
        formatter = _formatter(shell, mime)
        for (module, name), form in forms.items():
            formatter.for_type_by_name(module, name, _AS_IPYTHON_CALLS[mime](form))


def unregister_formatters(shell: InteractiveShell) -> None:
    """Undo `register_formatters`."""
    for mime, forms in _FORMS.items():
        formatter = _formatter(shell, mime)
        for module, name in forms:
            formatter.pop(f"{module}.{name}", None)


def _formatter(shell: InteractiveShell, mime: str) -> Any:
    formatter: Any = shell.display_formatter  # typed as optional, but every shell makes one
    return formatter.mimebundle_formatter if mime == _BUNDLE else formatter.formatters[mime]
