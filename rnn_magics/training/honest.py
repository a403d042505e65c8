"""Perplexity of any text under a run, with everything that the number depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rnn_magics.errors import BatchError
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.ids import Ids
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab, encode_corpus
from rnn_magics.training.evaluation import Evaluation, evaluate, perplexity
from rnn_magics.training.run import Run


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


def evaluate_text(run: Run, corpus: Corpus) -> TextEvaluation:
    """Score a text with the vocabulary of a run: its held-out part, or all where it has none.

    Raises
    ------
    BatchError
        When the run has no vocabulary, or the text has fewer than two tokens.
    """
    vocab = run.vocab
    if vocab is None:
        msg = f"run {run.name!r} has no vocabulary to read other texts with: train it on a corpus"
        raise BatchError(msg)
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


def count_words(ids: Ids, vocab: Vocab) -> int:
    """Count the words of character indices that begin after the first character."""
    tokens = vocab.to_tokens(list(range(len(vocab))))
    is_space = np.array([str(token).isspace() for token in tokens])[ids]
    return int((is_space[:-1] & ~is_space[1:]).sum())
