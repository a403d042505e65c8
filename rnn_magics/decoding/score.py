"""The score of a text: how much each token surprises a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rnn_magics.decoding.prefix import Trained, as_read, named_unknown, read_prefix, vocab_of
from rnn_magics.digits import rounded
from rnn_magics.errors import DecodingError
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity


@dataclass(frozen=True, repr=False)
class Score(Result):
    """How much each token of a text surprises a model.

    Parameters
    ----------
    tokens
        All tokens of the text.
    surprise
        -log2 p of each token given those before it, in bits; nan for the first, which is not
        predicted.
    unknown
        Tokens that are not in the vocabulary and were read as ``<unk>``.
    """

    tokens: list[Any]
    surprise: list[float]
    unknown: tuple[Any, ...]

    @property
    def perplexity(self) -> float:
        """The perplexity of the tokens from the second on."""
        scored = self.surprise[1:]
        return perplexity(sum(scored) / len(scored) * math.log(2))

    def __repr__(self) -> str:
        """One line: perplexity, and the most surprising token."""
        place = max(range(1, len(self.tokens)), key=self.surprise.__getitem__)
        named = named_unknown(self.unknown)
        unknown = f", {named}" if named else ""
        return (
            f"Score(perplexity {rounded(self.perplexity, 2)} over {len(self.tokens) - 1} tokens,"
            f" most surprising {self.tokens[place]!r} at {place} with"
            f" {self.surprise[place]:.1f} bits{unknown})"
        )


def score_text(run: Trained, text: str) -> Score:
    r"""Return the surprise of each token of a text, read from a zero state.

    .. math:: s_t = -\log_2 p(x_t \mid x_{<t})

    The text is cleaned as that of the training was.
    A bidirectional model sees each token before it predicts it, so it is refused.

    Raises
    ------
    DecodingError
        When the text has fewer than two tokens, or the model is bidirectional.
    """
    vocab, text = vocab_of(run), as_read(run, text)
    tokens = vocab.split(text)
    if len(tokens) < 2:  # noqa: PLR2004  (one token to read and one to predict)
        msg = f"the text has {len(tokens)} {vocab.token} tokens; a score needs at least two: give a"
        msg += " longer text"
        raise DecodingError(msg)
    read = read_prefix(run, text)
    bits = [math.nan, *(nats / math.log(2) for nats in read.nats)]
    return Score(tokens, bits, read.unknown)
