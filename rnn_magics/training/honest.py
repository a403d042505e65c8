"""Perplexity of any text under a run, with everything that the number depends on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rnn_magics.errors import BatchError
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.ids import Ids
from rnn_magics.text.tokenizers import TOKENIZERS, UNK
from rnn_magics.text.vocab import Vocab, encode_corpus
from rnn_magics.training.evaluation import Evaluation, evaluate, perplexity
from rnn_magics.training.run import Run
from rnn_magics.training.tables import aligned


@dataclass(frozen=True, repr=False)
class TextEvaluation:
    """What a run makes of a text.

    Parameters
    ----------
    run, text
        Their names.
    part
        ``held-out part`` or ``whole text``.
    token
        The kind of token, ``char`` or ``word``.
    score
        Mean nats, their number, and the state rule.
    unk_share
        The share of tokens that the vocabulary does not have.
    num_words
        Runs of characters without white space that begin after the first character; None
        where tokens are no characters.
    """

    run: str
    text: str
    part: str
    token: str
    score: Evaluation
    unk_share: float
    num_words: int | None

    @property
    def perplexity(self) -> float:
        """Exp of the mean over tokens."""
        return self.score.perplexity

    @property
    def word_perplexity(self) -> float | None:
        """Exp of the nats of all characters, white space too, over the number of words."""
        if not self.num_words:
            return None
        return perplexity(self.score.nats * self.score.num_tokens / self.num_words)

    def __repr__(self) -> str:
        """One line for the number, one for what it depends on."""
        words = self.word_perplexity
        per_word = "" if words is None else f", {words:,.1f} per word"
        return (
            f"{self.run} on {self.text} ({self.part}): perplexity {self.perplexity:.3f},"
            f" {self.score.bits:.3f} bits per {self.token}{per_word}\n"
            f"  over {self.score.num_tokens:,} tokens, state {self.score.state},"
            f" {self.unk_share:.2%} of the tokens read as {UNK}"
        )


def _per_word(found: TextEvaluation) -> str:
    words = found.word_perplexity
    return "" if words is None else f"{words:,.1f}"


MEASURES: dict[str, Callable[[TextEvaluation], str]] = {
    "perplexity": lambda found: f"{found.perplexity:.3f}",
    "bits per token": lambda found: f"{found.score.bits:.3f}",
    "perplexity per word": _per_word,
    f"read as {UNK}": lambda found: f"{found.unk_share:.2%}",
}
"""What is told of each run on each text, by what its matrix is called."""


@dataclass(frozen=True, repr=False)
class Evaluations(Sequence[TextEvaluation]):
    """What several runs make of several texts: all that was found, run by run.

    Parameters
    ----------
    rows
        A row for each run, with an evaluation for each text.
    """

    rows: tuple[tuple[TextEvaluation, ...], ...]

    def __len__(self) -> int:
        """Return the number of evaluations."""
        return sum(map(len, self.rows))

    def __getitem__(self, place: Any) -> Any:
        """Return one evaluation, or those of a slice."""
        return list(itertools.chain.from_iterable(self.rows))[place]

    def __iter__(self) -> Iterator[TextEvaluation]:
        """Yield the evaluations, run by run."""
        return itertools.chain.from_iterable(self.rows)

    def __repr__(self) -> str:
        """Return a matrix of runs and texts for each measure, then what they depend on."""
        texts = [f"{found.text} ({found.part})" for found in self.rows[0]]
        lines: list[Sequence[str]] = []
        for name, shown in MEASURES.items():
            values = [[row[0].run, *map(shown, row)] for row in self.rows]
            if any(any(cells[1:]) for cells in values):
                lines += [(name, *texts), *values]
        states = ", ".join(sorted({found.score.state for found in self}))
        return (
            f"{aligned(lines)}\nexp of the mean over all tokens of a text but one, state {states}"
        )


def evaluate_text(run: Run, corpus: Corpus) -> TextEvaluation:
    """Score a text with the vocabulary of a run: its held-out part, or all where it has none.

    Raises
    ------
    BatchError
        When the run has no vocabulary, the text is not of the kind that it reads, or the text
        has fewer than two tokens.
    """
    vocab = _reader(run, corpus)
    encoded = encode_corpus(corpus, vocab)
    held_out = len(encoded.valid) > 0
    ids = np.asarray(encoded.valid if held_out else encoded.train, np.int64)
    on_device = torch.from_numpy(ids).to(next(run.model.parameters()).device)
    return TextEvaluation(
        run.name,
        corpus.name,
        "held-out part" if held_out else "whole text",
        vocab.token,
        evaluate(run.model, on_device),
        encoded.valid_unk_share if held_out else encoded.train_unk_share,
        count_words(ids, vocab) if vocab.token == "char" else None,
    )


def evaluate_texts(runs: Sequence[Run], corpora: Sequence[Corpus]) -> Evaluations:
    """Score each text with each run.

    Raises
    ------
    BatchError
        When there is no run or no text, or as `evaluate_text` does; before anything is scored
        where a run cannot read a text.
    """
    if not runs or not corpora:
        msg = f"a matrix needs a run and a text, not {len(runs)} runs and {len(corpora)} texts"
        raise BatchError(msg)
    for run, corpus in itertools.product(runs, corpora):
        _reader(run, corpus)
    return Evaluations(tuple(tuple(evaluate_text(run, c) for c in corpora) for run in runs))


def _reader(run: Run, corpus: Corpus) -> Vocab:
    # The vocabulary that reads the text; refuses a text that is of another kind.
    vocab = run.vocab
    if vocab is None:
        msg = f"run {run.name!r} has no vocabulary to read other texts with: train it on a corpus"
        raise BatchError(msg)
    if vocab.token not in TOKENIZERS:
        msg = (
            f"run {run.name!r} reads tokens of {vocab.token!r}, which is no tokenizer here"
            f" ({', '.join(TOKENIZERS)}); register it in TOKENIZERS as it was for the training"
        )
        raise BatchError(msg)
    if corpus.is_text == (vocab.token == "given"):
        has, reads = ("text", "given tokens") if corpus.is_text else ("given tokens", "text")
        msg = (
            f"run {run.name!r} reads {reads} ({vocab.token} tokens), but {corpus.name!r} is {has};"
            f" evaluate it on {reads}: %corpus {'--data NAME' if corpus.is_text else 'PATH'}"
        )
        raise BatchError(msg)
    return vocab


def count_words(ids: Ids, vocab: Vocab) -> int:
    """Count the words of character indices that begin after the first character."""
    tokens = vocab.to_tokens(list(range(len(vocab))))
    is_space = np.array([str(token).isspace() for token in tokens])[ids]
    return int((is_space[:-1] & ~is_space[1:]).sum())
