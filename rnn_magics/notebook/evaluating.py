"""``%evaluate_rnn``: runs against texts."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from IPython.core.magic import line_magic, magics_class

from rnn_magics.notebook import declare
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.command import command
from rnn_magics.notebook.group import SessionMagics

if TYPE_CHECKING:
    from rnn_magics.text.corpus import Corpus
    from rnn_magics.training.honest import TextEvaluation


@magics_class
class EvaluatingMagics(SessionMagics):
    """Magics that score texts."""

    @line_magic
    @command(declare.evaluate_rnn)
    def evaluate_rnn(
        self, options: argparse.Namespace, _cell: str | None = None
    ) -> list[TextEvaluation] | TextEvaluation | None:
        """Score a text with a run: the session's held-out text, a built-in one, or files.

        ::

            %evaluate_rnn
            %evaluate_rnn time_machine my_notes.txt --run all
        """
        names = list(self.session.runs) if getattr(options, "run", None) == "all" else []
        run = self.session.require_run(None if names else getattr(options, "run", None))
        runs = [self.session.require_run(name) for name in names] or [run]
        args = (Named("run", run), Named("corpus", self.session.require_corpus()))
        if self.explains(options, Call("evaluation", "evaluate_text", args)):
            return None
        self.session.refuse_while_training("%evaluate_rnn")
        corpora = self._corpora(getattr(options, "source", []))
        found = [Call("", "evaluate_text", (r, c))() for r in runs for c in corpora]
        return found[0] if len(found) == 1 else found

    def _corpora(self, sources: list[str]) -> list[Corpus]:
        from rnn_magics.text.corpus import Corpus  # noqa: PLC0415  (numpy on demand)

        own = self.session.require_corpus()
        # Cleaned as the session's text is, and all of it: none of it was trained on.
        config = replace(own.config, valid=0.0)
        return [Corpus.load(source, config) for source in sources] or [own]
