"""The training step for a device that runs behind the host: it reads nothing back.

The step is one function, `DeviceStep.run_once`, without branches that depend on data. It reads and
writes only tensors at fixed addresses, so that a CUDA graph can contain all of it. `train_step`
checks on the host whether loss, gradient and parameters are finite; this step checks it on the
device, where the result stays. A bad step and all steps after it change nothing until the host
looks, about ten times a second and at the end of an epoch.

On the CPU it gives the same bits as `train_step` with a `TorchUpdate`; tests verify that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from rnn_magics.batching import labels_of
from rnn_magics.language import marked, say
from rnn_magics.models.rnn_model import as_tuple
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.machine.precision import forward_loss, tf32_products
from rnn_magics.training.state import EpochState, TrainState, Unsettled
from rnn_magics.training.steps.clipping import clip_gradients, gradient_norm
from rnn_magics.training.steps.last_good import LastGood
from rnn_magics.training.steps.step import learning_rate, step_end

Capture = Callable[[Callable[[], None], TrainState], Callable[[], None]]
"""``capture(step, state)`` runs the step a few times, and returns a function that replays it."""

_SECONDS_BETWEEN_LOOKS = 0.1


class DeviceStep:
    """Takes steps without waiting for them.

    Parameters
    ----------
    state
        The state of the training. Its epoch takes over the tensors of this step.
    config
        How to train. The optimizer must support ``found_inf`` (see `heeds_found_inf`).
    capture
        Captures the step as a graph; None runs it operation by operation.

    Attributes
    ----------
    starts : Tensor
        The start of each window of the epoch, (more than num_batches, batch_size).
    hidden : tuple of Tensor
        The carried state, each (num_layers * num_directions, batch_size, num_hiddens).
    taken, bad : Tensor
        The number of good steps in this epoch, (1,); 1 if a step was bad, else 0, 0-d.
    report : Tensor
        Loss, loss of the epoch so far and gradient norm of the last step, (3,).
    """

    def __init__(
        self, state: TrainState, config: TrainConfig, capture: Capture | None = None
    ) -> None:
        self.words = marked("eager")
        self._state, self._config = state, config
        self._capture = capture
        self._replay: Callable[[], None] | None = None
        self._ids = state.batches.ids
        device = self._ids.device
        self._window = torch.arange(state.batches.config.num_steps + 1, device=device)
        self._last_good = LastGood(state.learning)
        self._since_look, self._seconds_since_look, self._until_look = 0, 0.0, 1
        # The update reads its rate on its device: in float32 on CUDA, unrounded on the CPU.
        dtype = torch.float32 if device.type == "cuda" else torch.float64
        self._lr = torch.zeros((), dtype=dtype, device=device)
        self.nats, self.bad = torch.zeros((2,), device=device).unbind()
        self.taken = torch.zeros(1, dtype=torch.long, device=device)
        self.report = torch.zeros(3, device=device)
        self.starts = torch.empty((0, 0), dtype=torch.long, device=device)
        self.losses, self.norms = torch.empty((2, 0), device=device).unbind()
        begin = as_tuple(state.model.begin_state(state.batches.config.batch_size, device))
        self.hidden = tuple(part.detach() for part in begin)

    def begin_epoch(self) -> EpochState:
        """Plan an epoch, or continue the current one; it takes over the tensors of this step."""
        epoch = self._state.begin_epoch()
        number = len(epoch.plan)
        if number >= len(self.starts):
            self._make_room(epoch.plan.starts)
        self.starts[:number].copy_(epoch.plan.starts)
        losses, norms = self.losses[:number], self.norms[:number]
        mine = (*self.hidden, self.nats, losses, norms)
        theirs = (*epoch.hidden, epoch.nats, epoch.losses, epoch.norms)
        for part, value in zip(mine, theirs, strict=True):
            part.copy_(value)
        epoch.hidden, epoch.nats = self.hidden, self.nats
        epoch.losses, epoch.norms = losses, norms
        self.taken.fill_(self._state.step)
        self.bad.zero_()
        epoch.unsettled = Unsettled(self.taken, self.bad)
        if self._capture is not None and self._replay is None:
            self._record(self._capture)
        return epoch

    def _make_room(self, starts: Tensor) -> None:
        # Large enough for every built-in plan of this text; a user-defined batching may need more
        # later. The last row is for an extra step that the capture may take.
        most = len(self._ids) // self._state.batches.config.tokens_per_batch
        number = max(len(starts), most) + 1
        self.starts = starts.new_zeros((number, starts.shape[1]), device=self._ids.device)
        self.losses, self.norms = torch.zeros((2, number), device=self._ids.device).unbind()
        self._replay = None  # a graph would use the old tensors

    def _record(self, capture: Capture) -> None:
        # During the capture, every step counts as one after a bad step, so it changes nothing.
        state = self._state
        drawn = state.dropout_generator.get_state()
        self.bad.fill_(1.0)
        try:
            self._replay = capture(self.run_once, state)
            self.words = marked("cuda graph")
        except RuntimeError as error:
            self._capture = None
            first = error.__context__ or error  # the error in the step, not that of the capture
            line, *_ = f"{first}".strip().splitlines() or [type(first).__name__]
            self.words = say("eager; no cuda graph: {line}", line=line)
            # After a failed capture, the old generator may be unusable.
            state.dropout_generator = torch.Generator(self._ids.device)
            state.model.seed_dropout(state.dropout_generator)
        finally:
            state.dropout_generator.set_state(drawn)
            self.bad.zero_()

    def run_once(self) -> None:
        """Train on minibatch number ``taken``, unless a step was bad."""
        state, config = self._state, self._config
        model, optimizer = state.model, state.optimizer
        places = self.starts.index_select(0, self.taken).t() + self._window
        tokens = self._ids[places].long()  # (batch_size, num_steps + 1)
        X, Y = tokens[:, :-1], labels_of(tokens[:, 1:], state.batches.marks)
        hidden = state.begin_step(self.hidden, self.taken == 0)
        loss, last = forward_loss(model, X, Y, hidden, config.precision)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        loss, norm = loss.detach(), gradient_norm(state.learning)
        good = torch.isfinite(loss) & torch.isfinite(norm)
        torch.maximum(self.bad, (~good).float(), out=self.bad)
        if config.clip is not None:
            clip_gradients(state.learning, norm, config.clip)
        self._last_good.keep()
        self._update(optimizer)
        good &= self._last_good.is_finite()
        torch.maximum(self.bad, (~good).float(), out=self.bad)
        bad = self.bad > 0
        self._last_good.restore_where(bad)
        for part, new in zip(self.hidden, last, strict=True):
            part.copy_(torch.where(bad, part, new.detach()))
        self.nats.add_(torch.where(bad, 0.0, loss))
        self.losses.index_copy_(0, self.taken, loss[None])
        self.norms.index_copy_(0, self.taken, norm[None])
        self.taken.add_((~bad).long())
        self.report.copy_(torch.stack((loss, (self.nats / self.taken)[0], norm)))

    def _update(self, optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self._lr
        optimizer.found_inf = self.bad  # type: ignore[attr-defined]  # as torch's GradScaler does
        try:
            optimizer.step()
        finally:
            del optimizer.found_inf  # type: ignore[attr-defined]

    def take(self, epoch: EpochState, config: TrainConfig) -> StepEnd | None:
        """Launch the next step; None if the host has found that a step was not finite."""
        begun = time.perf_counter()
        state = self._state
        if config != self._config and not self._change(config):
            return None
        if epoch.unsettled is not None and epoch.unsettled.known_bad:  # settled elsewhere
            return None
        lr = learning_rate(state, epoch, self._config)
        self._lr.fill_(lr)
        if self._replay is not None:
            self._replay()
        else:
            state.model.train()
            with tf32_products(self._ids.device):
                self.run_once()
        loss, epoch_loss, norm = self.report.clone().unbind()  # an event may be kept
        state.count_steps(1)
        spent = time.perf_counter() - begun
        state.count_seconds(epoch, spent)
        self._seconds_since_look += spent
        self._since_look += 1
        if self._since_look >= self._until_look and not self._look():
            return None
        return step_end(state, epoch, config, (loss, epoch_loss, norm), lr)

    def _change(self, config: TrainConfig) -> bool:
        # A graph contains the clip that it was captured with, but reads the rate at each step.
        captured = self._config.clip
        self._config = config
        if self._replay is None or captured == config.clip:
            return True
        if not self._state.settle():
            return False
        self._replay = None
        if self._capture is not None:
            self._record(self._capture)
        return True

    def _look(self) -> bool:
        # The next look is planned in steps, at the speed measured by the last one, so that the host
        # is never far ahead: a stop has to wait for all steps that were launched.
        before = self._state.train_seconds
        good = self._state.settle()
        seconds = self._seconds_since_look + self._state.train_seconds - before
        fitting = int(_SECONDS_BETWEEN_LOOKS * self._since_look / seconds) if seconds else 1
        self._until_look = max(1, min(fitting, 2 * self._until_look))
        self._since_look, self._seconds_since_look = 0, 0.0
        return good


def heeds_found_inf(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the device can skip an update, as `torch.amp.GradScaler` requires."""
    return bool(getattr(optimizer, "_step_supports_amp_scaling", False))
