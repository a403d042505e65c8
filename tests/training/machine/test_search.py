"""The search for the fastest number of threads, on machines that are made up."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from rnn_magics.training.machine.search import Search

STEP = 0.02  # seconds of a step with one thread
Machine = Callable[[int, float], float]
"""How many times as fast as with one free core a step is, with a number of threads at a time."""


def quiet(number: int, _now: float) -> float:
    return {1: 1.0, 2: 1.7, 4: 2.6}[number]


def busy(number: int, _now: float) -> float:
    return {1: 0.9, 2: 0.3, 4: 0.15}[number]


def half_busy(number: int, _now: float) -> float:
    return {1: 1.0, 2: 1.1, 4: 0.4}[number]


def comes_and_goes(number: int, now: float) -> float:
    return (busy if 20 <= now < 40 else quiet)(number, now)


def flat(_number: int, _now: float) -> float:
    return 1.0


MACHINES = (quiet, busy, half_busy, comes_and_goes, flat)


def steps_taken(
    machine: Machine, choose: Search | int, *, noise: float, seed: int = 0, until: float = 60.0
) -> list[tuple[float, int]]:
    """Train for a minute; return when each step ended, and with how many threads it was taken."""
    drawn, now, taken = random.Random(seed), 0.0, []
    while now < until:
        number = choose if isinstance(choose, int) else choose.number
        seconds = STEP / machine(number, now)
        seconds *= 1 + noise * drawn.random() * (10 if drawn.random() < 0.02 else 1)
        seconds *= drawn.choice((1, 1, 1 + 2 * noise))  # of another process, that has its turn
        now += seconds
        taken.append((now, number))
        if isinstance(choose, Search):
            choose.took(seconds)
    return taken


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [0.0, 0.3], ids=["steady", "noisy"])
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("candidates", [(1, 2), (1, 2, 4)])
def test_each_stretch_is_nearly_as_fast_as_with_the_best_number(
    machine: Machine, candidates: tuple[int, ...], noise: float, seed: int
) -> None:
    search = Search(candidates, candidates[-1])
    followed = steps_taken(machine, search, noise=noise, seed=seed)
    fixed = [steps_taken(machine, n, noise=noise, seed=seed) for n in candidates]
    for begin in (0, 20, 40):
        stretch = [
            sum(begin <= now < begin + 20 for now, _ in taken) for taken in (followed, *fixed)
        ]
        least = 0.85 if noise else 0.9
        assert stretch[0] >= least * max(stretch[1:]), (begin, stretch)


def test_a_quiet_machine_uses_all_and_a_busy_one_a_single_thread() -> None:
    for machine, best in ((quiet, 4), (busy, 1)):
        numbers = [n for _, n in steps_taken(machine, Search((1, 2, 4), 4), noise=0.1)]
        assert numbers.count(best) > 0.9 * len(numbers)


def test_a_hopeless_neighbour_is_tried_seldom() -> None:
    def awful(number: int, _now: float) -> float:
        return 1.0 if number == 1 else 0.01

    taken = steps_taken(awful, Search((1, 2), 1), noise=0.1)
    assert 1 <= sum(number == 2 for _, number in taken) <= 8


def test_with_two_threads_of_a_busy_machine_a_lucky_trial_is_not_kept_for_long() -> None:
    def steps_of(choose: Search | int, seed: int) -> list[int]:
        drawn, now, numbers = random.Random(seed), 0.0, []
        while now < 60:
            numbers.append(number := choose if isinstance(choose, int) else choose.number)
            spread = 0.25 * number  # more threads wait for more processes
            seconds = {1: 0.04, 2: 0.046}[number] * drawn.lognormvariate(-(spread**2) / 2, spread)
            now += seconds
            if isinstance(choose, Search):
                choose.took(seconds)
                choose.saw(0.0)
        return numbers

    followed = [steps_of(Search((1, 2), 2), seed) for seed in range(10)]
    fixed = [max(len(steps_of(number, seed)) for number in (1, 2)) for seed in range(10)]
    assert sum(map(len, followed)) >= 0.96 * sum(fixed)
    assert sum(map(sum, followed)) <= 1.2 * sum(map(len, followed))


Idle = Callable[[float, int], float | None]
"""How many of two cores are idle at a time, with a number of threads."""


def told(now: float, number: int) -> float:
    return 0.0 if 20 <= now < 40 else 2.0 - number


def untold(_now: float, _number: int) -> None:
    return None


def never_idle(_now: float, _number: int) -> float:
    return 0.0


def of_a_whole_machine(_now: float, _number: int) -> float:
    return 40.0


def comes_and_goes_beside(idle: Idle, seed: int) -> list[tuple[float, int]]:
    """Train beside a process that comes after 20 s and goes after 40; return times and numbers."""
    drawn, search, now, looked, taken = random.Random(seed), Search((1, 2), 2), 0.0, 0.0, []
    while now < 80:
        number = search.number
        if number == 1 or not 20 <= now < 40:
            seconds = (0.03 if number == 1 else 0.017) * drawn.uniform(0.95, 1.1)
        else:
            seconds = max(0.017, 0.065 * drawn.lognormvariate(-0.18, 0.6))
        now += seconds
        search.took(seconds)
        taken.append((now, number))
        if now - looked > 0.25:
            search.saw(idle(looked := now, number))
    return taken


@pytest.mark.parametrize("seed", range(5))
def test_idle_cores_tell_at_once_that_a_machine_is_quiet_again(seed: int) -> None:
    taken = comes_and_goes_beside(told, seed)
    quiet_again = [number for now, number in taken if now > 41]
    assert quiet_again.count(2) > 0.97 * len(quiet_again)


@pytest.mark.parametrize("seed", range(5))
def test_without_idle_cores_more_threads_are_tried_seldom(seed: int) -> None:
    busy = [number for now, number in comes_and_goes_beside(told, seed) if 21 < now < 40]
    assert busy.count(2) < 0.03 * len(busy)


@pytest.mark.parametrize("idle", [untold, never_idle, of_a_whole_machine])
@pytest.mark.parametrize("seed", range(5))
def test_where_the_system_does_not_tell_the_truth_time_alone_does(idle: Idle, seed: int) -> None:
    taken = comes_and_goes_beside(idle, seed)
    busy = [number for now, number in taken if 21 < now < 40]
    assert busy.count(1) > 0.9 * len(busy)
    quiet_again = [number for now, number in taken if now > 65]
    assert quiet_again.count(2) > 0.95 * len(quiet_again)


def test_short_steps_are_judged_by_more_than_one() -> None:
    search, numbers = Search((1, 2), 1), []
    for step in range(10_000):  # with two threads, every tenth step waits for a busy process
        numbers.append(search.number)
        search.took(0.001 if search.number == 1 else 0.0006 + 0.02 * (step % 10 == 9))
    assert numbers.count(1) > 0.9 * len(numbers)


def test_a_single_slow_step_of_the_system_changes_nothing() -> None:
    search = Search((1, 2), 2)
    seconds = {1: 3.0, 2: 0.012}  # one thread is out of the question, and tried for two steps
    tried = []
    for step in range(60):
        tried.append(search.number)
        search.took(3.0 if step == 30 else seconds[search.number])
    assert tried.count(1) == 2


@pytest.mark.parametrize("number", [1, 3])
def test_it_never_leaves_the_candidates(number: int) -> None:
    search = Search((1, 3), number)
    for step in range(2000):
        assert search.number in (1, 3)
        search.took(0.01 * (1 + step % 7))
