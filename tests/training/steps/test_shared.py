"""Several processes that take a step together, played by threads.

Each has a model, an optimizer and generators of its own, as a process has.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import ConfigError
from rnn_magics.models.recurrent import Share
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd, TrainEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.shared import Lockstep, Orders, require_rows

STEPS = 200


@dataclass
class Table:
    """Where the threads of a group meet."""

    size: int
    numbers: list[Tensor | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = [None] * self.size
        self.meet = threading.Barrier(self.size, timeout=60)

    def shown(self, rank: int, numbers: Tensor) -> list[Tensor]:
        self.numbers[rank] = numbers.clone()
        self.meet.wait()
        found = [part for part in self.numbers if part is not None]
        self.meet.wait()
        return found


@dataclass(frozen=True)
class Seat:
    """The group as one thread sees it."""

    table: Table
    rank: int

    @property
    def size(self) -> int:
        return self.table.size

    def add_up(self, numbers: Tensor) -> None:
        numbers.copy_(torch.stack(self.table.shown(self.rank, numbers)).sum(0))

    def take_first(self, numbers: Tensor) -> None:
        numbers.copy_(self.table.shown(self.rank, numbers)[0])


Told = tuple[Run, TrainState, list[Event]]
Begun = tuple[Run, TrainState]


def together(
    begun: Begun,
    size: int,
    orders: Callable[[], Orders] = Orders,
    spoil: Callable[[int, TrainState], None] = lambda _rank, _state: None,
    most: int | None = None,
) -> list[Told]:
    """Train several copies of a run in step."""
    table = Table(size)

    def work(rank: int) -> Told:
        torch.set_num_threads(1)
        run, state = copies[rank]
        spoil(rank, state)
        lockstep = Lockstep(run, state, Seat(table, rank), orders)
        events = iter_train(run, state, lockstep.asked, lockstep.make_step)
        return run, state, list(until(events, most))

    copies = [copied(begun) for _ in range(size)]
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(work, range(size)))


def copied(begun: Begun) -> Begun:
    run, state = copy.deepcopy(begun)  # keeps what the two have in common
    return run, state


def until(events: Iterator[Event], most: int | None) -> Iterator[Event]:
    """Yield events up to this many steps."""
    left = most
    for event in events:
        yield event
        if left is not None and isinstance(event, StepEnd):
            left -= 1
            if not left:
                return


def alone(begun: Begun, most: int | None = None) -> Told:
    run, state = copied(begun)
    return run, state, list(until(iter_train(run, state), most))


def losses(events: list[Event]) -> Tensor:
    return torch.stack([event.loss for event in events if isinstance(event, StepEnd)])


def begun(
    cell: str = "gru",
    batching: str = "seq",
    rows: int = 7,
    *,
    double: bool = False,
    tokens: int = 3000,
    **settings: object,
) -> Begun:
    text = torch.randint(11, (tokens,), generator=torch.Generator().manual_seed(5))
    batches = Batches(text, BatchConfig(batching, rows, 6), valid=text[:200])
    model = {"dropout": 0.3, "num_layers": 2, "num_hiddens": 8, "scratch": double}
    model |= {name: settings.pop(name) for name in list(settings) if name in model}
    made = ModelConfig(cell, **model)  # type: ignore[arg-type]
    usual = {"epochs": 10, "lr": 0.01, "clip": 0.5, "threads": 1}
    config = TrainConfig(**usual | settings)  # type: ignore[arg-type]
    if not double:
        return begin(batches, made, config)
    was = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        run, state = begin(batches, made, config)
        assert all(p.dtype == torch.float64 for p in state.learning)
        return run, state
    finally:
        torch.set_default_dtype(was)


@pytest.mark.parametrize(("size", "batch", "shares"), [(2, 7, [4, 3]), (3, 3, [1, 1, 1])])
def test_rows_are_shared_out_in_order(size: int, batch: int, shares: list[int]) -> None:
    parts = [Share.of(batch, part, size) for part in range(size)]
    assert [part.number for part in parts] == shares
    assert [row for part in parts for row in range(batch)[part.rows]] == list(range(batch))
    assert sum(part.weight for part in parts) == pytest.approx(1)


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_two_hundred_steps_of_doubles_are_those_of_one(cell: str, batching: str) -> None:
    run = begun(cell, batching, double=True, tokens=10_000)
    one, *_, many = alone(run, STEPS), *together(run, 2, most=STEPS)
    assert len(losses(one[2])) == STEPS
    torch.testing.assert_close(losses(one[2]), losses(many[2]), rtol=0, atol=1e-9)
    for mine, theirs in zip(one[1].learning, many[1].learning, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_two_hundred_steps_of_floats_are_nearly_those_of_one(cell: str, batching: str) -> None:
    run = begun(cell, batching, rows=8, tokens=10_000)
    one, *_, many = alone(run, STEPS), *together(run, 3, most=STEPS)
    torch.testing.assert_close(losses(one[2]), losses(many[2]), rtol=0, atol=1e-4)


def test_all_stay_the_same_to_the_bit_and_score_what_one_scores() -> None:
    run = begun(schedule="cosine", max_time=100_000, epochs=2, score_every=200)
    first, *others = together(run, 3)
    expected = alone(run)
    for other in others:
        assert all(map(torch.equal, first[1].learning, other[1].learning))
        assert first[1].train_seconds == other[1].train_seconds
    assert first[0].history.valid_perplexity == pytest.approx(
        expected[0].history.valid_perplexity, rel=1e-4
    )
    assert [s.steps for s in first[0].between] == [s.steps for s in expected[0].between]
    assert first[0].reason == Ending.EPOCHS
    assert first[0].step == "shared by 3 workers"


def test_what_is_learnt_or_frozen_is_that_of_one() -> None:
    text = torch.randint(11, (3000,), generator=torch.Generator().manual_seed(5))
    batches = Batches(text, BatchConfig("seq", 5, 6))
    model = ModelConfig("gru", num_hiddens=8, num_layers=2, learn_state=True)
    run = begin(batches, model, TrainConfig(threads=1, freeze=("1",)))
    one, *_, many = alone(run, 40), *together(run, 2, most=40)
    for mine, theirs in zip(one[1].model.parameters(), many[1].model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)


def test_a_checkpoint_of_many_goes_on_as_one_and_the_other_way() -> None:
    run = begun()
    whole = alone(run, 60)
    _, *_, part = together(run, 3, most=30)
    rest = alone((part[0], part[1]), 30)
    torch.testing.assert_close(losses(rest[2]), losses(whole[2])[30:], rtol=0, atol=1e-4)
    again = together((part[0], part[1]), 2, most=30)[0]
    torch.testing.assert_close(losses(again[2]), losses(whole[2])[30:], rtol=0, atol=1e-4)


def test_what_is_not_finite_in_one_undoes_the_step_of_all() -> None:
    def spoil(rank: int, state: TrainState) -> None:
        if rank == 1:
            state.model.output.weight.register_hook(lambda gradient: gradient * bad(state))

    def bad(state: TrainState) -> float:
        return float("nan") if state.total_steps == 12 else 1.0

    told = together(begun(), 2, spoil=spoil)
    assert [(run.reason, state.total_steps) for run, state, _ in told] == [("non_finite", 12)] * 2
    assert all(map(torch.equal, told[0][1].learning, told[1][1].learning))


def test_what_lacks_memory_in_one_ends_all() -> None:
    def spoil(rank: int, state: TrainState) -> None:
        def refuse(_module: object, _inputs: object) -> None:
            if state.model.training and state.total_steps == 9:
                raise MemoryError

        if rank == 1:
            state.model.register_forward_pre_hook(refuse)

    told = together(begun(), 2, spoil=spoil)
    assert [(run.reason, state.total_steps) for run, state, _ in told] == [("out_of_memory", 9)] * 2


def test_a_stop_and_another_learning_rate_reach_all_at_the_same_step() -> None:
    asked = iter([*[Orders()] * 20, Orders(steer=(0.5, None)), *[Orders()] * 20])
    told = together(begun(schedule="constant"), 2, lambda: next(asked, Orders(stop=Ending.STOPPED)))
    for run, state, events in told:
        assert run.reason == Ending.STOPPED
        assert state.total_steps == 42
        assert [(s.step, s.lr, s.clip) for s in run.steered] == [(21, 0.5, None)]
        rates = [event.lr for event in events if isinstance(event, StepEnd)]
        assert rates[20:22] == [0.01, 0.5]
        assert isinstance(events[-1], TrainEnd)


def test_each_process_says_how_long_its_rows_took() -> None:
    run, state = begun()
    lockstep = Lockstep(run, state, Seat(Table(1), 0))
    list(islice(iter_train(run, state, lockstep.asked, lockstep.make_step), 10))
    assert lockstep.seconds.shape == (1,)
    assert lockstep.seconds[0] > 0


def test_more_workers_than_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="9 workers share minibatches of 8 rows: take at most 8"):
        require_rows(9, 8)
    run, state = begun(rows=1)
    with pytest.raises(ConfigError, match="2 workers share minibatches of 1 rows"):
        Lockstep(run, state, Seat(Table(2), 0))
    assert replace(run.config.train) == run.config.train
