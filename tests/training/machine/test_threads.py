"""The number of threads: as asked, or the fastest by a measurement."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from rnn_magics.errors import ConfigError
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.machine import threads
from rnn_magics.training.machine.threads import ThreadChoice, choose_threads, measure_threads


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    threads._available.cache_clear()
    threads._measured.cache_clear()
    yield
    torch.set_num_threads(before)
    threads._available.cache_clear()
    threads._measured.cache_clear()


def pretend(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> list[int]:
    """Let a step take so long with so many threads; return what is tried."""
    tried: list[int] = []

    def time_of_steps() -> float:
        tried.append(torch.get_num_threads())
        return seconds[tried[-1]]

    monkeypatch.setattr(threads, "_time_of_steps", time_of_steps)
    return tried


def test_the_number_asked_for_is_set_without_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, {})
    assert choose_threads(2) == ThreadChoice(2, "as asked")
    assert torch.get_num_threads() == 2
    assert tried == []


def test_one_core_needs_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, {})
    torch.set_num_threads(1)
    assert str(choose_threads()) == str(measure_threads()) == "1 thread (one core)"
    assert tried == []


def test_what_is_not_known_is_not_measured_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, {1: 1.0, 2: 0.5})
    torch.set_num_threads(2)
    assert choose_threads() is None
    assert tried == []
    assert torch.get_num_threads() == 2


def test_a_number_that_was_asked_for_first_does_not_hide_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, {1: 1.0, 2: 0.6})
    torch.set_num_threads(2)
    assert choose_threads(1) == ThreadChoice(1, "as asked")
    assert measure_threads() == ThreadChoice(2, "measured, of 2")


@pytest.mark.parametrize(
    ("seconds", "fastest"),
    [
        ({1: 1.0, 2: 0.6, 3: 0.4}, 3),
        ({1: 1.0, 2: 0.6, 3: 0.9}, 2),
        ({1: 1.0, 2: 0.95, 3: 0.94}, 1),  # not worth the other cores
        ({1: 1.0, 2: 60.0, 3: 50.0}, 1),
    ],
)
def test_the_fastest_number_is_set(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], fastest: int
) -> None:
    pretend(monkeypatch, seconds)
    torch.set_num_threads(3)
    assert measure_threads() == ThreadChoice(fastest, "measured, of 3")
    assert torch.get_num_threads() == fastest


def test_a_hopeless_number_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, {1: 1.0, 2: 60.0})
    torch.set_num_threads(2)
    measure_threads()
    assert tried.count(2) == 1


def test_a_session_measures_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, {1: 1.0, 2: 0.5})
    torch.set_num_threads(2)
    first, measured = measure_threads(), len(tried)
    torch.set_num_threads(1)
    assert choose_threads() == first
    assert len(tried) == measured
    assert torch.get_num_threads() == first.number


@pytest.mark.parametrize("number", [0, -1, 2000])
def test_a_number_that_makes_no_sense_is_refused(number: int) -> None:
    with pytest.raises(ConfigError, match="threads must be"):
        TrainConfig(threads=number)


def test_a_real_measurement_sets_a_number_that_is_there() -> None:
    torch.set_num_threads(2)
    choice = measure_threads()
    assert choice.number in (1, 2)
    assert choice.reason == "measured, of 2"
    assert torch.get_num_threads() == choice.number
