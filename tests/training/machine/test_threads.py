"""The number of threads: as asked, measured, or following the machine from step to step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from rnn_magics.errors import ConfigError
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.machine import threads
from rnn_magics.training.machine.search import Search
from rnn_magics.training.machine.threads import (
    ThreadChoice,
    Threads,
    choose_threads,
    following_threads,
    measure_threads,
)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    threads.available_threads.cache_clear()
    yield
    torch.set_num_threads(before)
    threads.available_threads.cache_clear()


def idle() -> None:
    """Work that takes no time."""


def pretend(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> list[int]:
    """Let work take so long with so many threads; return what is tried."""
    tried: list[int] = []

    def time_of(_work: Callable[[], object]) -> float:
        tried.append(torch.get_num_threads())
        return seconds[tried[-1]]

    monkeypatch.setattr(threads, "_seconds", time_of)
    return tried


def test_the_number_asked_for_is_chosen() -> None:
    assert choose_threads(2) == ThreadChoice(2, "as asked")


def test_one_core_leaves_no_choice() -> None:
    torch.set_num_threads(1)
    assert str(choose_threads()) == "1 thread (one core)"


def test_with_more_cores_it_has_to_be_found_out() -> None:
    torch.set_num_threads(2)
    assert choose_threads() is None


def test_a_number_that_was_set_first_does_not_hide_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, {1: 1.0, 2: 0.6})
    torch.set_num_threads(2)
    assert choose_threads(1) == ThreadChoice(1, "as asked")
    torch.set_num_threads(1)
    assert measure_threads(idle) == ThreadChoice(2, "measured, of 2")


@pytest.mark.parametrize(
    ("seconds", "fastest"),
    [
        ({1: 1.0, 2: 0.6, 3: 0.4}, 3),
        ({1: 1.0, 2: 0.6, 3: 0.9}, 2),
        ({1: 1.0, 2: 0.95, 3: 0.94}, 1),  # not worth the other cores
        ({1: 1.0, 2: 60.0, 3: 50.0}, 1),
    ],
)
def test_the_fastest_number_is_measured(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], fastest: int
) -> None:
    pretend(monkeypatch, seconds)
    torch.set_num_threads(3)
    assert measure_threads(idle) == ThreadChoice(fastest, "measured, of 3")
    assert torch.get_num_threads() == 3  # nothing is set yet


def test_a_hopeless_number_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, {1: 1.0, 2: 60.0})
    torch.set_num_threads(2)
    measure_threads(idle)
    assert tried.count(2) == 1


def test_what_is_measured_is_the_work_given() -> None:
    torch.set_num_threads(2)
    done: list[int] = []
    choice = measure_threads(lambda: done.append(torch.get_num_threads()))
    assert choice.number in (1, 2)
    assert set(done) == {1, 2}


def test_an_error_in_the_work_leaves_the_number_as_it_was() -> None:
    torch.set_num_threads(2)

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        measure_threads(fail)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("number", [0, -1, 2000])
def test_a_number_that_makes_no_sense_is_refused(number: int) -> None:
    with pytest.raises(ConfigError, match="threads must be"):
        TrainConfig(threads=number)


def test_each_step_has_the_number_of_the_search_and_is_timed() -> None:
    class Told(Search):
        def took(self, seconds: float) -> None:
            heard.append((torch.get_num_threads(), seconds))
            self.number = 3 - self.number

    heard: list[tuple[int, float]] = []
    ticks = iter(range(100))
    torch.set_num_threads(2)
    following = Threads(Told((1, 2), 1), clock=lambda: float(next(ticks) ** 2))
    for _ in range(4):
        with following.step():
            pass
    assert heard == [(1, 1.0), (2, 5.0), (1, 9.0), (2, 13.0)]
    assert following.mean() == 1.5
    assert following.mean() is None


def test_a_search_hears_a_few_times_a_second_how_many_cores_were_idle() -> None:
    class Told(Search):
        def saw(self, idle: float | None) -> None:
            heard.append(idle)

    heard: list[float | None] = []
    ticks, idle = iter(range(100)), iter([0.5, None, 1.5])
    torch.set_num_threads(2)
    following = Threads(
        Told((1, 2), 1), clock=lambda: 0.06 * next(ticks), idle_cores=lambda: next(idle)
    )
    for _ in range(7):  # a step takes 0.06 s, and so does what is between two
        with following.step():
            pass
    assert heard == [0.5, None, 1.5]


def test_without_a_search_the_number_stays() -> None:
    torch.set_num_threads(2)
    as_they_are = Threads()
    with as_they_are.step():
        pass
    assert (as_they_are.mean(), as_they_are.follows) == (2.0, False)


def test_following_begins_with_all() -> None:
    torch.set_num_threads(3)
    threads.available_threads()
    torch.set_num_threads(1)
    following = following_threads()
    with following.step():
        assert torch.get_num_threads() == 3
    assert following.follows
    assert str(ThreadChoice.following(2)) == "2 threads (follows the machine, at most 3)"
