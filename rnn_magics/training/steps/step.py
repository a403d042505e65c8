"""One training step, and who takes it.

`train_step` is the step as one would write it down: it looks at loss and gradient before it
updates anything, which costs nothing where the host computes them itself. On an accelerator
`rnn_magics.training.steps.device_step` takes the same step without looking.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

import torch

from rnn_magics.models.rnn_model import detach
from rnn_magics.training.config import SCHEDULES, TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.machine.precision import forward_loss, tf32_products
from rnn_magics.training.state import EpochTally, TrainState
from rnn_magics.training.steps.clipping import clip_gradients, gradient_norm
from rnn_magics.training.steps.last_good import LastGood


class Step(Protocol):
    """Takes the steps of a run, one after the other.

    Attributes
    ----------
    words : str
        How it does, e.g. ``cuda graph`` or ``eager``.
    """

    @property
    def words(self) -> str:
        """How it does."""

    def begin_epoch(self) -> None:
        """Take up the plan, the hidden state and the tally that stand in the state."""

    def take(self, config: TrainConfig) -> StepEnd | None:
        """Learn from the next minibatch; None when a step was not finite.

        Parameters
        ----------
        config
            How to train from here on; learning rate and clip may be others than before.
        """


class EagerStep:
    """Looks at every step before it updates anything."""

    words = "eager"

    def __init__(self, state: TrainState) -> None:
        self._state = state
        self._last_good = LastGood(state.model.parameters())

    def begin_epoch(self) -> None:
        """Make a tally unless the epoch has one."""
        state = self._state
        assert state.plan is not None  # noqa: S101  (the loop has made it)
        if state.tally is None:
            device = state.batches.ids.device
            losses, norms = torch.zeros((2, len(state.plan)), device=device).unbind()
            state.tally = EpochTally(torch.zeros((), device=device), losses, norms)
        elif state.tally.bad is not None:  # begun with another step; the tensors serve here, too
            state.tally.taken = state.tally.bad = None

    def take(self, config: TrainConfig) -> StepEnd | None:
        """Learn from the next minibatch."""
        return train_step(self._state, config, self._last_good)


def train_step(state: TrainState, config: TrainConfig, last_good: LastGood) -> StepEnd | None:
    """Learn from one minibatch.

    Returns
    -------
    StepEnd or None
        None when the loss, the gradient or an updated parameter was not finite; the parameters
        are then those of the step before, and the state stands where it stood.
    """
    assert state.plan is not None  # noqa: S101  (the loop makes both before the first step)
    assert state.tally is not None  # noqa: S101
    begun = time.perf_counter()
    model, tally = state.model, state.tally
    if not model.training:  # asked first: saying so walks through all modules
        model.train()
    parameters = list(model.parameters())
    X, Y = state.batches.batch(state.plan, state.step)  # (batch_size, num_steps) each
    if state.hidden is None or not state.batches.carries_state:
        state.hidden = model.begin_state(len(X), X.device)
    with tf32_products(X.device):
        loss, hidden = forward_loss(model, X, Y, state.hidden, config.precision)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
    norm = gradient_norm(parameters)
    if not math.isfinite(norm.item()) or not math.isfinite(loss.item()):
        return None
    if config.clip is not None:
        clip_gradients(parameters, norm, config.clip)
    lr = learning_rate(state, config)
    for group in state.optimizer.param_groups:
        group["lr"] = lr
    last_good.keep()
    try:
        state.optimizer.step()
    except BaseException:  # out of memory, say: no half of an update stays
        last_good.restore()
        raise
    if not last_good.all_finite():
        last_good.restore()
        return None
    state.hidden = detach(hidden)
    tally.nats += loss.detach()
    tally.losses[state.step] = loss.detach()
    tally.norms[state.step] = norm
    state.count_steps(1)
    state.count_seconds(time.perf_counter() - begun)
    return step_end(state, (loss.detach(), tally.nats / state.step, norm), lr)


def step_end(
    state: TrainState, values: tuple[torch.Tensor, torch.Tensor, torch.Tensor], lr: float
) -> StepEnd:
    """Return the event of a step from its (loss, epoch_loss, grad_norm), 0-d tensors."""
    assert state.plan is not None  # noqa: S101  (asked within an epoch)
    assert state.tally is not None  # noqa: S101
    loss, epoch_loss, norm = values
    return StepEnd(
        state.epoch + 1,
        state.step,
        len(state.plan),
        loss,
        epoch_loss,
        norm,
        lr,
        state.train_seconds,
        state.total_tokens,
        state.tally.losses,
        state.tally.norms,
    )


def learning_rate(state: TrainState, config: TrainConfig) -> float:
    """Return the learning rate of the step to come."""
    share = SCHEDULES[config.schedule](_progress(state, config), config.warmup)
    return config.peak_lr * share


def _progress(state: TrainState, config: TrainConfig) -> float:
    # In [0, 1): how much of the training is over, by whichever limit is nearest.
    assert state.plan is not None  # noqa: S101  (asked within a step)
    done = [(state.epoch + (state.step + 0.5) / len(state.plan)) / config.epochs]
    if config.max_tokens is not None:
        done.append(state.total_tokens / config.max_tokens)
    if config.max_time is not None:
        done.append((state.train_seconds + state.evaluation_seconds) / config.max_time)
    return min(max(done), 1.0)
