"""The training loop: what it does to the weights, and what it tells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import TrainingError
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, detach
from rnn_magics.scores.evaluation import Evaluation, evaluate
from rnn_magics.training import state
from rnn_magics.training.config import SCHEDULES, TrainConfig
from rnn_magics.training.events import (
    EpochEnd,
    Evaluated,
    Evaluating,
    Event,
    Measuring,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.machine import threads
from rnn_magics.training.machine.search import Search
from rnn_magics.training.machine.threads import ThreadChoice
from rnn_magics.training.run import Run
from rnn_magics.training.scoring import held_out
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps import step

SMALL = ModelConfig(num_hiddens=8)
PLAIN = TrainConfig(optimizer="sgd", schedule="constant", warmup=0.0, lr=0.5)


def with_(config: TrainConfig, **values: Any) -> TrainConfig:
    return TrainConfig.from_dict({**config.to_dict(), **values})


def bits(model: nn.Module) -> bytes:
    """Return every parameter, bit for bit."""
    return b"".join(p.detach().contiguous().numpy().tobytes() for p in model.parameters())


def parts(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


class Clock:
    """A clock that advances by one second whenever it is read."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def perf_counter(self) -> float:
        return float(next(self._ticks))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (held_out, step, state):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def steps_per_epoch(batches: Batches) -> int:
    """Return a number that holds for every offset of this text."""
    generator = torch.Generator().manual_seed(0)
    (number,) = {len(batches.plan(generator)) for _ in range(100)}
    return number


def events_of(
    batches: Batches,
    config: TrainConfig,
    model: ModelConfig | RNNModel = SMALL,
    *,
    should_stop: Callable[[], str | None] | None = None,
) -> tuple[Run, TrainState, list[Event]]:
    run, state = begin(batches, model, config)
    return run, state, list(iter_train(run, state, should_stop))


def steps_of(events: list[Event]) -> list[StepEnd]:
    return [event for event in events if isinstance(event, StepEnd)]


