"""A run and counting together: what the mean of their probabilities makes of held-out text."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from rnn_magics.errors import BatchError
from rnn_magics.language import marked, say
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.ngram import Floats
from rnn_magics.models.sentences import fit_text, text_log_probs
from rnn_magics.reports.texts import (
    TextEvaluation,
    describe_score,
    evaluations_table,
    require_reader,
)
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import Evaluation, token_log_probs
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.statistics import require_countable
from rnn_magics.text.vocab import encode_corpus
from rnn_magics.training.run import Run


@dataclass(frozen=True, repr=False)
class MixtureEvaluation(Result):
    """What a run, an n-gram model of its training text, and both together make of held-out text.

    Parameters
    ----------
    run, ngram, mixture
        Each by itself, and the linear interpolation of the two, over the same tokens.
    weight
        Of the n-gram model behind the last token, in (0, 1); see `interpolate`.
    """

    run: TextEvaluation
    ngram: TextEvaluation
    mixture: TextEvaluation
    weight: float

    @property
    def rows(self) -> tuple[TextEvaluation, TextEvaluation, TextEvaluation]:
        """The three."""
        return self.run, self.ngram, self.mixture

    def __repr__(self) -> str:
        """Return a line for each of the three, then what they depend on."""
        depends = say(
            "over {num_tokens:,} tokens, state {state}; the weight of the"
            " {ngram} begins at 0.5, follows from the tokens already read, and"
            " ends at {weight:.2f}",
            num_tokens=self.run.score.num_tokens,
            state=say(self.run.score.state),
            ngram=self.ngram.run,
            weight=self.weight,
        )
        return f"{evaluations_table(self.rows)}\n{depends}"


def evaluate_mixture(run: Run, corpus: Corpus, order: int) -> MixtureEvaluation:
    """Score the held-out part of a run's text with the run, an n-gram model, and their mixture.

    The n-gram model is the interpolated modified Kneser-Ney model of `fit_text`, counted on the
    training part. Nothing is fitted to the held-out part (see `interpolate`). A recurrent model
    mixed with Kneser-Ney counts is what Mikolov et al. (2010) report.

    Parameters
    ----------
    run
        Of a model that reads from left to right.
    corpus
        The text that it was trained on, with its held-out part.
    order
        The length of the longest n-grams, 1 to 12.

    Raises
    ------
    BatchError
        When the run was trained on another text or another part of it, or sees the future, or
        nothing is held out.
    ModelError
        When the order is out of range, or the training text shorter than one n-gram.
    CorpusError
        When the training text is too long to be counted in memory.
    """
    vocab = require_reader(run, corpus)
    corpus = corpus_as(run.reading, corpus)
    if run.corpus is None or run.corpus[1] != corpus.fingerprint:
        msg = say(
            "run {run!r} was not trained on {corpus!r}: a mixture counts the"
            " training text and scores what was held out of it; type the"
            " %corpus of that run again",
            run=run.name,
            corpus=corpus.name,
        )
        raise BatchError(msg)
    if run.config.model.bidirectional:
        msg = say(
            "run {run!r} is bidirectional: it sees the token that counting would predict",
            run=run.name,
        )
        raise BatchError(msg)
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
    counted = text_log_probs(model, encoded.valid, vocab.marks)
    ids = torch.from_numpy(np.asarray(encoded.valid, np.int64))
    device = next(run.model.parameters()).device
    own: Floats = token_log_probs(run.model, ids.to(device)).cpu().numpy()
    both, name = interpolate(own, counted), say("{order}-gram", order=order)
    scores = [
        Evaluation(-float(log_probs.mean()), len(log_probs), state)
        for log_probs, state in (
            (own, run.state_rule),
            (counted, say("of {number} tokens", number=order - 1)),
            (both.log_probs, run.state_rule),
        )
    ]
    alone = describe_score(run, corpus.name, marked("held-out part"), scores[0], run.valid_counts)
    return MixtureEvaluation(
        alone,
        replace(alone, run=name, score=scores[1]),
        replace(alone, run=f"{run.name} + {name}", score=scores[2]),
        both.weight,
    )
