"""Trial: one run of a sweep, what it was given and what it has reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeVar

from rnn_magics.digits import rounded
from rnn_magics.language import marked, say
from rnn_magics.reports.comparable import bits_per_byte
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.sweeps.dimensions import written
from rnn_magics.training.run import Run

T = TypeVar("T")
_BARS = "▁▂▃▄▅▆▇█"


class Outcome(StrEnum):
    """What became of a trial.

    Attributes
    ----------
    words
        What a reader is told, in English.
    """

    words: str

    DONE = "done", marked("done")
    """It was trained to its end."""
    PRUNED = "pruned", marked("pruned")
    """It ended early, since others are better."""
    DIVERGED = "diverged", marked("diverged")
    """Loss, gradient, weights or its score became non-finite."""
    NO_MEMORY = "no_memory", marked("out of memory")
    """A step or an evaluation did not fit into memory."""
    REFUSED = "refused", marked("not possible")
    """These settings do not fit together, to the text, or to the limit of the objective."""

    def __new__(cls, name: str, words: str) -> Self:
        """Make a string that knows its words."""
        outcome = str.__new__(cls, name)
        outcome._value_ = name
        outcome.words = words
        return outcome

    @classmethod
    def named(cls, name: str) -> Outcome:
        """Return the outcome with this name, which exists."""
        return next(outcome for outcome in cls if outcome == name)


class At(NamedTuple):
    """A held-out score and when it was made.

    Parameters
    ----------
    steps, tokens
        The number of steps taken and of tokens trained on before it.
    nats
        Mean nats per held-out token, or per byte where the trials have different tokens.
    """

    steps: int
    tokens: int
    nats: float


@dataclass
class Trial(Result):
    """One run of a sweep.

    Parameters
    ----------
    number
        Its place in the sweep, from 0.
    params
        The swept options by name.
    folder
        The folder of its run.
    confirms
        The number of the trial whose settings it has with another seed; None for a trial that
        was searched for.
    scores
        Its held-out scores, in their order.
    outcome
        What became of it; None while it trains or waits to go on.
    nats
        What the sweep seeks the lowest of: the held-out score of the weights it ended with; None
        before it has ended, and for a trial that has not ended as planned.
    test_nats
        The score of its test part; None without one.
    num_parameters, tokens
        The size of its model, and how many tokens it was trained on.
    seconds
        Its training time, evaluation excluded.
    message
        What to know about its end.
    """

    number: int
    params: dict[str, Any]
    folder: str
    confirms: int | None = None
    scores: list[At] = field(default_factory=list)
    outcome: Outcome | None = None
    nats: float | None = None
    test_nats: float | None = None
    num_parameters: int = 0
    tokens: int = 0
    seconds: float = 0.0
    message: str = ""

    def take(self, run: Run, *, in_bytes: bool) -> None:
        """Take what a run has reached; that of a run in a folder is what it was in memory."""
        per_batch = run.config.batching.tokens_per_batch
        self.scores = [
            At(each.steps, each.steps * per_batch, nats_of(run, each.bits, in_bytes=in_bytes))
            for each in run.record.scores
            if each.steps is not None
        ]
        scored = run.scored
        if scored is not None and scored.is_present and run.reason and run.reason.as_planned:
            self.nats = nats_of(run, scored.bits, in_bytes=in_bytes)
        if run.test is not None and run.test.bits is not None:
            self.test_nats = run.test.bits * math.log(2)
        self.num_parameters, self.tokens = run.model.num_parameters, run.tokens
        self.seconds, self.message = sum(run.history.seconds), run.message

    @property
    def lowest(self) -> float | None:
        """The lowest of its held-out scores; None without one."""
        return min((at.nats for at in self.scores), default=None)

    @property
    def perplexity(self) -> float | None:
        """The perplexity of `nats`; None where that is None."""
        return None if self.nats is None else perplexity(self.nats)

    @property
    def state(self) -> str:
        """What became of it, in words."""
        return say("not ended") if self.outcome is None else say(self.outcome.words)

    @property
    def settings(self) -> str:
        """The swept options as they are typed, e.g. ``cell gru, lr 0.0042``."""
        return say(", ").join(f"{name} {written(value)}" for name, value in self.params.items())

    def curve(self, every: int) -> dict[int, float]:
        """Return the first score at or after each multiple of `every` tokens, by the multiple."""
        found: dict[int, float] = {}
        for at in self.scores:
            found.setdefault(at.tokens // every, at.nats)
        found.pop(0, None)
        return found

    def __repr__(self) -> str:
        """Return one line."""
        reached = "" if self.lowest is None else say("{nats} nats", nats=rounded(self.lowest))
        told = filter(None, (self.settings, reached, self.state))
        return f"Trial {self.number}: {say('; ').join(told)}"


def nats_of(run: Run, bits: float, *, in_bytes: bool) -> float:
    """Return a held-out score in nats per token, or per byte of the text, from bits per token."""
    by_byte = bits_per_byte(run, bits) if in_bytes else None
    return (bits if by_byte is None else by_byte) * math.log(2)


def thinned(scores: Sequence[T], most: int) -> list[T]:
    """Return at most so many, in equal steps back from the last."""
    every = math.ceil(len(scores) / most) or 1
    return list(scores[::-1][::every])[::-1]


def spark(values: list[float], low: float, high: float) -> str:
    """Return a line of bars, one for each value; a value above `high` has the tallest.

    Parameters
    ----------
    values
        The values; one that is not finite is a cross.
    low, high
        The values of the lowest bar and the tallest, the same for all trials.
    """
    scale = (high - low) or 1.0
    return "".join(
        _BARS[round(min(max((value - low) / scale, 0.0), 1.0) * (len(_BARS) - 1))]
        if math.isfinite(value)
        else "✕"
        for value in values
    )