@pytest.mark.parametrize("kind", ["seq", "random"])
@pytest.mark.parametrize(
    "model",
    [
        SMALL,
        ModelConfig(num_hiddens=8, num_layers=2, dropout=0.3),
        ModelConfig(cell="lstm", num_hiddens=8, tie=True, dropout=0.3),
    ],
)
def test_the_same_seed_gives_the_same_bits(batches: Batches, kind: str, model: ModelConfig) -> None:
    same = Batches(batches.ids, BatchConfig(kind, 4, 8), vocab=batches.vocab)
    weights = []
    for seed, noise in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(noise)  # of the user's own
        list(same)  # so are the epochs drawn by hand
        weights.append(bits(train(same, model, TrainConfig(epochs=2, seed=seed)).model))
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_training_leaves_the_global_generator_alone(batches: Batches) -> None:
    before = torch.get_rng_state()
    train(batches, ModelConfig(num_hiddens=8, dropout=0.5, tie=True), TrainConfig(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("clip", [None, 0.05, 1.0])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
@pytest.mark.parametrize("kind", ["seq", "random"])
def test_an_epoch_is_the_loop_of_a_textbook(
    batches: Batches, kind: str, cell: str, clip: float | None
) -> None:
    batches = Batches(batches.ids, BatchConfig(kind, 4, 8))
    run, state = begin(batches, ModelConfig(cell=cell, num_hiddens=8), with_(PLAIN, clip=clip))
    peer = RNNModel(state.model.config, batches.vocab_size)
    peer.load_state_dict(state.model.state_dict())
    optimizer = torch.optim.SGD(peer.parameters(), lr=0.5)
    plan = state.begin_epoch().plan
    epoch = [batches.batch(plan, index) for index in range(len(plan))]
    iterator = iter_train(run, state)
    assert isinstance(next(iterator), TrainBegin)
    hidden = None
    for X, Y in epoch:
        if kind == "random" or hidden is None:
            hidden = peer.begin_state(4)
        logits, hidden = peer(X, hidden)
        loss = nn.functional.cross_entropy(logits.reshape(-1, batches.vocab_size), Y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(peer.parameters(), clip or math.inf)
        optimizer.step()
        hidden = detach(hidden)
        event = next(iterator)
        assert isinstance(event, StepEnd)
        assert event.loss.item() == pytest.approx(loss.item(), rel=1e-5)
        assert event.grad_norm.item() == pytest.approx(norm.item(), rel=1e-4)
        for mine, other in zip(state.model.parameters(), peer.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("kind", ["seq", "random"])
def test_only_sequential_minibatches_go_on_from_the_state_before(
    batches: Batches, steps_per_epoch: int, kind: str, cell: str
) -> None:
    batches = Batches(batches.ids, BatchConfig(kind, 4, 8))
    run, state = begin(batches, ModelConfig(cell=cell, num_hiddens=8), TrainConfig(epochs=2))
    given: list[tuple[Tensor, ...]] = []
    left: list[tuple[Tensor, ...]] = []

    def spy(_: nn.Module, arguments: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
        given.append(parts(arguments[1]))
        left.append(tuple(part.detach().clone() for part in parts(output[1])))

    state.model.register_forward_hook(spy)
    list(iter_train(run, state))
    assert len(given) == 2 * steps_per_epoch
    assert not any(part.requires_grad for state in given for part in state)
    for place, state_given in enumerate(given):
        if kind == "random" or place % steps_per_epoch == 0:
            assert not any(part.any() for part in state_given)
        else:
            for mine, before in zip(state_given, left[place - 1], strict=True):
                assert torch.equal(mine, before)
                assert before.any()


def test_events_come_in_order(batches: Batches, steps_per_epoch: int) -> None:
    _, _, events = events_of(batches, TrainConfig(epochs=2))
    slices = -(-(len(batches.valid) - 1) // 128)
    assert slices >= 2
    epoch = [StepEnd] * steps_per_epoch + [Evaluating] * slices + [Evaluated, EpochEnd]
    assert [type(event) for event in events] == [TrainBegin, *epoch, *epoch, TrainEnd]
    assert events[0] == TrainBegin(2, steps_per_epoch, 32)
    places = [(event.epoch, event.step) for event in steps_of(events)]
    assert places == list(itertools.product((1, 2), range(1, steps_per_epoch + 1)))
    assert [event.tokens for event in steps_of(events)] == [
        32 * (place + 1) for place in range(2 * steps_per_epoch)
    ]
    assert events[-1] == TrainEnd("epochs", "")


def test_losses_of_the_epoch_are_the_mean_of_the_steps(batches: Batches) -> None:
    _, _, events = events_of(batches, TrainConfig(epochs=1))
    losses = [event.loss.item() for event in steps_of(events)]
    for number, event in enumerate(steps_of(events), 1):
        assert event.epoch_loss.item() == pytest.approx(sum(losses[:number]) / number, rel=1e-5)
    (end,) = (event for event in events if isinstance(event, EpochEnd))
    assert end.train_nats == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_losses_handed_out_do_not_change_later(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1))
    kept: list[tuple[StepEnd, float, float, float]] = []
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            values = event.loss.item(), event.epoch_loss.item(), event.grad_norm.item()
            kept.append((event, *values))
    for event, loss, epoch_loss, norm in kept:
        values = event.loss.item(), event.epoch_loss.item(), event.grad_norm.item()
        assert values == (loss, epoch_loss, norm)


def test_the_history_has_an_entry_for_each_epoch(batches: Batches, clock: Clock) -> None:
    assert isinstance(clock, Clock)
    run, state, events = events_of(batches, TrainConfig(epochs=3, clip=0.3))
    assert {len(values) for values in run.history.to_dict().values()} == {3}
    steps = len(steps_of(events)) // 3
    assert run.history.seconds == [float(steps)] * 3  # a second each, evaluation excluded
    assert run.history.tokens_per_second == run.history.tokens_per_second[:1] * 3 == [32.0] * 3
    assert run.tokens_per_second == 32.0
    for epoch in range(3):
        norms = sorted(e.grad_norm.item() for e in steps_of(events) if e.epoch == epoch + 1)
        assert run.history.grad_norm_max[epoch] == norms[-1]
        median = (norms[steps // 2] + norms[(steps - 1) // 2]) / 2
        assert run.history.grad_norm[epoch] == pytest.approx(median)
        assert run.history.clipped[epoch] == sum(norm > 0.3 for norm in norms) / steps
    expected = evaluate(state.model, batches.valid).perplexity
    assert run.valid_perplexity == pytest.approx(expected)
    assert run.train_perplexity == run.history.train_perplexity[-1]


def test_training_lowers_the_perplexity_of_both_parts(batches: Batches) -> None:
    run = train(batches, SMALL, TrainConfig(epochs=8, lr=0.02))
    assert run.history.train_perplexity[-1] < 0.8 * run.history.train_perplexity[0]
    assert run.valid_perplexity < run.history.valid_perplexity[0]  # type: ignore[operator]


def test_a_run_carries_its_record(batches: Batches) -> None:
    config = TrainConfig(epochs=1)
    run = train(batches, SMALL, config, name="mine")
    assert (run.name, run.reason, run.message) == ("mine", "epochs", "")
    assert (run.config.model, run.config.train, run.config.batching) == (
        *(SMALL, config, batches.config),
    )
    assert run.vocab is batches.vocab
    assert batches.corpus is not None
    assert run.corpus == ("tiny", batches.corpus.fingerprint)
    assert (run.num_train_tokens, run.num_valid_tokens) == (len(batches.ids), len(batches.valid))
    assert run.threads == ThreadChoice(torch.get_num_threads(), "one core")
    assert run.versions["torch"] == torch.__version__
    assert run.state_rule == "carried"
    assert not run.model.training
    assert "Run 'mine': gru, 8 hidden units, 1 layer" in repr(run)


def test_a_run_before_its_first_epoch_has_no_perplexity(batches: Batches) -> None:
    run, _ = begin(batches, SMALL)
    assert run.train_perplexity is run.valid_perplexity is run.reason is None
    assert math.isnan(run.tokens_per_second)
    assert run.name == "gru"
    assert "no epoch yet" in repr(run)


def test_nothing_held_out_means_no_held_out_perplexity(batches: Batches) -> None:
    run, _, events = events_of(Batches(batches.ids, batches.config), TrainConfig(epochs=2))
    assert run.history.valid_perplexity == run.history.valid_bits == [None, None]
    assert run.valid_perplexity is None
    assert not any(isinstance(event, Evaluating) for event in events)


def test_a_bidirectional_run_is_scored_in_windows_from_zero(batches: Batches) -> None:
    model = ModelConfig(num_hiddens=8, bidirectional=True)
    run = train(batches, model, TrainConfig(epochs=1))
    assert run.state_rule == "zero"
    expected = evaluate(run.model, batches.valid, batches.config.num_steps).perplexity
    assert run.valid_perplexity == pytest.approx(expected)


def test_a_given_model_is_trained_further(batches: Batches) -> None:
    first = train(batches, SMALL, TrainConfig(epochs=4, lr=0.02))
    last = first.history.train_perplexity[-1]
    second = train(batches, first.model, TrainConfig(epochs=1, lr=0.02))
    assert second.model is first.model
    assert second.history.train_perplexity[0] < first.history.train_perplexity[0]
    assert second.history.train_perplexity[0] == pytest.approx(last, rel=0.3)


def test_a_model_of_another_vocabulary_is_refused(batches: Batches) -> None:
    with pytest.raises(TrainingError, match="the model has 3 tokens, but the vocabulary has"):
        train(batches, RNNModel(SMALL, 3))


def test_listeners_hear_every_event(batches: Batches) -> None:
    heard: list[Event] = []
    also: list[Event] = []
    train(batches, SMALL, TrainConfig(epochs=1), listeners=[heard.append, also.append])
    assert heard == also
    assert isinstance(heard[0], TrainBegin)
    assert isinstance(heard[-1], TrainEnd)


def test_training_stops_after_so_many_tokens(batches: Batches, steps_per_epoch: int) -> None:
    config = TrainConfig(epochs=9, max_tokens=32 * 3 - 5)
    run, state, events = events_of(batches, config)
    assert state.total_tokens == 32 * 3
    assert run.reason == "max_tokens"
    (end,) = (event for event in events if isinstance(event, EpochEnd))
    assert not end.complete
    assert end.valid_nats is not None  # held-out text is scored all the same
    assert len(run.history) == 1
    assert steps_per_epoch > 3


def test_training_stops_after_so_many_seconds(batches: Batches, clock: Clock) -> None:
    assert isinstance(clock, Clock)
    run, state, events = events_of(batches, TrainConfig(epochs=9, max_time=4.0))
    assert len(steps_of(events)) == 4  # a second each
    assert state.train_seconds == 4.0
    assert (run.reason, run.message) == ("max_time", "")
    assert run.history.valid_perplexity[0] is not None


def test_the_time_of_evaluation_counts_towards_the_limit(
    batches: Batches, clock: Clock, steps_per_epoch: int
) -> None:
    assert isinstance(clock, Clock)
    slices = -(-(len(batches.valid) - 1) // 128) + 1  # and the sum
    limit = steps_per_epoch + slices + 2
    _, state, events = events_of(batches, TrainConfig(epochs=9, max_time=limit))
    assert len(steps_of(events)) == steps_per_epoch + 2
    assert state.train_seconds == steps_per_epoch + 2


@pytest.mark.parametrize("over", [0, 1])
def test_a_limit_reached_with_the_last_step_is_no_limit(
    batches: Batches, steps_per_epoch: int, over: int
) -> None:
    config = TrainConfig(epochs=2, max_tokens=32 * 2 * steps_per_epoch + over)
    run, _, events = events_of(batches, config)
    assert run.reason == "epochs"
    assert len(steps_of(events)) == 2 * steps_per_epoch


def test_a_limit_at_the_end_of_an_epoch_starts_no_other(
    batches: Batches, steps_per_epoch: int
) -> None:
    run, _, events = events_of(batches, TrainConfig(epochs=2, max_tokens=32 * steps_per_epoch))
    assert run.reason == "max_tokens"
    assert len(run.history) == 1
    assert [event.complete for event in events if isinstance(event, EpochEnd)] == [True]


def stop_after(number: int, kind: type[Event]) -> tuple[list[Event], Callable[[], str | None]]:
    """Return a list to put the events into, and the question whether to stop."""
    seen: list[Event] = []

    def asked() -> str | None:
        return "stopped" if sum(isinstance(e, kind) for e in seen) >= number else None

    return seen, asked


def test_a_stop_within_an_epoch_comes_after_the_step(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=9))
    seen, asked = stop_after(3, StepEnd)
    for event in iter_train(run, state, asked):
        seen.append(event)
    assert [type(event) for event in seen] == [TrainBegin, *[StepEnd] * 3, EpochEnd, TrainEnd]
    assert run.reason == "stopped"
    assert run.history.valid_perplexity == [None]
    assert (state.epoch, state.step, state.total_steps) == (0, 3, 3)


def test_a_stop_within_the_evaluation_leaves_the_score_out(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=9))
    seen, asked = stop_after(1, Evaluating)
    for event in iter_train(run, state, asked):
        seen.append(event)
    assert [type(event) for event in seen[-3:]] == [Evaluating, EpochEnd, TrainEnd]
    assert run.reason == "stopped"
    assert run.history.valid_perplexity == [None]
    (end,) = (event for event in seen if isinstance(event, EpochEnd))
    assert not end.complete  # a resumed training scores it


@pytest.mark.parametrize(("number", "kind"), [(3, StepEnd), (1, Evaluating), (12, StepEnd)])
@pytest.mark.parametrize("batching", ["seq", "random"])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(
    batches: Batches, batching: str, number: int, kind: type[Event]
) -> None:
    model = ModelConfig(num_hiddens=8, num_layers=2, dropout=0.2)
    batches = Batches(batches.ids, BatchConfig(batching, 4, 8), valid=batches.valid)
    config = TrainConfig(epochs=2)
    whole = train(batches, model, config)
    run, state = begin(batches, model, config)
    seen, asked = stop_after(number, kind)
    for event in iter_train(run, state, asked):
        seen.append(event)
    assert run.reason == "stopped"
    assert bits(state.model) != bits(whole.model)
    list(iter_train(run, state))
    assert run.reason == "epochs"
    assert bits(state.model) == bits(whole.model)


def assert_stopped_at_last_good_step(
    run: Run, state: TrainState, last_good: bytes, *, epoch: int, step: int
) -> None:
    assert run.reason == "non_finite"
    assert bits(state.model) == last_good
    assert run.message.startswith(
        f"loss, gradient or weights became non-finite in epoch {epoch}, step {step} ("
    )
    assert "the model keeps the parameters of the previous step" in run.message


@pytest.mark.parametrize("bad", [math.inf, math.nan])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_non_finite_gradient_stops_before_the_step(
    batches: Batches, optimizer: str, bad: float
) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=2, optimizer=optimizer, lr=0.1))
    good: list[bytes] = []

    def spoil(gradient: Tensor) -> Tensor:
        return gradient * bad if len(good) == 3 else gradient

    state.model.rnn.cells[0].weight_hh.register_hook(spoil)
    events = []
    for event in iter_train(run, state):
        events.append(event)
        if isinstance(event, StepEnd):
            good.append(bits(state.model))
    assert len(good) == 3
    assert_stopped_at_last_good_step(run, state, good[-1], epoch=1, step=4)
    assert f"{steps_of(events)[-1].grad_norm.item():.3g}" in run.message
    assert [type(event) for event in events[-2:]] == [EpochEnd, TrainEnd]
    assert events[-1] == TrainEnd("non_finite", run.message)
    assert run.valid_perplexity == evaluate(run.model, batches.valid).perplexity
    assert all(parameter.isfinite().all() for parameter in state.model.parameters())


def test_a_non_finite_parameter_stops_before_the_step(
    batches: Batches, steps_per_epoch: int
) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=3))
    spoilt = b""
    for event in iter_train(run, state):
        if isinstance(event, StepEnd) and event.epoch == 2:
            with torch.no_grad():
                state.model.output.bias[0] = math.nan
            spoilt = bits(state.model)
    assert_stopped_at_last_good_step(run, state, spoilt, epoch=2, step=2)
    assert len(run.history) == 2
    assert state.total_steps == steps_per_epoch + 1


def test_a_training_that_explodes_keeps_the_last_good_step(batches: Batches) -> None:
    run, state = begin(batches, SMALL, with_(PLAIN, lr=1e38, clip=None, epochs=50))
    start = bits(state.model)
    good = [bits(state.model) for event in iter_train(run, state) if isinstance(event, StepEnd)]
    assert good
    assert good[-1] != start
    assert_stopped_at_last_good_step(run, state, good[-1], epoch=1, step=len(good) + 1)
    assert run.message.endswith("try --clip 1 or --lr 1e+37")


def test_an_exploded_run_that_stays_finite_says_so(batches: Batches) -> None:
    run = train(batches, SMALL, with_(PLAIN, lr=1e5, clip=None, epochs=3))
    assert run.reason == "epochs"
    assert "is worse than guessing" in run.message
    assert f"({run.model.vocab_size})" in run.message


def test_a_run_that_learns_has_nothing_to_say(batches: Batches) -> None:
    assert train(batches, SMALL, with_(PLAIN, epochs=3)).message == ""


def test_a_training_that_is_bad_from_the_first_step_has_no_epoch(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=2))
    with torch.no_grad():
        state.model.output.bias[0] = math.inf
    before = bits(state.model)
    events = list(iter_train(run, state))
    assert [type(event) for event in events] == [TrainBegin, TrainEnd]
    assert_stopped_at_last_good_step(run, state, before, epoch=1, step=1)
    assert "at the first step" in run.message
    assert len(run.history) == 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_learning_rate_follows_the_schedule(
    batches: Batches, steps_per_epoch: int, name: str
) -> None:
    config = TrainConfig(epochs=3, schedule=name, warmup=0.25, lr=0.02)
    _, _, events = events_of(batches, config)
    total = 3 * steps_per_epoch
    expected = [0.02 * SCHEDULES[name]((place + 0.5) / total, 0.25) for place in range(total)]
    assert [event.lr for event in steps_of(events)] == pytest.approx(expected)


def test_the_schedule_ends_where_the_nearest_limit_is(batches: Batches) -> None:
    config = TrainConfig(epochs=1000, schedule="linear", warmup=0.0, lr=0.1, max_tokens=160)
    _, _, events = events_of(batches, config)
    rates = [event.lr for event in steps_of(events)]
    assert rates[1:] == pytest.approx([0.08, 0.06, 0.04, 0.02])


def test_the_learning_rate_of_an_event_is_the_one_that_was_used(batches: Batches) -> None:
    run, state = begin(batches, SMALL, with_(PLAIN, schedule="linear", clip=None, epochs=1))
    before = [p.detach().clone() for p in state.model.parameters()]
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            for parameter, old in zip(state.model.parameters(), before, strict=True):
                assert parameter.grad is not None
                torch.testing.assert_close(parameter, old - event.lr * parameter.grad)
            before = [p.detach().clone() for p in state.model.parameters()]


def test_without_a_clip_no_step_is_counted_as_clipped(batches: Batches) -> None:
    run = train(batches, SMALL, with_(PLAIN, clip=None, epochs=2))
    assert run.history.clipped == [0.0, 0.0]


def test_with_a_tiny_clip_every_step_is_counted_as_clipped(batches: Batches) -> None:
    run, state = begin(batches, SMALL, with_(PLAIN, clip=1e-3, epochs=1))
    before = torch.cat([p.detach().flatten() for p in state.model.parameters()])
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            after = torch.cat([p.detach().flatten() for p in state.model.parameters()])
            assert (after - before).norm().item() == pytest.approx(0.5 * 1e-3, rel=1e-2)
            before = after
    assert run.history.clipped == [1.0]


def test_nothing_leaks_while_the_loop_waits(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1))
    for _ in iter_train(run, state):
        assert torch.is_grad_enabled()


