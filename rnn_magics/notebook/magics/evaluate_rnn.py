"""``%evaluate_rnn``: scores texts with runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnn_magics.errors import SessionError
from rnn_magics.notebook.line.call import Call, result_of, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, run_option, word
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.options import AT_LEAST_ONE, option
from rnn_magics.reports.mixture import MixtureEvaluation, evaluate_mixture
from rnn_magics.reports.texts import Evaluations, TextEvaluation, evaluate_text, evaluate_texts
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.training.run import Run


@dataclass(frozen=True, kw_only=True, repr=False)
class EvaluateOptions(LineOptions):
    """The options of ``%evaluate_rnn``."""

    source: tuple[str, ...] = option((), "built-in texts or files", metavar="TEXT", spelling=word())
    run: str | None = run_option("which run, or all (default: the newest)")
    ngram: int | None = option(
        None,
        "also mix the run with an n-gram model of its training text, of this order, e.g. 7",
        within=AT_LEAST_ONE,
        metavar="ORDER",
    )


def calls(desk: Desk, options: EvaluateOptions) -> Sequence[Call[Any]]:
    """Return the library calls behind ``%evaluate_rnn``: read the texts, then score them.

    Raises
    ------
    SessionError
        If there is no run with that name, or ``--ngram`` is given with a text or several runs.
    """
    session, runs = desk.session, _runs(desk.session, options.run)
    if options.ngram is not None:
        return [_mixing_call(session, runs, options.source, options.ngram)]
    config = _cleaning(session)
    loading = [
        Call.of(f"text_{number}", Corpus.load, source, config)
        for number, source in enumerate(options.source, start=1)
    ]
    texts = [*map(result_of, loading)] or [variable("corpus", session.require_corpus())]
    return [*loading, _scoring_call(runs, texts)]


def _mixing_call(
    session: Session, runs: list[Run], sources: Sequence[str], order: int
) -> Call[MixtureEvaluation]:
    if sources or len(runs) > 1:
        msg = "--ngram scores one run on its own held-out text: leave TEXT out, and name one --run"
        raise SessionError(msg)
    return Call.of("evaluation", evaluate_mixture, runs[0], session.require_corpus(), order=order)


def _scoring_call(runs: list[Run], texts: list[Corpus]) -> Call[TextEvaluation] | Call[Evaluations]:
    if len(runs) == 1 == len(texts):
        return Call.of("evaluation", evaluate_text, runs[0], texts[0])
    several = variable("runs" if len(runs) > 1 else "[run]", runs)
    return Call.of("evaluations", evaluate_texts, several, texts)


def _runs(session: Session, name: str | None) -> list[Run]:
    newest = session.require_run(None if name == "all" else name)
    return list(session.runs.values()) if name == "all" else [newest]


def _cleaning(session: Session) -> CorpusConfig:
    # Texts are cleaned like the corpus of the session, and scored whole: no part trained the model.
    config = CorpusConfig() if session.corpus is None else session.corpus.config
    return replace(config, valid=0.0, max_tokens=None)


def evaluate_rnn(
    desk: Desk, options: EvaluateOptions
) -> Evaluations | TextEvaluation | MixtureEvaluation:
    """Score texts with runs: the session's held-out text, built-in texts, or files.

    ::

        %evaluate_rnn
        %evaluate_rnn time_machine my_notes.txt --run all
        %evaluate_rnn --ngram 7
    """
    *_loading, scoring = calls(desk, options)
    desk.session.refuse_while_training("%evaluate_rnn")
    found: Evaluations | TextEvaluation | MixtureEvaluation = scoring()
    if desk.session.corpus is None:
        print("no corpus in this session: the texts were read as they are, not cleaned")
    return found


MAGIC = Magic(EvaluateOptions, evaluate_rnn, calls)
