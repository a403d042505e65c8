"""The idle cores of the machine, where the system tells them."""

from __future__ import annotations

from typing import NamedTuple

import psutil
import pytest

from rnn_magics.training.machine.idle import IdleCores


class Times(NamedTuple):
    """Seconds of all cores, as psutil tells them."""

    user: float
    system: float
    idle: float
    iowait: float


def idle_cores(monkeypatch: pytest.MonkeyPatch, *told: Times) -> list[float | None]:
    """Ask once a second, on two cores."""
    answers, ticks = iter(told), iter(range(100))
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(answers))
    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    ask = IdleCores(clock=lambda: float(next(ticks)))
    return [ask() for _ in told[1:]]


def test_idle_cores_are_a_mean_since_the_last_question(monkeypatch: pytest.MonkeyPatch) -> None:
    told = (Times(5, 5, 50, 1), Times(5.5, 5, 51.5, 1), Times(7.5, 5, 51.5, 1))
    assert idle_cores(monkeypatch, *told) == [1.5, 0]


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ((0, 0, 0, 0), None),  # a container that counts nothing
        ((8, 2, 54, 0), None),  # counts of 64 cores
        ((0.1, 0, 0.2, 0), None),  # of less time than went by
        ((0.5, 0.1, 1.3, 0), 1.3),  # counts are rounded to a hundredth of a second, or more
    ],
)
def test_what_is_not_plausible_is_not_told(
    monkeypatch: pytest.MonkeyPatch, later: tuple[float, float, float, float], told: float | None
) -> None:
    assert idle_cores(monkeypatch, Times(0, 0, 0, 0), Times(*later)) == [told]


def test_this_machine_tells_them_or_says_that_it_does_not() -> None:
    idle = IdleCores()()
    assert idle is None or 0 <= idle <= 1.5 * (psutil.cpu_count() or 1)