def test_the_model_may_be_evaluated_between_steps(batches: Batches) -> None:
    model = ModelConfig(num_hiddens=8, dropout=0.3)
    config = TrainConfig(epochs=2)
    run, state = begin(batches, model, config)
    for _ in iter_train(run, state):
        evaluate(state.model.eval(), batches.valid)
    assert bits(run.model) == bits(train(batches, model, config).model)


def test_the_curve_has_every_step(batches: Batches) -> None:
    run, _, events = events_of(batches, TrainConfig(epochs=2))
    steps = steps_of(events)
    ends, losses, lows, highs = run.curve.loss.points()
    assert ends.tolist() == list(range(1, len(steps) + 1))
    assert losses.tolist() == lows.tolist() == highs.tolist() == [e.loss.item() for e in steps]
    assert run.curve.grad_norm.points()[1].tolist() == [e.grad_norm.item() for e in steps]
    assert [step for step, _ in run.curve.epochs] == [len(steps) // 2, len(steps)]
    assert [seconds for _, seconds in run.curve.epochs] == pytest.approx(
        np.cumsum(run.history.seconds)
    )


def test_a_step_tells_all_that_came_before_it_in_its_epoch(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=2))
    losses: list[float] = []
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            losses = [*losses, event.loss.item()] if event.step > 1 else [event.loss.item()]
            assert event.losses[: event.step].tolist() == losses
            assert event.norms[event.step - 1] == event.grad_norm


