"""A run that adapts to what it reads, counts of its text, and their mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_magics.errors import BatchError, ConfigError
from rnn_magics.language import say
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.ngram import Floats
from rnn_magics.models.sentences import fit_text, text_log_probs
from rnn_magics.reports.texts import (
    MEASURES,
    Part,
    TextEvaluation,
    describe_score,
    part_to_score,
    require_reader,
)
from rnn_magics.results import Result
from rnn_magics.scores.adaptive import AdaptConfig, Adapted, iter_adapt
from rnn_magics.scores.evaluation import Evaluation, TokenScores, token_scores
from rnn_magics.tables import aligned
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.progress import ReadingProgress, Watch
from rnn_magics.text.statistics import require_countable
from rnn_magics.text.vocab import Ids, encode_corpus
from rnn_magics.training.run import Run

SURE = (0.3, 0.5, 0.7, 0.9, 0.97)
"""Where the greatest probability that a model gives to any token changes the kind of a place."""


@dataclass(frozen=True, repr=False)
class MixtureEvaluation(Result):
    """What a run and other models make of a text: each by itself, and all of them together.

    Parameters
    ----------
    run
        The run as it was trained.
    learning
        The run that goes on learning as it reads; None if it does not.
    ngram
        The n-gram model; None without one.
    mixture
        The linear interpolation of the run (the one that goes on learning, if it does) with the
        others, over the same tokens; the last row by itself if there are no others. A cache is a
        part of the mixture only: by itself it knows nothing but what it has read.
    weights
        The models of the mixture by name, with their weights behind the last token, which sum to 1;
        empty where nothing is mixed. See `interpolate`.
    adapting
        How the run adapts to the text.
    """

    run: TextEvaluation
    learning: TextEvaluation | None
    ngram: TextEvaluation | None
    mixture: TextEvaluation
    weights: tuple[tuple[str, float], ...]
    adapting: AdaptConfig

    @property
    def rows(self) -> tuple[TextEvaluation, ...]:
        """All of them, the mixture last."""
        each = self.run, self.learning, self.ngram
        known = tuple(row for row in each if row is not None)
        return known if self.mixture is known[-1] else (*known, self.mixture)

    @property
    def weight(self) -> float:
        """The weight of the last model, behind the last token."""
        return self.weights[-1][1]

    @property
    def depends(self) -> list[str]:
        """What the figures depend on, besides the text and the run."""
        said = []
        if self.learning is not None:
            said.append(
                say(
                    "what learns takes a step behind each {number:,} tokens, at a learning rate of"
                    " {lr:g}, and is pulled back to the trained weights by {pull:g}",
                    number=self.adapting.dynamic_steps,
                    lr=self.adapting.dynamic_lr,
                    pull=self.adapting.dynamic_decay,
                )
            )
        if self.weights:
            ends = [
                say("{weight:.2f} for {model}", weight=weight, model=name)
                for name, weight in self.weights
            ]
            said.append(
                say(
                    "the weights begin the same, follow from the tokens already read, and end at"
                    " {weights}",
                    weights=say(", ").join(ends),
                )
            )
        return said

    def __repr__(self) -> str:
        """Return a line for each model, then what they depend on."""
        over = say(
            "over {num_tokens:,} tokens, state {state}",
            num_tokens=self.run.score.num_tokens,
            state=say(self.run.score.state),
        )
        return f"{evaluations_table(self.rows)}\n{say('; ').join([over, *self.depends])}"


def evaluate_mixture(
    run: Run,
    corpus: Corpus,
    order: int | None = None,
    adapting: AdaptConfig | None = None,
    *,
    as_is: bool = False,
    watch: Watch | None = None,
) -> MixtureEvaluation:
    """Score a text with a run, with what adapts to the text or counts, and with their mixture.

    Nothing is fitted to the text ahead of reading it: what a run learns from a token, what a cache
    keeps of it, and the weights of the mixture (see `interpolate`) count from the next segment, or
    token, on. The weights of the run itself are not changed.

    Parameters
    ----------
    run
        Of a model that reads from left to right.
    corpus
        The text; as in `evaluate_text`, its held-out part, or all where it has none.
    order
        The length of the longest n-grams, 1 to 12, of an interpolated modified Kneser-Ney model
        (`fit_text`) that is counted on the training part; `corpus` is then the text of the run. A
        recurrent model mixed with Kneser-Ney counts is what Mikolov et al. (2010) report.
    adapting
        How the run adapts: dynamic evaluation (Krause et al. 2018), a cache (Grave et al. 2017).
    as_is
        Takes the text as it is, rather than cleaned as that of the run was.
    watch
        Is told how far a run that adapts has read.

    Raises
    ------
    BatchError
        When the run sees the future or as `evaluate_text`; with an order also when the run was
        trained on another text or another part of it, or nothing is held out.
    ModelError
        When the order is out of range, or the training text shorter than one n-gram, or learning
        makes a weight infinite.
    CorpusError
        When the training text is too long to be counted in memory.
    """
    adapting = adapting or AdaptConfig()
    part = part_to_score(run, corpus, as_is=as_is)
    if run.config.model.bidirectional:
        msg = say(
            "run {run!r} is bidirectional: it sees each token before it predicts it, so it can"
            " neither adapt nor be mixed with others; train one without --bidirectional",
            run=run.name,
        )
        raise BatchError(msg)
    if order is None and not adapting.adapts:
        msg = say("a mixture needs more than the run: an order of n-grams, or a way to adapt")
        raise ConfigError(msg)
    counted = None if order is None else _counted(run, part.corpus, order)

    def row(model: _Model, state: str = run.state_rule) -> TextEvaluation:
        score = Evaluation(-float(model.log_probs.mean()), len(model.log_probs), state)
        told = describe_score(run, part.corpus.name, part.name, score, part.counts)
        return replace(told, run=model.name)

    base = _Model.of(run.name, token_scores(run.model, part.ids))
    alone, learning, ngram = row(base), None, None
    others: list[_Model] = []
    if adapting.adapts:
        adapted = _adapted(run, part, adapting, watch)
        if adapting.dynamic:
            base = _Model.of(say("{run}, learning", run=run.name), adapted.model)
            learning = row(base)
        if adapted.cache is not None:
            others.append(_Model.of(say("cache of {n:,}", n=adapting.cache), adapted.cache))
    if counted is not None:
        others.append(_Model(say("{order}-gram", order=order), counted))
        ngram = row(others[-1], say("of {number} tokens", number=(order or 1) - 1))
    models = [base, *others]
    if not others:
        return MixtureEvaluation(alone, learning, ngram, learning or alone, (), adapting)
    logs = [model.log_probs for model in models]
    both = interpolate(*logs, kinds=_kinds(models))
    mixture = row(_Model(" + ".join(model.name for model in models), both.log_probs))
    weights = zip((model.name for model in models), both.weights, strict=True)
    return MixtureEvaluation(alone, learning, ngram, mixture, tuple(weights), adapting)


@dataclass(frozen=True)
class _Model:
    # One model of a mixture: its log-probabilities, and how sure it is where that is known.
    name: str
    log_probs: Floats
    greatest: Floats | None = None

    @classmethod
    def of(cls, name: str, scores: TokenScores) -> _Model:
        return cls(name, scores.log_probs.cpu().numpy(), scores.greatest.cpu().numpy())


def _kinds(models: Sequence[_Model]) -> Ids:
    # Places in which the models are as sure are of one kind.
    kinds: Ids = np.zeros(len(models[0].log_probs), np.int64)
    for model in models:
        if model.greatest is not None:
            kinds = kinds * (len(SURE) + 1) + np.searchsorted(SURE, model.greatest)
    return kinds


def _adapted(run: Run, part: Part, adapting: AdaptConfig, watch: Watch | None) -> Adapted:
    slices, total = iter_adapt(run.model, part.ids, adapting), len(part.ids) - 1
    while not isinstance(found := next(slices), Adapted):
        if watch is not None:
            watch(ReadingProgress(part.corpus.name, found, total))
    return found


def _counted(run: Run, corpus: Corpus, order: int) -> Floats:
    # What counting the training part makes of the held-out part.
    if run.corpus is None or run.corpus[1] != corpus.fingerprint:
        msg = say(
            "run {run!r} was not trained on {corpus!r}: a mixture counts the"
            " training text and scores what was held out of it; type the"
            " %corpus of that run again",
            run=run.name,
            corpus=corpus.name,
        )
        raise BatchError(msg)
    vocab = require_reader(run, corpus)
    encoded = encode_corpus(corpus, vocab)
    if len(encoded.valid) < 2:  # noqa: PLR2004  (one token to read and one to predict)
        msg = say(
            "nothing is held out of {corpus!r} to score: %corpus ... --valid 0.1",
            corpus=corpus.name,
        )
        raise BatchError(msg)
    if (len(encoded.train), len(encoded.valid)) != (run.num_train_tokens, run.num_valid_tokens):
        msg = say(
            "{corpus!r} is now split or shortened in another way than for run"
            " {run!r}, whose training text would be scored as held out; type"
            " the %corpus of that run again",
            corpus=corpus.name,
            run=run.name,
        )
        raise BatchError(msg)
    require_countable(corpus, len(encoded.train))
    model = fit_text(encoded.train, len(vocab), order, vocab.marks)
    return text_log_probs(model, encoded.valid, vocab.marks)


def evaluations_table(found: Sequence[TextEvaluation]) -> str:
    """Return what was found of one text, a line each and a column for each measure."""
    shown = {name: [measure(row) for row in found] for name, measure in MEASURES.items()}
    told = {say(name): cells for name, cells in shown.items() if any(cells)}
    head = (found[0].source, *told)
    return aligned([head, *zip([row.run for row in found], *told.values(), strict=True)])
