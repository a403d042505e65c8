"""TrainState: everything that a training needs to go on from between two steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from rnn_magics.batching import Batches, EpochPlan
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel, as_tuple


@dataclass
class Unsettled:
    """What a device that runs behind the host has counted in an epoch.

    Parameters
    ----------
    taken
        Good steps, (1,).
    bad
        1 from the first step on whose loss or gradient was not finite, 0-d.
    known_bad
        Whether the host has seen that a step was bad.
    """

    taken: Tensor
    bad: Tensor
    known_bad: bool = False


@dataclass
class EpochState:
    """Where an epoch stands that is under way.

    Parameters
    ----------
    plan
        Its windows.
    hidden
        The carried hidden state, detached.
    nats
        The sum of the minibatches' mean losses, a 0-d tensor.
    losses, norms
        Mean nats per token and gradient norm of each step; those of steps to come mean nothing,
        (num_batches,) each.
    seconds
        Spent in training.
    unsettled
        None where the host looks at every step.
    """

    plan: EpochPlan
    hidden: State
    nats: Tensor
    losses: Tensor
    norms: Tensor
    seconds: float = 0.0
    unsettled: Unsettled | None = None


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
    current
        The epoch under way; None between two.

    Notes
    -----
    Where an accelerator runs behind the host, position, totals and seconds are those of the
    steps handed to it; `settle` makes them those of the steps that it has taken. Parameters,
    moments and the tensors of the epoch are on the device and need no settling.
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
    current: EpochState | None = None

    @property
    def epoch_tokens(self) -> int:
        """Learnt from in the present epoch."""
        return self.step * self.batches.config.tokens_per_batch

    @property
    def total_seconds(self) -> float:
        """Spent since the beginning, evaluation included; what a limit of time counts."""
        return self.train_seconds + self.evaluation_seconds

    def begin_epoch(self) -> EpochState:
        """Return the epoch under way, or plan the next one."""
        if self.current is None:
            plan, device = self.batches.plan(self.generator), self.batches.ids.device
            hidden = as_tuple(self.model.begin_state(plan.starts.shape[1], device))
            losses, norms = torch.zeros((2, len(plan)), device=device).unbind()
            self.current = EpochState(plan, hidden, losses.new_zeros(()), losses, norms)
        return self.current

    def settle(self) -> bool:
        """Wait for the device, and step back to the last good step if there was a bad one.

        Returns
        -------
        bool
            Whether all steps were good; on the CPU, where each is looked at, always True.
        """
        if self.current is None or self.current.unsettled is None:
            return True
        begun, counted = time.perf_counter(), self.current.unsettled
        counted.known_bad = bool(counted.bad.item())
        if counted.known_bad:
            self.count_steps(int(counted.taken) - self.step)
        self.count_seconds(self.current, time.perf_counter() - begun)
        return not counted.known_bad

    def count_steps(self, number: int) -> None:
        """Move the position by so many minibatches."""
        self.step += number
        self.total_steps += number
        self.total_tokens += number * self.batches.config.tokens_per_batch

    def count_seconds(self, epoch: EpochState, seconds: float) -> None:
        """Add to the time spent in training."""
        epoch.seconds += seconds
        self.train_seconds += seconds

    def finish_epoch(self) -> None:
        """Move the position to the beginning of the next epoch."""
        self.epoch, self.step, self.current = self.epoch + 1, 0, None