def spoil_after_update(state: TrainState, number: int, bad: float) -> list[bytes]:
    """Let update `number` leave a weight non-finite; returns the bits before each update."""
    before: list[bytes] = []

    def look(*_: Any) -> None:
        before.append(bits(state.model))

    def spoil(*_: Any) -> None:
        if len(before) == number:
            with torch.no_grad():
                state.model.rnn.cells[0].weight_ih[2, 1] = bad

    state.optimizer.register_step_pre_hook(look)
    state.optimizer.register_step_post_hook(spoil)
    return before


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_update_that_makes_a_weight_non_finite_is_taken_back(
    batches: Batches, steps_per_epoch: int, optimizer: str, bad: float
) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1, optimizer=optimizer, lr=0.1))
    before = spoil_after_update(state, steps_per_epoch, bad)  # no loss would ever show it
    list(iter_train(run, state))
    assert len(before) == steps_per_epoch
    assert_stopped_at_last_good_step(run, state, before[-1], epoch=1, step=steps_per_epoch)
    norms = run.message.partition("norms were ")[2].partition(")")[0].split(", ")
    assert len(norms) == 3
    assert all(math.isfinite(float(norm)) for norm in norms)


def exploding(batches: Batches, *, epochs: int, lr: float) -> Run:
    config = with_(PLAIN, lr=lr, clip=None, epochs=epochs)
    return train(batches, ModelConfig("rnn", num_hiddens=8), config)


