"""History: the results of each epoch of a run, as plain lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from rnn_magics.digits import rounded
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import say, say_number
from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.tables import pandas_or
from rnn_magics.training.events import EpochEnd

if TYPE_CHECKING:
    import pandas as pd

_RISE = 0.05  # nats, a twentieth of a perplexity; by less it rises and falls without a cause


@dataclass(frozen=True)
class Scored:
    """A held-out perplexity and the weights to which it belongs.

    Parameters
    ----------
    epoch
        After this epoch, counted from 1, the held-out text was scored; or in it, see `tokens`.
    perplexity, bits
        The perplexity, and bits per token.
    steps
        The number of steps taken before it; None where that is not known.
    tokens
        The number of tokens trained on before it, where it was made between two epoch ends.
    is_present
        Whether they are the weights in hand.
    is_kept
        Whether these are the best weights, which the run has although it was trained further.
    """

    epoch: int
    perplexity: float
    bits: float
    steps: int | None = None
    tokens: int | None = None
    is_present: bool = False
    is_kept: bool = False

    @property
    def when(self) -> str:
        """After how much training, e.g. ``after epoch 9`` or ``after 120,000 tokens``."""
        if self.tokens is not None:
            return say("after {tokens:,} tokens", tokens=self.tokens)
        return say("after epoch {epoch}", epoch=self.epoch)

    def __str__(self) -> str:
        """Return the perplexity, with the epoch unless the weights are those of the last step."""
        reached = rounded(self.perplexity)
        if self.is_kept:
            return say("{perplexity} (best, {when})", perplexity=reached, when=self.when)
        if self.is_present:
            return reached
        return say("{perplexity} {when}", perplexity=reached, when=self.when)


@dataclass(frozen=True)
class Turn:
    """The epoch after which the held-out perplexity only got worse.

    Parameters
    ----------
    best
        The lowest held-out perplexity.
    is_memorising
        Whether the training perplexity fell meanwhile.
    """

    best: Scored
    is_memorising: bool

    @property
    def since(self) -> str:
        """What the training has done since, in two words."""
        return say("memorising since") if self.is_memorising else say("worse since")

    def __str__(self) -> str:
        """Return a clause, e.g. ``best 115.032 after epoch 9, memorising since``."""
        best = replace(self.best, is_present=False)
        return say("best {best}, {since}", best=best, since=self.since)


@dataclass
class History:
    """Lists with one entry per epoch, including an epoch that was cut short.

    Attributes
    ----------
    train_perplexity, train_bits
        The training perplexity over the epoch, while the weights changed, and bits per token. For
        character tokens, bits per token are bits per character (bpc).
    valid_perplexity, valid_bits
        The same for the held-out text after the epoch; None if it was not scored.
    seconds
        Training time in seconds, without evaluation.
    tokens_per_second
        Training speed, without evaluation.
    grad_norm, grad_norm_max
        Median and maximum of the gradient norms before clipping.
    clipped
        Share of the steps whose gradient was clipped, in [0, 1].
    threads
        The mean number of CPU threads of a step; None in files of older versions.
    """

    train_perplexity: list[float] = field(default_factory=list)
    valid_perplexity: list[float | None] = field(default_factory=list)
    train_bits: list[float] = field(default_factory=list)
    valid_bits: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    tokens_per_second: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)
    grad_norm_max: list[float] = field(default_factory=list)
    clipped: list[float] = field(default_factory=list)
    threads: list[float | None] = field(default_factory=list)

    def append(self, event: EpochEnd) -> None:
        """Append the results of an epoch."""
        valid = event.valid_nats
        self.train_perplexity.append(perplexity(event.train_nats))
        self.valid_perplexity.append(None if valid is None else perplexity(valid))
        self.train_bits.append(bits_per_token(event.train_nats))
        self.valid_bits.append(None if valid is None else bits_per_token(valid))
        self.seconds.append(event.seconds)
        self.tokens_per_second.append(event.tokens_per_second)
        self.grad_norm.append(event.grad_norm)
        self.grad_norm_max.append(event.grad_norm_max)
        self.clipped.append(event.clipped)
        self.threads.append(event.threads)

    @property
    def scores(self) -> list[Scored]:
        """Every held-out score, in the order of the epochs."""
        pairs = enumerate(zip(self.valid_perplexity, self.valid_bits, strict=True), start=1)
        return [
            Scored(epoch, perplexity, bits)
            for epoch, (perplexity, bits) in pairs
            if perplexity is not None and bits is not None
        ]

    @property
    def turn(self) -> Turn | None:
        """Where the held-out perplexity was lowest, if it has risen by more than chance since."""
        return turn_of(self.scores, self.train_bits)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.train_perplexity)

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return the lists by name."""
        return {item.name: list(getattr(self, item.name)) for item in fields(self)}

    @whole_imports()
    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with one row per epoch.

        Raises
        ------
        TrainingError
            If pandas is not installed.
        """
        pd = pandas_or(say("to_dict for plain lists"))
        index = pd.RangeIndex(1, len(self) + 1, name="epoch")
        return pd.DataFrame(self.to_dict(), index=index)


def lowest(scores: Sequence[Scored]) -> Scored | None:
    """Return the first of the lowest scores; None where there is none."""
    return min(scores, key=_bits, default=None)


def turn_of(scores: Sequence[Scored], train_bits: Sequence[float]) -> Turn | None:
    """Return where a score was lowest, if the last is higher by more than chance.

    Parameters
    ----------
    scores
        Held-out scores, in the order in which they were made.
    train_bits
        Bits per training token over each epoch.
    """
    best = lowest(scores)
    if best is None or not train_bits:
        return None
    last = scores[-1]
    if not (_bits(last) - _bits(best)) * math.log(2) > _RISE:
        return None
    # An epoch in progress has no entry yet.
    before, after = (train_bits[min(s.epoch, len(train_bits)) - 1] for s in (best, last))
    return Turn(best, is_memorising=after < before)


def _bits(score: Scored) -> float:
    return math.inf if math.isnan(score.bits) else score.bits


@dataclass(frozen=True)
class Growth:
    """What was added to the vocabulary of a model when it went on.

    Parameters
    ----------
    num_tokens
        The number of tokens that were added.
    unk_before, unk_after
        The share of unknown tokens in the new training text, without them and with them.
    """

    num_tokens: int
    unk_before: float
    unk_after: float

    def __str__(self) -> str:
        """Say it in a sentence, without an end."""
        return say_number(
            self.num_tokens,
            "its vocabulary grew by {number:,} token: {before:.1%} of the training text were"
            " unknown before, {after:.1%} are since",
            "its vocabulary grew by {number:,} tokens: {before:.1%} of the training text were"
            " unknown before, {after:.1%} are since",
            before=self.unk_before,
            after=self.unk_after,
        )


@dataclass(frozen=True)
class Life:
    """A training that a later one went on from.

    Parameters
    ----------
    name
        The name of its run.
    corpus
        Name and sha256 of its corpus, or None.
    steps, tokens
        The number of steps taken and of tokens trained on.
    history
        The results of each epoch.
    perplexity
        The held-out perplexity of the weights with which the next one began; None if they were not
        scored.
    growth
        What the next one added to the vocabulary; None if it did not.
    """

    name: str
    corpus: tuple[str, str] | None
    steps: int
    tokens: int
    history: History = field(default_factory=History)
    perplexity: float | None = None
    growth: Growth | None = None

    def __str__(self) -> str:
        """Say what it was, e.g. ``gru-1 (python_docs, 4 epochs, held-out perplexity 3.662)``."""
        number = len(self.history)
        told = [
            "" if self.corpus is None else self.corpus[0],
            say_number(number, "{number} epoch", "{number} epochs"),
            ""
            if self.perplexity is None
            else say("held-out perplexity {perplexity}", perplexity=rounded(self.perplexity)),
            "" if self.growth is None else f"{self.growth}",
        ]
        return f"{self.name} ({say(', ').join(filter(None, told))})"
