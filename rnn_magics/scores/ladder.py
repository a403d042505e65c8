"""The baseline ladder: the perplexities of n-gram models on the same tokens and the same split.

A recurrent model with a perplexity above the ladder has not yet learnt more than counting gives.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rnn_magics.digits import rounded
from rnn_magics.errors import BatchError, ConfigError
from rnn_magics.language import marked, say, say_number
from rnn_magics.models.ngram import MAX_ORDER, Floats
from rnn_magics.models.sentences import fit_text, text_log_probs
from rnn_magics.options import Options, Range, Spelling, option
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.scores.series import LAGS, SeriesErrors, series_errors
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.sizes import TextSize, text_sizes
from rnn_magics.text.statistics import require_countable
from rnn_magics.text.vocab import Vocab, encode_corpus


@dataclass(frozen=True, repr=False)
class BaselineConfig(Options):
    """Which n-gram models are fitted."""

    order: str = option(
        "1-6",
        lambda: say("length of the n-grams: a number or a range, at most {most}", most=MAX_ORDER),
        spelling=Spelling(metavar="N|N-M"),
    )
    lags: int = option(
        LAGS, "of a series: how many values the linear model reads", within=Range(1, 1000)
    )

    def __post_init__(self) -> None:
        """Check the form of the orders."""
        super().__post_init__()
        if not self.orders:
            raise ConfigError(
                say(
                    "order must be a number or a range from 1 to {most}, such as 3 or 1-6, not"
                    " {order!r}",
                    most=MAX_ORDER,
                    order=self.order,
                )
            )

    @property
    def orders(self) -> range:
        """The orders, from the lowest to the highest; empty if they are invalid."""
        match = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?", self.order)
        if match is None:
            return range(0)
        low, high = int(match[1]), int(match[2] or match[1])
        return range(low, high + 1) if 1 <= low <= high <= MAX_ORDER else range(0)


@dataclass(frozen=True)
class Rung:
    """One n-gram model of a ladder.

    Parameters
    ----------
    order
        The length of its longest n-grams.
    train_perplexity
        Its perplexity on the text that was counted, which does not measure what it learnt.
    valid_perplexity
        Its perplexity on the held-out text; None if nothing is held out.
    """

    order: int
    train_perplexity: float
    valid_perplexity: float | None


@dataclass(frozen=True)
class Ladder(Result):
    """n-gram models of rising order on one text; iterate over its rungs.

    Parameters
    ----------
    rungs
        One for each order.
    uniform
        The perplexity of uniform guessing: the size of the vocabulary.
    num_valid_tokens
        The number of held-out tokens that each perplexity is computed over.
    series
        Of a series, what simple rules reach, and how far ahead; files do not keep it.
    size
        How long the held-out text is in characters and bytes; files do not keep it here.
    """

    rungs: tuple[Rung, ...]
    uniform: int
    num_valid_tokens: int
    series: SeriesErrors | None = field(default=None, compare=False)
    size: TextSize | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[Rung]:
        """Yield the rungs, lowest order first."""
        return iter(self.rungs)

    def __len__(self) -> int:
        """Return the number of rungs."""
        return len(self.rungs)

    def __getitem__(self, place: int) -> Rung:
        """Return a rung by its place, lowest order first."""
        return self.rungs[place]

    @property
    def best(self) -> Rung:
        """The rung with the lowest perplexity, held-out if possible, else training."""
        return min(self.rungs, key=lambda rung: rung.valid_perplexity or rung.train_perplexity)

    def bits_per_byte(self, perplexity: float) -> float | None:
        """Return the bits for each byte of the held-out text, where every token costs the same."""
        return self._bits(perplexity, TextSize.per_byte)

    def bits_per_character(self, perplexity: float) -> float | None:
        """Return the bits for each character of the held-out text, as `bits_per_byte` does."""
        return self._bits(perplexity, TextSize.per_character)

    def _bits(self, reached: float, per: Callable[[TextSize, float], float]) -> float | None:
        if self.size is None:
            return None
        return per(self.size, math.log(reached) * self.num_valid_tokens)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for strict JSON; an infinite perplexity becomes ``"inf"``."""
        rungs = [
            [rung.order, _plain(rung.train_perplexity), _plain(rung.valid_perplexity)]
            for rung in self.rungs
        ]
        return {
            "rungs": rungs,
            "uniform": self.uniform,
            "num_valid_tokens": self.num_valid_tokens,
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Ladder:
        """Return the ladder that `to_dict` turned into plain values."""
        rungs = tuple(
            Rung(order, float(train), None if valid is None else float(valid))
            for order, train, valid in plain["rungs"]
        )
        return cls(rungs, plain["uniform"], plain["num_valid_tokens"])

    @property
    def verdict(self) -> str:
        """Which order is best, and what it reaches."""
        best = self.best
        if best.valid_perplexity is None:
            return say("nothing is held out to score, so no order is best: %corpus --valid 0.1")
        in_bytes = rounded(self.bits_per_byte(best.valid_perplexity))
        told = {"order": best.order, "perplexity": rounded(best.valid_perplexity)}
        if not in_bytes:
            return say(
                "the best is the {order}-gram: held-out perplexity {perplexity} over {number:,}"
                " tokens",
                number=self.num_valid_tokens,
                **told,
            )
        return say(
            "the best is the {order}-gram: held-out perplexity {perplexity} over {number:,} tokens,"
            " {in_bytes} bits per byte",
            number=self.num_valid_tokens,
            in_bytes=in_bytes,
            **told,
        )

    def __repr__(self) -> str:
        """Return the verdict, and a line for each rung."""
        lines = [self.verdict, say("guessing: {perplexity}", perplexity=self.uniform)]
        for rung in self.rungs:
            valid, text = rung.valid_perplexity, marked("order {order}: counted text {counted}")
            if valid is not None:
                text = (
                    marked("order {order}: held out {held_out}, counted text {counted} <- best")
                    if rung is self.best
                    else marked("order {order}: held out {held_out}, counted text {counted}")
                )
            counted, held_out = rounded(rung.train_perplexity), rounded(valid)
            lines.append(say(text, order=rung.order, counted=counted, held_out=held_out))
        if self.series is not None:
            lines += ["", repr(self.series)]
        return "\n".join(lines)


def fit_ladder(corpus: Corpus, vocab: Vocab, config: BaselineConfig | None = None) -> Ladder:
    """Fit n-gram models on the training part of a corpus and score its held-out part.

    The models are interpolated modified Kneser-Ney (see `rnn_magics.models.ngram`). Every held-out
    token but the first is predicted, as for a recurrent model. Documents are counted apart, with
    their ends (see `rnn_magics.models.sentences`).

    Parameters
    ----------
    corpus, vocab
        The text, and the map of its tokens to indices.
    config
        The orders, and of a series the values that the linear model reads.

    Raises
    ------
    BatchError
        When the training part has no more tokens than the highest order, or the linear model reads
        too many.
    CorpusError
        When it is too long to be counted in memory.
    ModelError
        When every document is shorter than the longest n-grams.

    Examples
    --------
    >>> fit_ladder(corpus, vocab, BaselineConfig(order="1-3"))
    the best is the 3-gram: held-out perplexity 1.167 over 79 tokens, 0.223 bits per byte
    guessing: 7
    order 1: held out 5.768, counted text 5.760
    order 2: held out 1.169, counted text 1.167
    order 3: held out 1.167, counted text 1.161 <- best
    """
    config = config or BaselineConfig()
    encoded = encode_corpus(corpus, vocab)
    require_countable(corpus, len(encoded.train))
    highest = max(config.orders)
    if len(encoded.train) <= highest:
        raise BatchError(
            say_number(
                len(encoded.train),
                "the training text has {num_tokens} token; order {order} needs at least {needed}:"
                " lower --order, or give a longer text",
                "the training text has {num_tokens} tokens; order {order} needs at least {needed}:"
                " lower --order, or give a longer text",
                num_tokens=len(encoded.train),
                order=highest,
                needed=highest + 1,
            )
        )
    rungs = []
    for order in config.orders:
        model = fit_text(encoded.train, len(vocab), order, vocab.marks)
        reached = partial(text_log_probs, model, marks=vocab.marks)
        valid = _perplexity(reached(encoded.valid)) if len(encoded.valid) > 1 else None
        rungs.append(Rung(order, _perplexity(reached(encoded.train)), valid))
    num_valid, series = max(len(encoded.valid) - 1, 0), series_errors(corpus, config.lags)
    size = text_sizes(corpus, vocab).valid
    return Ladder(tuple(rungs), len(vocab), num_valid, series, size)


def _plain(value: float | None) -> float | str | None:
    return "inf" if value == math.inf else value


def _perplexity(log_probs: Floats) -> float:
    return perplexity(-math.fsum(log_probs) / len(log_probs))