@pytest.mark.parametrize("epochs", [1, 2])
@pytest.mark.parametrize("lr", [100.0, 2000.0])  # far above guessing, and infinite
@pytest.mark.parametrize("begins", ["held-out perplexity", "perplexity"])
def test_a_run_that_explodes_says_so_at_its_end(
    batches: Batches, epochs: int, lr: float, begins: str
) -> None:
    if begins == "perplexity":  # nothing is held out
        batches = Batches(batches.ids, batches.config, vocab=batches.vocab)
    run = exploding(batches, epochs=epochs, lr=lr)
    assert run.reason == "epochs"
    guess = batches.vocab_size
    assert (run.valid_perplexity or run.train_perplexity or 0.0) > 2 * guess
    assert f" is worse than guessing ({guess}): training has exploded; try --clip 1" in run.message
    assert run.message.startswith(begins)


def test_a_held_out_score_that_is_no_number_is_said(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = iter([Evaluation(math.nan, len(batches.valid) - 1, "carried")])
    monkeypatch.setattr(held_out, "iter_evaluate", lambda *_: scored)
    run = train(batches, SMALL, TrainConfig(epochs=1))
    assert run.message.startswith("held-out perplexity nan is worse than guessing")


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_sound_run_ends_without_a_word(batches: Batches, epochs: int) -> None:
    assert train(batches, SMALL, TrainConfig(epochs=epochs)).message == ""


def test_held_out_text_of_another_kind_is_said(batches: Batches) -> None:
    other = torch.full_like(batches.valid, 0)  # what the training text never has
    strange = Batches(batches.ids, batches.config, valid=other, vocab=batches.vocab)
    run = train(strange, SMALL, TrainConfig(epochs=1, lr=0.3))
    assert "the two texts differ in kind" in run.message


def test_the_first_answer_ends_the_training_and_the_next_the_scoring(batches: Batches) -> None:
    answers = [None, None, "stopped"]
    run, _, events = events_of(
        batches, TrainConfig(epochs=9), should_stop=lambda: answers.pop(0) if answers else None
    )
    assert len(steps_of(events)) == 3
    assert run.reason == "stopped"
    assert run.valid_perplexity == evaluate(run.model, batches.valid).perplexity
    answers[:] = [None, None, "stopped", None, "interrupted"]
    run, _, events = events_of(
        batches, TrainConfig(epochs=9), should_stop=lambda: answers.pop(0) if answers else None
    )
    assert run.reason == "stopped"
    assert run.history.valid_perplexity == [None]
    assert sum(isinstance(event, Evaluating) for event in events) == 1


def test_a_stop_while_the_last_epoch_is_scored_ends_the_scoring_alone(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1))
    seen, asked = stop_after(1, Evaluating)
    for event in iter_train(run, state, asked):
        seen.append(event)
    assert (run.reason, run.valid_perplexity) == ("epochs", None)  # nothing is left to train


