"""TrainState: everything that is needed to continue training from between two steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnn_magics.batching import Batches, EpochPlan
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel, as_tuple
from rnn_magics.training.scoring.best import Best


@dataclass
class Unsettled:
    """The step counts of an epoch on a device that runs behind the host.

    Parameters
    ----------
    taken
        The number of good steps, (1,).
    bad
        1 from the first step whose loss or gradient was not finite, else 0; a 0-d tensor.
    known_bad
        Whether the host has seen that a step was bad.
    """

    taken: Tensor
    bad: Tensor
    known_bad: bool = False


@dataclass
class EpochState:
    """The state of an epoch in progress.

    Parameters
    ----------
    plan
        The windows of the epoch.
    hidden
        The carried hidden state, detached.
    nats
        The sum of the mean losses of the minibatches so far, a 0-d tensor.
    losses, norms
        Mean nats per token and gradient norm of each step, (num_batches,) each. The entries of
        future steps have no meaning.
    seconds
        Training time so far, in seconds.
    unsettled
        The counts on the device; None if the host checks every step.
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
    """Everything that is needed to continue training from between two steps.

    Parameters
    ----------
    model, optimizer
        The model and the optimizer, with parameters and moments.
    batches
        The minibatches, on the device of the model.
    generator
        Draws offsets and shuffles. It is on the CPU, so that all devices see the same minibatches.
    dropout_generator
        Draws dropout masks, on the device of the model.
    epoch, step
        The position: the number of finished epochs, and of steps taken in the current epoch.
    total_steps, total_tokens
        The number of steps taken and of tokens trained on since the beginning.
    train_seconds, evaluation_seconds
        The time spent since the beginning, without pauses.
    current
        The epoch in progress; None between two epochs.
    best
        The lowest held-out score so far, with its weights if they are kept; None before the first.

    Notes
    -----
    If an accelerator runs behind the host, then position, totals and seconds describe the steps
    that were launched; after `settle` they describe the steps that were completed. Parameters,
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
    best: Best | None = None

    @property
    def learning(self) -> list[nn.Parameter]:
        """The parameters that learn: those of the optimizer."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    @property
    def epoch_tokens(self) -> int:
        """The number of tokens trained on in the current epoch."""
        return self.step * self.batches.config.tokens_per_batch

    @property
    def total_seconds(self) -> float:
        """Spent since the beginning, evaluation included; what a limit of time counts."""
        return self.train_seconds + self.evaluation_seconds

    def begin_epoch(self) -> EpochState:
        """Return the epoch in progress, or plan the next one."""
        if self.current is None:
            plan, device = self.batches.plan(self.generator), self.batches.ids.device
            begin = as_tuple(self.model.begin_state(plan.starts.shape[1], device))
            hidden = tuple(part.detach() for part in begin)
            losses, norms = torch.zeros((2, len(plan)), device=device).unbind()
            self.current = EpochState(plan, hidden, losses.new_zeros(()), losses, norms)
        return self.current

    def begin_step(self, hidden: State, is_first: Tensor) -> State:
        """Return the state in which a step begins, with the graph of one that is learnt.

        Parameters
        ----------
        hidden
            The carried state.
        is_first
            Whether it is the first step of its epoch, a boolean of one element.
        """
        learns = self.model.config.learn_state
        if self.batches.carries_state and not learns:
            return hidden
        begin = as_tuple(self.model.begin_state(hidden[0].shape[1], hidden[0].device))
        if not self.batches.carries_state:
            return begin
        # Not a choice of the host: then the step has the same form every time.
        return tuple(
            torch.where(is_first, own, part) for own, part in zip(begin, hidden, strict=True)
        )

    def settle(self) -> bool:
        """Wait for the device, and return to the last good step if a later one was bad.

        Returns
        -------
        bool
            Whether all steps were good. Always True on the CPU, where each step is checked.
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
        """Move the position by this many minibatches."""
        self.step += number
        self.total_steps += number
        self.total_tokens += number * self.batches.config.tokens_per_batch

    def count_seconds(self, epoch: EpochState, seconds: float) -> None:
        """Add to the training time."""
        epoch.seconds += seconds
        self.train_seconds += seconds

    def finish_epoch(self) -> None:
        """Move the position to the beginning of the next epoch."""
        self.epoch, self.step, self.current = self.epoch + 1, 0, None
