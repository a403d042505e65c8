"""What a sweep and its workers say to each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnn_magics.batching import Batches
from rnn_magics.sweeps.events import TrialEvent
from rnn_magics.sweeps.running import Task
from rnn_magics.sweeps.trial import Trial


@dataclass(frozen=True)
class Ready:
    """The worker has begun, and can train."""


@dataclass(frozen=True)
class Begin:
    """Train this trial."""

    task: Task


@dataclass(frozen=True)
class Stop:
    """Save the trial after its current step, and end it there."""


@dataclass(frozen=True)
class Hold:
    """Wait after the current step, or go on."""

    is_paused: bool


@dataclass(frozen=True)
class Verdict:
    """Whether the trial is to end early."""

    is_pruned: bool


@dataclass(frozen=True)
class Told:
    """An event of the trial."""

    event: TrialEvent


@dataclass(frozen=True)
class Asked:
    """Whether a trial with these scores by rung is to end early."""

    curve: dict[int, float]


@dataclass(frozen=True)
class Ended:
    """The trial has ended, or was stopped; or an error ended it."""

    trial: Trial
    error: str = ""


def portable(batches: Batches) -> Batches:
    """Return minibatches without what their text has computed, which is computed there again."""
    corpus = batches.corpus
    if corpus is None:
        return batches
    test = None if corpus.test is None else replace(corpus.test)
    there = object.__new__(type(batches))
    there.__dict__ = {**batches.__dict__, "corpus": replace(corpus, test=test)}
    return there
