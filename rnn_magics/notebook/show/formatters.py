"""How results are shown: rich in a notebook, plain text elsewhere.

The library returns plain objects; this module says what a notebook shows for each. Formatters are
registered by class name, and the code of a formatter is imported when an object is shown, so
loading the extension imports neither.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.interrupts import whole_imports
from rnn_magics.notebook.show.escape import visible


def _made_by(place: str) -> Callable[[Any], str]:
    # A function of this package, imported when it is called.
    module, name = place.split(":")

    def make(thing: Any) -> str:
        form: str = getattr(import_module(f"{__package__}.{module}"), name)(thing)
        return form

    return make


_HTML: dict[tuple[str, str], Callable[[Any], str]] = {
    ("rnn_magics.text.corpus", "Corpus"): _made_by("texts:corpus_html"),
    ("rnn_magics.text.vocab", "Vocab"): _made_by("texts:vocab_html"),
    ("rnn_magics.training.run", "Run"): _made_by("runs:run_html"),
    ("rnn_magics.inspection.novelty", "Novelty"): _made_by("novelty:novelty_html"),
}
_PLAIN: dict[tuple[str, str], Callable[[Any], str]] = {
    ("rnn_magics.text.corpus", "Corpus"): repr,
    ("rnn_magics.text.vocab", "Vocab"): repr,
    ("rnn_magics.training.run", "Run"): repr,
    ("rnn_magics.reports.seeds", "SeedRuns"): repr,
    ("rnn_magics.reports.honest", "TextEvaluation"): repr,
    ("rnn_magics.reports.honest", "Evaluations"): repr,
    ("rnn_magics.reports.honest", "RunReport"): repr,
    ("rnn_magics.decoding.generate", "Generation"): repr,
    ("rnn_magics.batching", "Batches"): _made_by("texts:batches_text"),
    ("rnn_magics.batching", "BatchPreview"): _made_by("texts:preview_text"),
    ("rnn_magics.decoding.score", "Score"): _made_by("decoded:score_text"),
    ("rnn_magics.inspection.views.hidden", "Hidden"): repr,
    ("rnn_magics.inspection.views.gates", "Gates"): repr,
    ("rnn_magics.inspection.views.surprise", "Surprise"): repr,
    ("rnn_magics.inspection.views.gradient", "Gradient"): repr,
    ("rnn_magics.inspection.views.match", "Match"): repr,
    ("rnn_magics.inspection.views.units", "Units"): repr,
    ("rnn_magics.inspection.views.windows", "Windows"): repr,
    ("rnn_magics.inspection.epochs", "Epochs"): repr,
    ("rnn_magics.inspection.novelty", "Novelty"): _made_by("novelty:novelty_text"),
}


def register_formatters(shell: InteractiveShell) -> None:
    """Teach a shell how to show our objects."""
    formatters = _formatters(shell)
    for (module, name), rich in _HTML.items():
        formatters["text/html"].for_type_by_name(module, name, whole_imports()(rich))
    for (module, name), plain in _PLAIN.items():
        formatters["text/plain"].for_type_by_name(module, name, _pretty(plain))


def unregister_formatters(shell: InteractiveShell) -> None:
    """Undo `register_formatters`."""
    formatters = _formatters(shell)
    for mime, known in (("text/html", _HTML), ("text/plain", _PLAIN)):
        for module, name in known:
            formatters[mime].pop(f"{module}.{name}", None)


def _formatters(shell: InteractiveShell) -> Any:
    # IPython types it as optional, but every shell has one.
    return shell.display_formatter.formatters  # type: ignore[union-attr]


def _pretty(plain: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    @whole_imports()
    def write(thing: Any, printer: Any, _cycle: bool) -> None:  # noqa: FBT001  (IPython's signature)
        printer.text(visible(plain(thing)))

    return write
