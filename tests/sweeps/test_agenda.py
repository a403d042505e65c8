"""The clock of a sweep: what counts towards its budget."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from rnn_magics.batching import Batches
from rnn_magics.sweeps import agenda
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.events import Events, SweepEvent, TrialStep, never
from rnn_magics.sweeps.loop import sweep
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns

HOUR = 3600.0


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of a clock, which sleeps an hour at once."""
    at = [0.0]

    def sleep(_seconds: float) -> None:
        at[0] += HOUR

    monkeypatch.setattr(agenda, "time", SimpleNamespace(monotonic=lambda: at[0], sleep=sleep))
    return at


def made(budget: str) -> SimpleNamespace:
    config = SweepConfig(budget=budget)
    return SimpleNamespace(spent=1.0, config=config, folder=SimpleNamespace(path="here"))


def test_the_time_that_a_sweep_waits_does_not_count(now: list[float]) -> None:
    asks = iter([True, True, False, False])
    clock = agenda.Clock(made("10s"), never, lambda: next(asks))  # type: ignore[arg-type]
    now[0] = 2
    clock.wait()
    assert now[0] == 2 + 2 * HOUR
    assert clock.spent == 1 + 2
    now[0] += 5
    assert not clock.is_paused()
    assert clock.spent == 1 + 2 + 5
    assert not clock.is_over()
    now[0] += 2
    assert clock.is_over()
    assert "budget is used up" in clock.message


def test_a_sweep_that_waits_can_be_stopped(now: list[float]) -> None:
    clock = agenda.Clock(made("10s"), lambda: now[0] > 2 * HOUR, lambda: True)  # type: ignore[arg-type]
    clock.wait()
    assert clock.is_over()
    assert clock.message.startswith("stopped; ")


def test_a_trial_waits_between_two_steps(small: Batches, tmp_path: Path, now: list[float]) -> None:
    seen: list[tuple[type[SweepEvent], float]] = []

    def drive(_made: SweepRuns, events: Events) -> None:
        for event in events(never, lambda: len(seen) in (3, 4) and now[0] < 3 * HOUR):
            seen.append((type(event), now[0]))  # noqa: PERF401  (its length is looked at)

    space = Space(num_hiddens="4,5", epochs=1)
    config = SweepConfig(search="grid", budget="1h")
    found = sweep(small, space, config, folder=tmp_path / "one", drive=drive)
    assert found.best is not None  # the budget was not used up
    steps = [at for kind, at in seen if kind is TrialStep]
    assert {0.0, 3 * HOUR} == set(steps)
