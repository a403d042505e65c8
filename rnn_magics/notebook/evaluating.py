"""``%evaluate_rnn``: runs against texts."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from IPython.core.magic import line_magic, magics_class

from rnn_magics.errors import SessionError
from rnn_magics.notebook import declare
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.command import command
from rnn_magics.notebook.group import SessionMagics

if TYPE_CHECKING:
    from rnn_magics.reports.honest import Evaluations, TextEvaluation
    from rnn_magics.reports.mixture import MixtureEvaluation
    from rnn_magics.text.corpus import Corpus, CorpusConfig
    from rnn_magics.training.run import Run


@magics_class
class EvaluatingMagics(SessionMagics):
    """Magics that score texts."""

    @line_magic
    @command(declare.evaluate_rnn)
    def evaluate_rnn(
        self, options: argparse.Namespace, _cell: str | None = None
    ) -> Evaluations | TextEvaluation | MixtureEvaluation | None:
        """Score texts with runs: the session's held-out text, built-in ones, or files.

        ::

            %evaluate_rnn
            %evaluate_rnn time_machine my_notes.txt --run all
            %evaluate_rnn --ngram 7
        """
        runs, sources = self._runs(getattr(options, "run", None)), getattr(options, "source", [])
        if (order := getattr(options, "ngram", None)) is not None:
            return self._mix(options, runs, sources, order)
        config = self._cleaning()
        loading = [Call(f"text_{i}", "Corpus.load", (s, config)) for i, s in enumerate(sources, 1)]
        texts: dict[str, Corpus | None]
        texts = {call.result: None for call in loading} or {"corpus": self.session.require_corpus()}
        if self.explains(options, *loading, _scoring(runs, texts)):
            return None
        self.session.refuse_while_training("%evaluate_rnn")
        texts |= {call.result: call() for call in loading}
        found: Evaluations | TextEvaluation = _scoring(runs, texts)()
        if self.session.corpus is None:
            print("no corpus in this session: the texts were read as they are, not cleaned")
        return found

    def _mix(
        self, options: argparse.Namespace, runs: list[Run], sources: list[str], order: int
    ) -> MixtureEvaluation | None:
        if sources or len(runs) > 1:
            msg = "--ngram scores one run on the held-out part of its own text: no TEXT, one --run"
            raise SessionError(msg)
        given = Named("run", runs[0]), Named("corpus", self.session.require_corpus())
        mixing = Call("evaluation", "evaluate_mixture", given, {"order": order})
        if self.explains(options, mixing):
            return None
        self.session.refuse_while_training("%evaluate_rnn")
        found: MixtureEvaluation = mixing()
        return found

    def _runs(self, name: str | None) -> list[Run]:
        newest = self.session.require_run(None if name == "all" else name)
        return list(self.session.runs.values()) if name == "all" else [newest]

    def _cleaning(self) -> CorpusConfig:
        # As the session's text is cleaned, and all of it: none of it was trained on.
        from rnn_magics.text.corpus import CorpusConfig  # noqa: PLC0415  (numpy on demand)

        own = self.session.corpus
        config = CorpusConfig() if own is None else own.config
        return replace(config, valid=0.0, max_tokens=None)


def _scoring(runs: list[Run], texts: Mapping[str, Corpus | None]) -> Call:
    # To be shown, the texts need only their names.
    if len(runs) == 1 == len(texts):
        ((name, corpus),) = texts.items()
        return Call("evaluation", "evaluate_text", (Named("run", runs[0]), Named(name, corpus)))
    several = Named("runs" if len(runs) > 1 else "[run]", runs)
    corpora = Named(f"[{', '.join(texts)}]", list(texts.values()))
    return Call("evaluations", "evaluate_texts", (several, corpora))
