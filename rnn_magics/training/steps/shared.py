"""A training step that several processes take together, each with its own rows of the minibatch.

All of them run the same loop on the same state, in lockstep: the same minibatch, the same masks of
dropout, the same update. What differs is which rows each reads forward and backward. The gradients
are summed before they are clipped, so the step is that of one process, but for the order of sums.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from rnn_magics.errors import ConfigError, is_out_of_memory
from rnn_magics.language import say
from rnn_magics.models.cells import State
from rnn_magics.models.recurrent import Share
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import StepEnd
from rnn_magics.training.gradients import Gradients
from rnn_magics.training.machine.precision import tf32_products
from rnn_magics.training.run import Run
from rnn_magics.training.state import EpochState, TrainState
from rnn_magics.training.steps.step import finish_step
from rnn_magics.training.steps.update import update_for

_ENDINGS = list(Ending)
_LOSS, _OUT_OF_MEMORY, _SECONDS = 0, 1, 2  # the places before the gradients


class Group(Protocol):
    """The processes that train together, as one of them sees them.

    Attributes
    ----------
    rank : int
        The number of this process, from 0.
    size : int
        How many there are.
    """

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""

    @property
    def size(self) -> int:
        """How many there are."""

    def add_up(self, numbers: Tensor) -> None:
        """Replace numbers by their sum over all processes, the same in each."""

    def take_first(self, numbers: Tensor) -> None:
        """Replace numbers, on the CPU, by those of the process with rank 0."""


@dataclass(frozen=True)
class Orders:
    """What the process with rank 0 was told to do from here on.

    Parameters
    ----------
    stop
        Why training is to end; None to go on.
    steer
        The learning rate and the bound on the gradient norm from the next step on; None to leave
        both as they are.
    wait
        Whether no step is taken until the next orders, which are asked for at once.
    """

    stop: Ending | None = None
    steer: tuple[float, float | None] | None = None
    wait: bool = False


def require_rows(workers: int, batch_size: int) -> None:
    """Refuse more workers than a minibatch has rows.

    Raises
    ------
    ConfigError
        If there are more.
    """
    if workers > batch_size:
        raise ConfigError(
            say(
                "{workers} workers share minibatches of {rows} rows: take at most {rows}, or larger"
                " minibatches (%sample --batch-size {workers})",
                workers=workers,
                rows=batch_size,
            )
        )


class Lockstep:
    """Keeps one process in step with the others: pass its `asked` and `make_step` to `iter_train`.

    What follows from a clock or from a user is decided by the process with rank 0 and told to the
    others: the seconds by which limits and schedules go, a stop, another learning rate.

    Parameters
    ----------
    run, state
        The run and state of `iter_train`, the same in all processes.
    group
        The processes.
    orders
        Asked in the process with rank 0, between two steps.
    note
        What is to be known about the step, e.g. how long it takes.

    Attributes
    ----------
    note : str
        As given.
    seconds : Tensor
        How long each process took for its rows so far, (size,).
    """

    def __init__(
        self,
        run: Run,
        state: TrainState,
        group: Group,
        orders: Callable[[], Orders] = Orders,
        note: str = "",
    ) -> None:
        require_rows(group.size, state.batches.config.batch_size)
        self.note = note
        self._run, self._state, self._group, self._orders = run, state, group, orders
        self._evaluated = state.evaluation_seconds  # the last that all agree on
        self.seconds = torch.zeros(group.size, dtype=torch.float64)

    def make_step(self, state: TrainState, _config: TrainConfig) -> SharedStep:
        """Return what takes the steps."""
        return SharedStep(state, self._group, self)

    def asked(self) -> Ending | None:
        """Return why training ends here, in all processes; None if it goes on."""
        ending, waits = self._obey()
        while waits:  # the others wait here, too, and would otherwise give rank 0 up
            ending, waits = self._obey()
        return ending

    def _obey(self) -> tuple[Ending | None, bool]:
        orders = self._orders() if self._group.rank == 0 else Orders()
        stop = -1 if orders.stop is None else _ENDINGS.index(orders.stop)
        rate, bound = orders.steer or (math.nan, math.nan)
        told = self._agree(stop, rate, math.inf if bound is None else bound, orders.wait)
        if not math.isnan(told[1]):
            train = self._run.config.train
            clip = None if math.isinf(told[2]) else told[2]
            lr = train.lr if told[1] == train.peak_lr else told[1]
            self._run.steer(replace(train, clip=clip, lr=lr), self._state.total_steps)
        return None if told[0] < 0 else _ENDINGS[int(told[0])], bool(told[3])

    def agree_on_time(self) -> None:
        """Agree on the seconds, if a text was scored since the last time."""
        if self._state.evaluation_seconds != self._evaluated:
            self._agree()

    def _agree(self, *told: float) -> list[float]:
        state, epoch = self._state, self._state.current
        seconds = (state.train_seconds, state.evaluation_seconds, epoch.seconds if epoch else 0.0)
        numbers = torch.tensor([*seconds, *told], dtype=torch.float64)
        self._group.take_first(numbers)
        agreed: list[float] = numbers.tolist()
        state.train_seconds, state.evaluation_seconds = agreed[:2]
        if epoch is not None:
            epoch.seconds = agreed[2]
        self._evaluated = state.evaluation_seconds
        return agreed[3:]


class SharedStep:
    """Takes the steps of a run together with other processes, each with its own rows.

    Parameters
    ----------
    state
        The state of the training, the same in all processes.
    group
        The processes.
    lockstep
        What keeps them in step.
    """

    def __init__(self, state: TrainState, group: Group, lockstep: Lockstep) -> None:
        self._state, self._group, self._lockstep = state, group, lockstep
        self._share = Share.of(state.batches.config.batch_size, group.rank, group.size)
        self._gradients = Gradients(state.model)
        self._update = update_for(state.model, state.optimizer)
        self._numbers: Tensor | None = None  # what is summed; made when its size is known

    @property
    def words(self) -> str:
        """How it takes them."""
        note = self._lockstep.note
        shared = say("shared by {workers} workers", workers=self._group.size)
        return shared if not note else say("{step} ({note})", step=shared, note=note)

    def begin_epoch(self) -> EpochState:
        """Plan an epoch, or continue the current one."""
        epoch = self._state.begin_epoch()
        epoch.unsettled = None
        return epoch

    def take(self, epoch: EpochState, config: TrainConfig) -> StepEnd | None:
        """Train on the next minibatch; None, in all processes, if a number was not finite.

        Raises
        ------
        MemoryError
            In all processes, if one of them had not enough memory.
        """
        self._lockstep.agree_on_time()
        begun = time.perf_counter()
        state = self._state
        if not state.model.training:
            state.model.train()
        parameters = state.learning
        for parameter in parameters:
            parameter.grad = None
        try:
            state.model.share_dropout(self._share)
            loss, own = self._compute(epoch, config)
            lacking = 0.0
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            loss, own, lacking = torch.tensor(math.nan), epoch.hidden, 1.0
        finally:
            state.model.share_dropout(None)  # the model is one like any other again
        carried = own if state.batches.carries_state else ()
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        numbers = self._room(gradients, carried)
        head, *rest = self._parts(numbers, gradients, carried)
        head.zero_()
        head[_LOSS], head[_OUT_OF_MEMORY] = loss, lacking
        head[_SECONDS + self._group.rank] = time.perf_counter() - begun
        for part, value in zip(rest, (*gradients, *carried), strict=True):
            part.copy_(value)
        self._group.add_up(numbers)
        told = head.tolist()
        if told[_OUT_OF_MEMORY] > 0:
            raise MemoryError(say("one of the workers has no more memory"))
        self._lockstep.seconds += torch.tensor(told[_SECONDS:], dtype=torch.float64)
        for parameter, part in zip(parameters, rest, strict=False):
            if parameter.grad is not None:
                parameter.grad.copy_(part)
        hidden = tuple(part.clone() for part in rest[len(parameters) :]) or epoch.hidden
        loss = head[_LOSS].clone()
        return finish_step(state, epoch, config, self._update, loss, hidden, begun)

    def _compute(self, epoch: EpochState, config: TrainConfig) -> tuple[Tensor, State]:
        # The part of the loss that the own rows make, and the state with their rows alone.
        state, share = self._state, self._share
        # Nothing is read of the rows of others: of a text on disk these are other pages.
        plan = replace(epoch.plan, starts=epoch.plan.starts[:, share.rows])
        X, Y = state.batches.batch(plan, state.step)  # (rows, num_steps) each
        with tf32_products(X.device):
            is_first = torch.tensor(state.step == 0, device=X.device)
            before = state.begin_step(epoch.hidden, is_first)
            mine = tuple(part[:, share.rows].contiguous() for part in before)
            loss, last = self._gradients.add(X, Y, mine, config.precision, share.weight)
        own = tuple(torch.zeros_like(part) for part in epoch.hidden)
        for part, rows in zip(own, last, strict=True):
            part[:, share.rows] = rows
        return loss, own

    def _room(self, gradients: list[Tensor], carried: State) -> Tensor:
        # One row of numbers, so that there is one sum for all.
        size = _SECONDS + self._group.size + sum(part.numel() for part in (*gradients, *carried))
        if self._numbers is None or len(self._numbers) != size:
            self._numbers = gradients[0].new_zeros(size)
        return self._numbers

    def _parts(self, numbers: Tensor, gradients: list[Tensor], carried: State) -> list[Tensor]:
        shapes = [torch.Size([_SECONDS + self._group.size])]
        shapes += [value.shape for value in (*gradients, *carried)]
        parts = torch.split(numbers, [shape.numel() for shape in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
