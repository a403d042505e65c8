"""Which model suits the time, the machine and the text."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import TrainingError
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd, TrainEnd
from rnn_magics.training.recipes import budget
from rnn_magics.training.recipes.budget import (
    REFERENCE,
    SIZES,
    Size,
    measure_rate,
    suited,
)

LIMITS = TrainConfig(epochs=10**6, weight_decay=0.1)


def of_length(num_tokens: int) -> Batches:
    return Batches([number % 7 for number in range(num_tokens)], BatchConfig("seq", 2, 5))


@pytest.fixture
def rate(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """A machine that reads 1,000 tokens a second; returns what was measured."""
    asked: list[TrainConfig] = []

    def measured(_batches: Batches, train: TrainConfig, _tell: Any) -> float:
        asked.append(train)
        return 1_000.0

    monkeypatch.setattr(budget, "measure_rate", measured)
    return asked


def test_the_tables_rise_from_zero() -> None:
    assert SIZES[0].tokens == 0
    assert all(size.dropouts[0][0] == 0 for size in SIZES)
    for rising in (
        [size.tokens for size in SIZES],
        [size.model.num_layers * size.model.num_hiddens**2 for size in SIZES],
        [-size.speed for size in SIZES],
        *([least for least, _ in size.dropouts] for size in SIZES),
        *([share for _, share in size.dropouts] for size in SIZES),
    ):
        assert rising == sorted(rising)
    assert next(size for size in SIZES if size.speed == 1).model == replace(REFERENCE, dropout=0.0)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_more_time_gives_a_larger_model(rate: list[TrainConfig], size: Size) -> None:
    seconds = size.tokens / 1_000 + 1
    train = replace(LIMITS, max_time=seconds)
    found = suited(of_length(100), train)
    assert replace(found.model, dropout=0.0) == size.model
    assert found.lr == size.lr
    assert found.tokens == pytest.approx(1_000 * seconds * size.speed)
    assert rate == [train]


@pytest.mark.parametrize(
    ("size", "passes", "dropout"),
    [
        (size, passes, dropout)
        for size in SIZES
        for before, (least, share) in itertools.pairwise(((0.0, 0.0), *size.dropouts))
        for passes, dropout in ((least + 0.5, share), (least - 0.5, before[1]))
        if passes > 0
    ],
)
def test_a_text_that_is_read_often_gives_more_dropout(
    monkeypatch: pytest.MonkeyPatch, size: Size, passes: float, dropout: float
) -> None:
    monkeypatch.setattr(budget, "SIZES", (replace(size, tokens=0),))
    found = suited(of_length(1_000), replace(LIMITS, max_tokens=round(passes * 1_000)))
    assert found.passes == pytest.approx(passes)
    assert found.model.dropout == dropout


def test_tokens_that_are_given_need_no_clock(rate: list[TrainConfig]) -> None:
    batches = of_length(1_000)
    assert suited(batches, replace(LIMITS, max_tokens=5_000)).tokens == 5_000
    assert suited(batches, TrainConfig(epochs=3)).tokens == 3_000
    assert not rate


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_tokens_that_are_given_are_those_of_the_model(size: Size) -> None:
    most = round(size.tokens * size.speed) + 1
    found = suited(of_length(100), replace(LIMITS, max_tokens=most))
    assert replace(found.model, dropout=0.0) == size.model
    assert found.tokens == most


@pytest.mark.usefixtures("rate")
def test_the_nearest_of_several_limits_counts() -> None:
    batches, speed = of_length(1_000), SIZES[0].speed
    both = replace(LIMITS, max_time=7, max_tokens=5_000)
    assert suited(batches, both).tokens == 5_000
    assert suited(batches, replace(both, max_tokens=50_000)).tokens == 7_000 * speed
    assert suited(batches, replace(both, epochs=2)).tokens == 2_000


@pytest.mark.usefixtures("rate")
def test_the_sentence_says_what_was_found() -> None:
    size = SIZES[-1]
    said = str(suited(of_length(10**4), replace(LIMITS, max_time=size.tokens / 1_000)))
    tokens = size.tokens * size.speed
    assert f": {size.model.cell}, {size.model.num_layers} layers of " in said
    assert (
        f"{size.model.num_hiddens}, dropout {size.dropouts[-1][1]:g}, learning rate {size.lr:g};"
        in said
    )
    assert f"read about {tokens / 1e6:.1f} million tokens" in said
    assert said.endswith(f"the training text {tokens / 10**4:.1f} times")


def test_the_rate_is_that_of_the_steps_that_were_taken(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[StepEnd] = []
    monkeypatch.setattr(budget, "_SECONDS", 0.0)
    monkeypatch.setattr(budget, "REFERENCE", replace(REFERENCE, num_hiddens=8))

    def tell(event: Event) -> None:
        if isinstance(event, StepEnd):
            taken.append(event)

    found = measure_rate(batches, TrainConfig(threads=1), tell)
    warm, last = taken[1], taken[-1]
    assert len(taken) == 7
    assert found == pytest.approx((last.tokens - warm.tokens) / (last.seconds - warm.seconds))


def test_steps_of_the_search_for_threads_do_not_make_the_rate_smaller(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two threads take a second for a step of ten tokens, one takes three; a lucky step of three
    # threads does not count.
    took = [(2, 9.0), (2, 1.0), (2, 1.0), (1, 3.0), (1, 3.0), (3, 0.1), (2, 1.0)]
    now = [0]

    def steps(_run: Any, _state: Any, _should_stop: Any) -> Any:
        seconds = 0.0
        for number, (threads, taken) in enumerate(took, 1):
            now[0] = threads
            seconds += taken
            yield StepEnd(
                epoch=1,
                step=number,
                num_steps=len(took),
                loss=torch.tensor(1.0),
                epoch_loss=torch.tensor(1.0),
                grad_norm=torch.tensor(1.0),
                lr=0.1,
                seconds=seconds,
                tokens=10 * number,
                losses=torch.ones(len(took)),
                norms=torch.ones(len(took)),
                done=0.0,
                seconds_left=1.0,
            )

    monkeypatch.setattr(budget, "iter_train", steps)
    monkeypatch.setattr(torch, "get_num_threads", lambda: now[0])
    assert measure_rate(batches, TrainConfig(threads=1)) == pytest.approx(10.0)


def test_what_cannot_be_timed_says_why(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    def ending(run: Any, _state: Any, _should_stop: Any) -> Any:
        run.message = "out of memory"
        yield TrainEnd(Ending.OUT_OF_MEMORY, run.message)

    monkeypatch.setattr(budget, "iter_train", ending)
    with pytest.raises(TrainingError, match="out of memory"):
        measure_rate(batches, TrainConfig(threads=1))
