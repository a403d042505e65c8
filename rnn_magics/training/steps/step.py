"""One training step.

`train_step` is the step as a textbook has it: it checks loss and gradient before it updates
anything, which is free when the host computes them. On an accelerator,
`rnn_magics.training.steps.device_step` takes the same step without reading them back.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

import torch
from torch import Tensor

from rnn_magics.errors import is_out_of_memory
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import as_tuple
from rnn_magics.training.config import SCHEDULES, TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.gradients import Gradients
from rnn_magics.training.machine.precision import tf32_products
from rnn_magics.training.state import EpochState, TrainState
from rnn_magics.training.steps.progress import seconds_left, share_done
from rnn_magics.training.steps.update import Update, update_for


class Step(Protocol):
    """Takes the steps of a run, one after another.

    Attributes
    ----------
    words : str
        How it takes them, e.g. ``cuda graph`` or ``eager``.
    """

    @property
    def words(self) -> str:
        """How it takes them."""

    def begin_epoch(self) -> EpochState:
        """Plan an epoch, or continue the current one."""

    def take(self, epoch: EpochState, config: TrainConfig) -> StepEnd | None:
        """Train on the next minibatch; None if a step was not finite.

        Parameters
        ----------
        epoch
            The epoch that was begun last.
        config
            How to train from here on; learning rate and clip may have changed.
        """


class EagerStep:
    """Checks every step before it updates anything.

    Parameters
    ----------
    state
        The state of the training.
    update
        Updates its parameters; by default the quickest that can.
    """

    words = "eager"

    def __init__(self, state: TrainState, update: Update | None = None) -> None:
        self._state = state
        self._gradients = Gradients(state.model)
        self._update = update or update_for(state.model, state.optimizer)

    def begin_epoch(self) -> EpochState:
        """Plan an epoch, or continue the current one; tensors of another kind of step will do."""
        epoch = self._state.begin_epoch()
        epoch.unsettled = None
        return epoch

    def take(self, epoch: EpochState, config: TrainConfig) -> StepEnd | None:
        """Train on the next minibatch."""
        return train_step(self._state, epoch, config, self._gradients, self._update)


def train_step(
    state: TrainState,
    epoch: EpochState,
    config: TrainConfig,
    gradients: Gradients,
    update: Update,
) -> StepEnd | None:
    """Train on one minibatch.

    Returns
    -------
    StepEnd or None
        None if the loss, the gradient or an updated parameter was not finite. The parameters are
        then those of the previous step, and the state is unchanged.
    """
    begun = time.perf_counter()
    model = state.model
    if not model.training:  # train() visits all modules, so it is not called every step
        model.train()
    X, Y = state.batches.batch(epoch.plan, state.step)  # (batch_size, num_steps) each
    with tf32_products(X.device):
        before = state.begin_step(epoch.hidden, torch.as_tensor(state.step == 0, device=X.device))
        for parameter in state.learning:
            parameter.grad = None
        loss, hidden = gradients.add(X, Y, before, config.precision)
    return finish_step(state, epoch, config, update, loss, hidden, begun)


def finish_step(
    state: TrainState,
    epoch: EpochState,
    config: TrainConfig,
    update: Update,
    loss: Tensor,
    hidden: State,
    begun: float,
) -> StepEnd | None:
    """Take a step along the gradients that the parameters have.

    Parameters
    ----------
    state, epoch, config, update
        As for `train_step`.
    loss
        Mean nats per token of the minibatch, a 0-d tensor, detached.
    hidden
        The state after the minibatch, detached.
    begun
        When the step began, by ``time.perf_counter``.

    Returns
    -------
    StepEnd or None
        As for `train_step`.
    """
    if not math.isfinite(loss.item()):
        return None
    lr = learning_rate(state, epoch, config)
    for group in state.optimizer.param_groups:
        group["lr"] = lr
    norm = update.take(config.clip)
    if norm is None:
        return None
    epoch.hidden = hidden
    epoch.nats += loss
    epoch.losses[state.step] = loss
    epoch.norms[state.step] = norm
    state.count_steps(1)
    state.count_seconds(epoch, time.perf_counter() - begun)
    values = loss, epoch.nats / state.step, norm
    return step_end(state, epoch, config, values, lr)


def try_step(
    state: TrainState, epoch: EpochState, precision: str, rows: slice = slice(None)
) -> None:
    """Compute the loss of a minibatch and its gradient, and leave everything as it was.

    Of the minibatch some rows may be enough. It is what takes time in a step, to be timed. It draws
    nothing, so it has no dropout; a step that needs too much memory tells that itself.
    """
    model = state.model
    model.eval()
    X, Y = (part[rows] for part in state.batches.batch(epoch.plan, 0))  # (rows, num_steps) each
    hidden = as_tuple(model.begin_state(len(X), X.device))
    try:
        Gradients(model).add(X, Y, hidden, precision)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    finally:
        model.zero_grad(set_to_none=True)


def step_end(
    state: TrainState,
    epoch: EpochState,
    config: TrainConfig,
    values: tuple[Tensor, Tensor, Tensor],
    lr: float,
) -> StepEnd:
    """Return the event of a step from its (loss, epoch_loss, grad_norm), 0-d tensors."""
    loss, epoch_loss, norm = values
    done = share_done(state, epoch, config)
    return StepEnd(
        state.epoch + 1,
        state.step,
        len(epoch.plan),
        loss,
        epoch_loss,
        norm,
        lr,
        state.train_seconds,
        state.total_tokens,
        epoch.losses,
        epoch.norms,
        done,
        seconds_left(state, done),
    )


def learning_rate(state: TrainState, epoch: EpochState, config: TrainConfig) -> float:
    """Return the learning rate of the next step."""
    middle = share_done(state, epoch, config, ahead=0.5)
    return config.peak_lr * SCHEDULES[config.schedule](middle, config.warmup)
