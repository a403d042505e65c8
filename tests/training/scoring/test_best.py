"""The best weights of a training: which they are, and what is left at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from torch import Tensor

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError
from rnn_magics.models.rnn_model import ModelConfig, weights
from rnn_magics.scores.evaluation import Evaluation, evaluate, perplexity
from rnn_magics.training import loop
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Evaluated, Evaluating, Event, StepEnd, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run, copy_run
from rnn_magics.training.scoring import held_out
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.device_step import DeviceStep
from rnn_magics.training.steps.step import EagerStep, Step

SMALL = ModelConfig(num_hiddens=8, dropout=0.2)
# The learning rate is so high that the held-out score rises again.
CONFIG = TrainConfig(epochs=6, lr=0.6, schedule="constant", warmup=0, threads=1)
BEST = replace(CONFIG, weights="best")


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterable[float]], None]:
    """Let the held-out text have these scores, one after another; the last one stays."""

    def use(nats: Iterable[float]) -> None:
        coming = list(nats)

        def scored(*_: object) -> object:
            yield None
            yield Evaluation(coming.pop(0) if len(coming) > 1 else coming[0], 10, "carried")

        monkeypatch.setattr(held_out, "iter_evaluate", scored)

    return use


def copied(run: Run) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in weights(run.model).items()}


def same(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return all(value.equal(theirs[name]) for name, value in mine.items())


def followed(
    batches: Batches,
    config: TrainConfig,
    stop: Callable[[Event], str | None] = lambda _: None,
) -> tuple[Run, TrainState, list[Event], dict[int, dict[str, Tensor]]]:
    """Train, and return run, state, events, and the weights at each score by steps."""
    run, state = begin(batches, SMALL, config)
    asked: list[str] = []  # each is heard once
    events, kept = [], {}

    def next_asked() -> str | None:
        return asked.pop() if asked else None

    for event in iter_train(run, state, next_asked):
        events.append(event)
        asked.extend(filter(None, [stop(event)]))
        if isinstance(event, Evaluated):
            kept[event.steps] = copied(run)
    run.model.eval()
    return run, state, events, kept


def scored(events: list[Event]) -> list[Evaluated]:
    return [event for event in events if isinstance(event, Evaluated)]


def test_the_run_has_the_weights_of_its_best_score(batches: Batches) -> None:
    run, state, events, kept = followed(batches, BEST)
    lowest = min(scored(events), key=lambda event: event.nats)
    assert 0 < lowest.steps < state.total_steps  # or nothing is shown
    assert same(copied(run), kept[lowest.steps])
    assert evaluate(run.model, batches.valid).nats == lowest.nats
    assert run.weights_from == lowest.steps
    assert run.epoch == lowest.epoch
    assert run.valid_perplexity == perplexity(lowest.nats) == run.record.best.perplexity  # type: ignore[union-attr]
    assert run.train_perplexity == run.history.train_perplexity[lowest.epoch - 1]
    assert f"best weights, after epoch {lowest.epoch}" in run.which_weights
    assert run.which_weights in repr(run)
    assert [event.is_best for event in scored(events)] == [
        all(event.nats < other.nats for other in scored(events)[:at])
        for at, event in enumerate(scored(events))
    ]


def test_what_is_kept_changes_no_step(batches: Batches) -> None:
    plain, _, _, before = followed(batches, CONFIG)
    run, state, _, after = followed(batches, BEST)
    assert before.keys() == after.keys()
    assert all(same(before[steps], after[steps]) for steps in before)
    assert plain.weights_from is None
    assert plain.which_weights == ""
    assert same(copied(plain), before[plain.steps])
    assert plain.history.valid_bits == run.history.valid_bits
    assert state.best is not None
    assert same(state.best.weights, copied(plain))  # the last ones are there, too


def test_scores_between_epochs_change_no_step(batches: Batches) -> None:
    plain = train(batches, SMALL, CONFIG)
    run = train(batches, SMALL, replace(CONFIG, score_every=64))
    assert same(copied(plain), copied(run))
    assert plain.history.valid_bits == run.history.valid_bits
    assert not plain.between
    assert len(run.between) > len(run.history)


def test_the_text_is_scored_after_so_many_tokens(batches: Batches) -> None:
    run, _, events, kept = followed(batches, replace(CONFIG, score_every=100))
    between = [score.tokens for score in run.between]
    ends = {steps * 32 for steps, _ in run.curve.epochs}
    # The first step that reaches each multiple, unless an epoch ends there.
    due = [t for t in range(32, run.tokens + 1, 32) if t // 100 > (t - 32) // 100]
    assert between == [tokens for tokens in due if tokens not in ends]
    assert [event.tokens for event in scored(events)] == sorted({*between, *ends})
    for score in run.between[:5]:
        peer, _ = begin(batches, SMALL, CONFIG)
        for name, value in weights(peer.model).items():
            value.data.copy_(kept[score.steps][name])
        assert evaluate(peer.model, batches.valid).nats == score.nats
        assert score.steps * 32 == score.tokens


def test_the_best_may_lie_between_two_epochs(
    batches: Batches, scores: Callable[[Iterable[float]], None]
) -> None:
    scores([3.0, 2.0, 2.5, 2.6])
    run, _, events, kept = followed(batches, replace(BEST, epochs=1, score_every=96))
    assert len(scored(events)) == len(run.between) + 1
    assert run.weights_from == run.between[1].steps
    assert same(copied(run), kept[run.between[1].steps])
    assert run.scored is not None
    assert run.scored.is_present
    assert str(run.scored) == "7.389 (best, after 192 tokens)"
    assert run.which_weights == "best weights, after 192 tokens, worse since"
    assert run.epoch == 1


def test_patience_counts_scores(
    batches: Batches, scores: Callable[[Iterable[float]], None]
) -> None:
    scores([3.0, 2.0, 2.5, 2.0, 1.9, 2.0, 2.0, 1.0])
    run, _, events, _ = followed(batches, replace(CONFIG, epochs=99, patience=2, max_tokens=None))
    assert run.reason == "patience"  # 2.0 is not lower than 2.0, so it ends after the fourth
    assert len(run.history) == 4
    assert isinstance(events[-1], TrainEnd)
    assert run.reason.as_planned


def test_patience_counts_the_scores_between_epochs_as_well(
    batches: Batches, scores: Callable[[Iterable[float]], None]
) -> None:
    scores([3.0, 2.0, 2.5, 2.6, 2.7])
    run, _, events, _ = followed(batches, replace(BEST, score_every=64, patience=2))
    assert run.reason == "patience"
    assert len(run.between) == 4
    assert len(scored(events)) == 4  # the epoch that is cut short is not scored again
    assert run.history.valid_perplexity == [perplexity(2.6)]
    assert run.weights_from == run.between[1].steps
    assert [s.steps for s in run.record.scores] == [s.steps for s in run.between]


def test_no_number_is_never_the_best(
    batches: Batches, scores: Callable[[Iterable[float]], None]
) -> None:
    scores([3.0, math.nan, 4.0, math.nan])
    run, _, _, kept = followed(batches, replace(BEST, epochs=4))
    assert run.epoch == 1
    assert same(copied(run), kept[run.weights_from or 0])


@pytest.mark.parametrize("reason", ["stopped", "interrupted"])
def test_a_stop_leaves_the_best_weights(batches: Batches, reason: str) -> None:
    def stop(event: Event) -> str | None:
        late = isinstance(event, StepEnd) and (event.epoch, event.step) == (6, 2)
        return reason if late else None

    run, state, events, kept = followed(batches, BEST, stop)
    lowest = min(scored(events), key=lambda event: event.nats)
    assert run.reason == reason
    assert lowest.steps < state.total_steps == scored(events)[-1].steps
    assert same(copied(run), kept[lowest.steps])
    assert run.valid_perplexity == perplexity(lowest.nats)


def test_a_stop_at_the_best_keeps_these(
    batches: Batches, scores: Callable[[Iterable[float]], None]
) -> None:
    scores([3.0, 2.0])

    def stop(event: Event) -> str | None:
        is_late = isinstance(event, StepEnd) and (event.epoch, event.step) == (2, 2)
        return "stopped" if is_late else None

    run, state, _, kept = followed(batches, BEST, stop)
    assert run.weights_from is None
    assert same(copied(run), kept[state.total_steps])
    assert run.valid_perplexity == perplexity(2.0)
    # A training without interruption would not have scored here.
    assert state.best is not None
    assert state.best.nats == 3.0


def test_a_second_stop_leaves_the_best_weights_without_another_score(batches: Batches) -> None:
    stopping: list[Event] = []

    def stop(event: Event) -> str | None:
        if isinstance(event, StepEnd) and (event.epoch, event.step) == (6, 2):
            stopping.append(event)
        return "stopped" if stopping else None

    run, _, events, kept = followed(batches, BEST, stop)
    assert run.history.valid_bits[-1] is None
    lowest = min(scored(events), key=lambda event: event.nats)
    assert same(copied(run), kept[lowest.steps])
    assert run.scored is not None
    assert run.scored.is_present


def test_a_stop_between_two_scores_is_told_once(batches: Batches) -> None:
    def stop(event: Event) -> str | None:
        is_first = isinstance(event, Evaluating) and event.epoch == 2
        return "stopped" if is_first else None

    run, _, events, _ = followed(batches, replace(BEST, score_every=96), stop)
    assert run.reason == "stopped"
    assert not any(type(a) is Evaluated is type(b) for a, b in pairwise(events))
    assert [s.steps for s in run.record.scores] == [e.steps for e in scored(events)]


@pytest.mark.parametrize("every", [None, 96])
@pytest.mark.parametrize("kind", [lambda state, _: EagerStep(state), DeviceStep])
def test_numbers_that_explode_leave_the_best_weights(
    batches: Batches, monkeypatch: pytest.MonkeyPatch, every: int | None, kind: Callable[..., Step]
) -> None:
    monkeypatch.setattr(loop, "choose_step", kind)
    run, state = begin(batches, SMALL, replace(BEST, score_every=every))
    kept, broken = {}, False
    for event in iter_train(run, state):
        if isinstance(event, Evaluated):
            kept[event.steps] = copied(run), event
        if isinstance(event, EpochEnd) and event.epoch == 3 and not broken:
            broken = True
            state.model.output.bias.register_hook(lambda grad: grad * math.nan)
    steps, (best, event) = min(kept.items(), key=lambda item: item[1][1].nats)
    assert run.reason == "non_finite"
    assert same(copied(run), best)
    if steps < state.total_steps:
        assert run.weights_from == steps
        assert run.valid_perplexity == perplexity(event.nats)
    assert "the model has its best weights; try" in run.message


def test_too_little_memory_leaves_the_best_weights(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = EagerStep.take

    def fails(self: EagerStep, epoch: object, config: TrainConfig) -> StepEnd | None:
        if state.epoch == 5 and state.step == 3:
            raise MemoryError
        return take(self, epoch, config)  # type: ignore[arg-type]

    monkeypatch.setattr(EagerStep, "take", fails)
    run, state = begin(batches, SMALL, BEST)
    kept = {}
    for event in iter_train(run, state):
        if isinstance(event, Evaluated):
            kept[event.nats] = copied(run)
    assert run.reason == "out_of_memory"
    assert same(copied(run), kept[min(kept)])
    assert "the model has its best weights; try" in run.message


def test_a_copy_of_a_run_in_training_has_the_present_weights(batches: Batches) -> None:
    run, state = begin(batches, SMALL, replace(BEST, score_every=96))
    for event in iter_train(run, state):
        if isinstance(event, StepEnd) and event.epoch == 6:
            copy = copy_run(run)
            break
    assert copy.weights_from is None
    assert same(copied(copy), copied(run))
    copy.between.clear()
    assert run.between


def test_a_job_leaves_the_best_weights_and_may_be_steered(batches: Batches) -> None:
    run, state = begin(batches, SMALL, BEST)
    kept = {}

    def note(event: Event) -> None:
        if isinstance(event, Evaluated):
            kept[event.nats] = copied(run)
        if isinstance(event, EpochEnd) and event.epoch == 1:
            run.steer(replace(run.config.train, lr=0.2), state.total_steps)

    list(Job(run, state, watch=note).follow())
    assert run.steered
    assert run.reason == "epochs"
    assert same(copied(run), kept[min(kept)])


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"patience": 2}, "--patience"),
        ({"weights": "best"}, "--keep best"),
        ({"score_every": 9}, "--score-every"),
    ],
)
def test_without_held_out_text_nothing_is_best(
    batches: Batches, settings: dict[str, object], flag: str
) -> None:
    bare = Batches(batches.ids, batches.config)
    with pytest.raises(ConfigError, match=f"^{flag} needs held-out text, and nothing is held out"):
        train(bare, SMALL, replace(CONFIG, **settings))  # type: ignore[arg-type]