def test_an_error_ends_a_run_as_failed(batches: Batches) -> None:
    runs: list[Run] = []

    def watch(run: Run, _state: TrainState) -> Callable[[Event], None]:
        runs.append(run)
        return lambda event: 1 / 0 if isinstance(event, EpochEnd) and event.epoch == 2 else None

    with pytest.raises(ZeroDivisionError):
        train(batches, SMALL, TrainConfig(epochs=3), watch=watch)
    (run,) = runs
    assert (run.reason, run.message) == ("failed", "ZeroDivisionError: division by zero")
    assert run.valid_perplexity is None
    assert "after epoch 2" in repr(run)


def test_a_bound_that_is_changed_within_an_epoch_judges_only_what_follows(
    batches: Batches,
) -> None:
    run, state = begin(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1, clip=1e-6))
    for event in iter_train(run, state):
        if isinstance(event, StepEnd) and event.step == 3:
            run.steer(replace(run.config.train, clip=None), state.total_steps)
    steps, _ = run.curve.epochs[-1]
    assert steps > 6
    assert run.history.clipped == [3 / steps]


def test_measuring_threads_is_told_before_it_is_done(
    batches: Batches, two_cores: list[int]
) -> None:
    written_out = replace(SMALL, scratch=True)  # its bits may depend on the number
    run, state = begin(batches, written_out, TrainConfig(epochs=1))
    told = [(type(event), bool(two_cores)) for event in iter_train(run, state)]
    assert told[:2] == [(Measuring, False), (TrainBegin, True)]
    assert run.threads == ThreadChoice(2, "measured, of 2")
    assert run.history.threads == [2.0]
    assert torch.get_num_threads() == 2


