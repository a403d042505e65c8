"""The score of a text: how much each token surprises a model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from rnn_magics.decoding.generate import Generation, continued
from rnn_magics.decoding.prefix import (
    Trained,
    added,
    as_read,
    named_unknown,
    read_prefix,
    read_tokens,
    split_prefix,
    split_text,
    vocab_of,
)
from rnn_magics.digits import rounded
from rnn_magics.errors import DecodingError
from rnn_magics.language import say, say_number
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.text.vocab import Vocab

MOST_EXPECTED = 500
"""How many tokens of a text have their alternatives on record."""
_NUM_EXPECTED = 4

Expected: TypeAlias = tuple[tuple[Any, float], ...]
"""The likeliest tokens at a place with their probabilities, likeliest first."""


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
    pieces
        The text that each token adds.
    expected
        The likeliest tokens at each of the first 500 places that are scored.
    num_prefix
        Of a text that a model wrote, how many tokens are the prefix, which is not scored.
    """

    tokens: list[Any]
    surprise: list[float]
    unknown: tuple[Any, ...]
    pieces: list[str] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    num_prefix: int = 0

    @property
    def first(self) -> int:
        """The first place that is scored."""
        return max(self.num_prefix, 1)

    @property
    def perplexity(self) -> float:
        """The perplexity of the tokens that are scored."""
        scored = self.surprise[self.first :]
        return perplexity(sum(scored) / len(scored) * math.log(2))

    @property
    def most_surprising(self) -> list[int]:
        """The places that are scored, the most surprising first."""
        places = range(self.first, len(self.tokens))
        return sorted(places, key=self.surprise.__getitem__, reverse=True)

    def expected_at(self, place: int) -> Expected:
        """Return the likeliest tokens at a place; empty where they are not on record."""
        at = place - self.first
        return self.expected[at] if 0 <= at < len(self.expected) else ()

    def __repr__(self) -> str:
        """One line: perplexity, and the most surprising token."""
        place = self.most_surprising[0]
        named = named_unknown(self.unknown)
        unknown = say(", ") + named if named else ""
        over = len(self.tokens) - self.first
        return say_number(
            over,
            "Score(perplexity {perplexity} over {num_tokens} token, most surprising {token!r} at"
            " {place} with {bits} bits{unknown})",
            "Score(perplexity {perplexity} over {num_tokens} tokens, most surprising {token!r} at"
            " {place} with {bits} bits{unknown})",
            perplexity=rounded(self.perplexity, 2),
            num_tokens=over,
            token=self.tokens[place],
            place=place,
            bits=f"{self.surprise[place]:.1f}",
            unknown=unknown,
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

    Examples
    --------
    >>> score = score_text(run, "tick tock")
    >>> score.tokens[score.most_surprising[0]], score.perplexity < 1.2  # t begins both words
    ('i', True)
    """
    vocab, text = vocab_of(run), as_read(run, text)
    tokens = split_text(vocab, text)
    if len(tokens) < 2:  # noqa: PLR2004  (one token to read and one to predict)
        raise DecodingError(
            say_number(
                len(tokens),
                "the text has {num_tokens} {kind} token; a score needs at least two: give a longer"
                " text",
                "the text has {num_tokens} {kind} tokens; a score needs at least two: give a"
                " longer text",
                num_tokens=len(tokens),
                kind=vocab.token,
            )
        )
    read = read_prefix(run, text)
    bits = [math.nan, *map(bits_per_token, read.nats)]
    pieces = added(vocab, tokens)
    shown = torch.tensor([vocab[tokens[:MOST_EXPECTED]]])
    expected = _likeliest(vocab, read_tokens(run.model, shown)[0][0][: len(tokens) - 1])
    return Score(tokens, bits, read.unknown, pieces, expected)


def score_written(run: Trained, written: Generation) -> Score:
    """Return the surprise of each token that a model wrote, and what else was probable.

    The probabilities are those of the model, at temperature 1 and with no token excluded, however
    the text was decoded.

    Parameters
    ----------
    run
        The run that wrote it.
    written
        What `generate` returned for it.
    """
    vocab = vocab_of(run)
    read = read_prefix(run, written.prefix)
    before, _ = split_prefix(vocab, written.prefix)
    bits = [math.nan, *map(bits_per_token, [*read.nats, *(-p for p in written.log_probs)])]
    pieces = [written.prefix, *[""] * (len(before) - 1)]
    pieces += continued(vocab, written.prefix, [], written.tokens)
    logits, shown = read.logits, written.tokens[: MOST_EXPECTED - 1]
    if len(written.tokens) > 1:
        following, _ = read_tokens(run.model, torch.tensor([vocab[shown]]), read.state)
        logits = torch.cat((logits, following[0]))[: len(written.tokens)]
    tokens, expected = [*before, *written.tokens], _likeliest(vocab, logits)
    return Score(tokens, bits, read.unknown, pieces, expected, len(before))


def _likeliest(vocab: Vocab, logits: Tensor) -> list[Expected]:
    found = logits.softmax(dim=-1).topk(min(_NUM_EXPECTED, len(vocab)), dim=-1)  # (num_places, 4)
    tokens = vocab.to_tokens(found.indices.tolist())
    rows = zip(tokens, found.values.tolist(), strict=True)
    return [tuple(zip(names, chances, strict=True)) for names, chances in rows]
