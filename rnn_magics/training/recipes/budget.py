"""Which model suits the time that there is: how fast the machine trains is measured first.

A model that is too large for the time has read too little of the text when it ends, one that is
too small has stopped learning long before, and one that reads a short text many times memorises
it. So the size follows how many tokens a model of reference could read in the time, on this
machine, and the dropout how often the chosen model will read the training text.
docs/performance.md has the trainings from which the tables are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from rnn_magics.batching import Batches
from rnn_magics.errors import TrainingError
from rnn_magics.language import say, say_number
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import begin, iter_train

REFERENCE = ModelConfig("gru", num_layers=2, dropout=0.1)
"""The model whose tokens are counted."""

_WARM = 2  # steps that are not counted: the first ones allocate, and find the number of threads
_LEAST_STEPS, _SECONDS = 5, 0.4
_LEAST_EACH = 2  # steps with a number of threads, to count it


DROPOUTS = ((0, 0.0), (7, 0.05), (10, 0.1), (16, 0.25), (30, 0.5))
"""Dropout of the GRUs, from so many times on that they read the training text."""

LSTM_DROPOUTS = ((0, 0.0), (3, 0.1), (16, 0.25), (30, 0.5))
"""That of the LSTMs, which memorise sooner."""


@dataclass(frozen=True)
class Size:
    """A model, and when it suits.

    Parameters
    ----------
    tokens
        From so many tokens on that the model of reference could read.
    speed
        How many tokens it reads while the model of reference reads one, about.
    model
        The architecture.
    lr
        The largest learning rate, with AdamW.
    dropouts
        Dropout, from so many times on that it reads the training text.
    """

    tokens: int
    speed: float
    model: ModelConfig
    lr: float
    dropouts: tuple[tuple[float, float], ...] = DROPOUTS


SIZES = (
    Size(0, 2.8, ModelConfig("gru", num_hiddens=128, num_layers=2), 0.012),
    Size(2_000_000, 1.5, ModelConfig("gru", num_hiddens=192, num_layers=2), 0.012),
    Size(4_000_000, 1.0, ModelConfig("gru", num_hiddens=256, num_layers=2), 0.012),
    Size(
        12_000_000, 0.76, ModelConfig("lstm", num_hiddens=256, num_layers=2), 0.012, LSTM_DROPOUTS
    ),
    Size(60_000_000, 0.37, ModelConfig("lstm", num_hiddens=384, num_layers=2), 0.01, LSTM_DROPOUTS),
)
"""From the smallest to the largest."""


@dataclass(frozen=True)
class Suited:
    """A model that suits a time, a machine and a text.

    Parameters
    ----------
    model
        The architecture.
    lr
        The largest learning rate, with AdamW.
    tokens
        About how many tokens it will read.
    passes
        How often that is the training text.
    """

    model: ModelConfig
    lr: float
    tokens: int
    passes: float

    def __str__(self) -> str:
        """Return what was found, in one line."""
        model = self.model
        layers = say_number(
            model.num_layers,
            "{number} layer of {units}",
            "{number} layers of {units}",
            units=model.num_hiddens,
        )
        return say(
            "suited to this machine and text: {cell}, {layers}, dropout {dropout:g}, learning rate"
            " {lr:g}; it will read about {tokens:.1f} million tokens, the training text"
            " {passes:.1f} times",
            cell=model.cell,
            tokens=self.tokens / 1e6,
            passes=self.passes,
            layers=layers,
            dropout=model.dropout,
            lr=self.lr,
        )


def suited(
    batches: Batches,
    train: TrainConfig,
    tell: Callable[[Event], object] = lambda _event: None,
) -> Suited:
    """Return the model that suits the limits of a training.

    Parameters
    ----------
    batches
        The minibatches.
    train
        How it will be trained. How many tokens it reads follows from ``epochs``, ``max_tokens`` and
        ``max_time``, whichever ends it first; how many in a time, from the rate of some steps that
        are taken now and forgotten.
    tell
        Called with the events of these steps.

    Returns
    -------
    Suited
        The model, and why.

    Raises
    ------
    DeviceError, TrainingError
        As `begin`.
    """
    limit = float(train.epochs * len(batches.ids))
    if train.max_tokens is not None:
        limit = min(limit, train.max_tokens)
    in_time = math.inf
    if train.max_time is not None:
        in_time = train.max_time * measure_rate(batches, train, tell)
    read = {size: min(limit, in_time * size.speed) for size in SIZES}
    size = next(size for size in reversed(SIZES) if read[size] >= size.tokens * size.speed)
    tokens = read[size]
    passes = tokens / len(batches.ids)
    dropout = next(share for least, share in reversed(size.dropouts) if passes >= least)
    return Suited(replace(size.model, dropout=dropout), size.lr, round(tokens), passes)


def measure_rate(
    batches: Batches,
    train: TrainConfig,
    tell: Callable[[Event], object] = lambda _event: None,
) -> float:
    """Return how many tokens a second the model of reference trains on, here and now.

    Some steps are taken, for about half a second, on a model that is then forgotten. They are also
    the first steps of a search for the number of threads, so the fastest number counts: it is the
    one that a training will soon have.

    Parameters
    ----------
    batches
        The minibatches.
    train
        Device, number type, threads and optimizer; the rest has no effect.
    tell
        Called with the events.

    Raises
    ------
    DeviceError, TrainingError
        As `begin`; also if a step fails.
    """
    unscored = Batches(batches.ids, batches.config, vocab=batches.vocab, corpus=batches.corpus)
    config = TrainConfig(
        epochs=1_000,
        optimizer=train.optimizer,
        device=train.device,
        precision=train.precision,
        threads=train.threads,
    )
    run, state = begin(unscored, REFERENCE, config)
    ends: list[StepEnd] = []
    steps = defaultdict[int, list[tuple[StepEnd, StepEnd]]](list)  # by their number of threads

    def enough() -> Ending | None:
        is_long = len(ends) >= _WARM + _LEAST_STEPS
        is_over = is_long and ends[-1].seconds - ends[_WARM - 1].seconds >= _SECONDS
        return Ending.STOPPED if is_over else None

    for event in iter_train(run, state, enough):
        tell(event)
        if isinstance(event, StepEnd):
            if len(ends) >= _WARM:
                steps[torch.get_num_threads()].append((ends[-1], event))
            ends.append(event)
    rates = [
        sum(end.tokens - begin.tokens for begin, end in own)
        / sum(end.seconds - begin.seconds for begin, end in own)
        for own in steps.values()
        if len(own) >= _LEAST_EACH
    ]
    if not rates:  # it ended before, and said why
        raise TrainingError(run.message or say("no step could be timed"))
    return max(rates)