def test_measuring_changes_no_result(batches: Batches, two_cores: list[int]) -> None:
    written_out = replace(SMALL, scratch=True, num_layers=2, dropout=0.5)
    measured = train(batches, written_out, TrainConfig(epochs=1))
    assert two_cores
    asked = train(batches, written_out, TrainConfig(epochs=1, threads=2))
    assert same_weights(measured, asked)


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
@pytest.mark.parametrize(
    "more",
    [{}, {"num_layers": 3, "dropout": 0.3}, {"embedding_size": 8, "tie": True}],
    ids=["plain", "deep", "tied"],
)
def test_a_number_that_changes_from_step_to_step_changes_no_bit(
    batches: Batches, monkeypatch: pytest.MonkeyPatch, cell: str, more: dict[str, Any]
) -> None:
    class Restless(Search):
        def took(self, _seconds: float) -> None:
            self.number = 3 - self.number

    config = ModelConfig(cell, num_hiddens=8, **more)
    one = train(batches, config, TrainConfig(epochs=2, threads=1))
    monkeypatch.setattr(threads, "Search", Restless)
    both = train(batches, config, TrainConfig(epochs=2))
    assert both.history.threads == pytest.approx([1.5, 1.5], abs=0.2)
    assert both.threads is not None
    assert both.threads.reason == "follows the machine, at most 2"
    assert same_weights(one, both)
    assert torch.get_num_threads() == 2  # as it was


def same_weights(one: Run, other: Run) -> bool:
    """Whether two runs ended at the same bits, their losses among them."""
    pairs = zip(one.model.parameters(), other.model.parameters(), strict=True)
    return one.history.train_bits == other.history.train_bits and all(
        torch.equal(a, b) for a, b in pairs
    )


@pytest.mark.usefixtures("two_cores")
def test_the_place_of_a_run_is_told_as_far_as_it_is_known(batches: Batches) -> None:
    run, _ = begin(batches, SMALL, TrainConfig(epochs=1, device="cpu"))
    assert (run.threads, run.place) == (None, "cpu (as asked)")
    run, _ = begin(batches, SMALL, TrainConfig(epochs=1, device="cpu", threads=1))
    assert run.place == "cpu (as asked), 1 thread (as asked)"
