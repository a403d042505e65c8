"""TrainState: everything that a training needs to go on from between two steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from rnn_magics.batching import Batches, EpochPlan
from rnn_magics.models.rnn_model import ModelState, RNNModel


@dataclass
class EpochTally:
    """What an epoch has added up so far.

    Parameters
    ----------
    nats
        The sum of the minibatches' mean losses, a 0-d tensor.
    losses, norms
        Mean nats per token and gradient norm of each step; those of steps to come mean nothing,
        (num_batches,) each.
    seconds, tokens
        Spent and learnt from.
    taken, bad
        On a device that runs behind the host: how many good steps it has taken in this epoch,
        (1,), and 1 from the first step on whose loss or gradient was not finite, 0-d. None
        where the host looks at every step.
    known_bad
        Whether the host has seen that a step was bad.
    """

    nats: Tensor
    losses: Tensor
    norms: Tensor
    seconds: float = 0.0
    tokens: int = 0
    taken: Tensor | None = None
    bad: Tensor | None = None
    known_bad: bool = False


@dataclass
class TrainState:
    """All that a training needs to go on from between two steps.

    Parameters
    ----------
    model, optimizer
        With their parameters and moments.
    batches
        On the model's device.
    generator
        Draws offsets and shuffles; lives on the CPU, so that devices see the same minibatches.
    dropout_generator
        Draws dropout masks; lives on the device.
    epoch, step
        The position: epochs finished, and steps taken in the present one.
    total_steps, total_tokens
        Taken and learnt from since the beginning.
    train_seconds, evaluation_seconds
        Spent since the beginning; pauses do not count.
    plan
        The windows of the present epoch.
    hidden
        The carried hidden state, detached.
    tally
        Of the present epoch.

    Notes
    -----
    Where an accelerator runs behind the host, position, totals and seconds are those of the
    steps handed to it; `settle` makes them those of the steps that it has taken. Parameters,
    moments, hidden state and tally are tensors on the device and need no settling.
    """

    model: RNNModel
    optimizer: torch.optim.Optimizer
    batches: Batches
    generator: torch.Generator
    dropout_generator: torch.Generator
    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    total_tokens: int = 0
    train_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    plan: EpochPlan | None = None
    hidden: ModelState | None = None
    tally: EpochTally | None = None

    def settle(self) -> bool:
        """Wait for the device, and step back to the last good step if there was a bad one.

        Returns
        -------
        bool
            Whether all steps were good; on the CPU, where each is looked at, always True.
        """
        tally = self.tally
        if tally is None or tally.taken is None or tally.bad is None:
            return True
        begun = time.perf_counter()
        tally.known_bad = bool(tally.bad.item())
        if tally.known_bad:
            self.count_steps(int(tally.taken) - self.step)
        self.count_seconds(time.perf_counter() - begun)
        return not tally.known_bad

    def count_steps(self, number: int) -> None:
        """Move the position by so many minibatches."""
        assert self.tally is not None  # noqa: S101  (asked within an epoch)
        tokens = number * self.batches.config.tokens_per_batch
        self.step += number
        self.total_steps += number
        self.total_tokens += tokens
        self.tally.tokens += tokens

    def count_seconds(self, seconds: float) -> None:
        """Add to the time spent in training."""
        assert self.tally is not None  # noqa: S101  (asked within an epoch)
        self.tally.seconds += seconds
        self.train_seconds += seconds

    def finish_epoch(self) -> None:
        """Move the position to the beginning of the next epoch."""
        self.epoch, self.step = self.epoch + 1, 0
        self.plan = self.tally = self.hidden = None
