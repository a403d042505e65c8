"""A sweep on a thread of its own, which a cell follows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnn_magics.notebook.live.sweeping import Work
from rnn_magics.sweeps.events import SweepEnd, SweepEvent, Wanted, never


def test_an_error_of_the_events_reaches_the_follower() -> None:
    def events(stopped: Wanted, paused: Wanted = never) -> Iterator[SweepEvent]:
        assert not stopped()
        assert not paused()
        yield SweepEnd(is_complete=False)
        raise ZeroDivisionError

    seen = []
    with pytest.raises(ZeroDivisionError):
        seen += list(Work(events).follow(lambda: None))
    assert seen == []


def test_what_is_asked_to_stop_stops() -> None:
    def events(stopped: Wanted, paused: Wanted = never) -> Iterator[SweepEvent]:
        assert not paused()
        while not stopped():
            pass
        yield SweepEnd(is_complete=False)

    work = Work(events)
    calls = [0]

    def meanwhile() -> None:
        calls[0] += 1
        work.stop()

    assert list(work.follow(meanwhile)) == [SweepEnd(is_complete=False)]
    assert calls[0] >= 1
    work.wait()


def test_what_is_paused_goes_on_when_it_is_resumed() -> None:
    def events(stopped: Wanted, paused: Wanted = never) -> Iterator[SweepEvent]:
        while not paused():
            pass
        seen.append("paused")
        while paused():
            pass
        yield SweepEnd(is_complete=not stopped())

    seen: list[str] = []
    work = Work(events)

    def meanwhile() -> None:
        if seen:
            assert work.is_paused
            work.resume()
            seen.clear()
        elif not resumed:
            work.pause()
            resumed.append(True)

    resumed: list[bool] = []
    assert work.is_alive
    assert list(work.follow(meanwhile)) == [SweepEnd(is_complete=True)]
    assert not work.is_paused
    assert not work.is_alive
