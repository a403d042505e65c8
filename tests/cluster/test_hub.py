from __future__ import annotations

import subprocess
import sys

from rnn_magics.cluster.hub import MOST_WAITING, Hub
from rnn_magics.cluster.messages import Stay, Taken, Whole


def test_what_is_put_down_is_taken_once() -> None:
    hub = Hub()
    hub.put(b"one", 0)
    hub.put(b"two", 0, is_whole=True)
    hub.put(None, 0)
    assert hub.begin(0) == b"two"
    assert hub.take() == Taken((b"one", b"two"), 1)
    assert hub.take() == Taken((), 1)
    assert hub.begin(1) == b"two"  # the others of the same group
    hub.fail("first")
    hub.fail("second")
    assert hub.take() == Taken((), 1, "first")
    hub.end()
    assert hub.take() == Taken((), 1, "first", is_over=True)


def test_an_order_is_told_until_it_is_carried_out() -> None:
    hub = Hub()
    hub.order(1, b"stop")
    hub.order(2, b"steer")
    assert hub.put(None, 0).orders == ((1, b"stop"), (2, b"steer"))
    assert hub.put(None, 0).orders == ((1, b"stop"), (2, b"steer"))
    assert hub.put(None, 1).orders == ((2, b"steer"),)


def test_workers_wait_for_a_notebook_that_takes_nothing() -> None:
    hub = Hub()
    waits = [hub.put(b"", 0).must_wait for _ in range(MOST_WAITING + 1)]
    assert waits == [False] * MOST_WAITING + [True]
    hub.take()
    assert not hub.put(None, 0).must_wait


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_workers_wait_for_a_kernel_that_is_alive_and_for_no_other() -> None:
    clock = Clock()
    hub = Hub(Stay(b"stop", patience=20, alone=100, kept=1000), clock)
    hub.follow("me")
    waits = [hub.put(b"update", 0).must_wait for _ in range(MOST_WAITING + 1)]
    assert waits[-1]
    clock.now = 15
    hub.beat("me")  # paused, and alive
    hub.beat("another")
    clock.now = 30
    assert hub.put(None, 0).must_wait
    clock.now = 36
    assert not hub.put(None, 0).must_wait
    assert not hub.known().is_followed
    for number in range(9):
        hub.put(b"%d" % number, 0, is_whole=True)
        assert not hub.put(b"of no use without the one before", 0).must_wait
    assert hub.take("me").updates == (b"8",)  # it was only slow
    assert hub.known().is_followed


def test_a_run_belongs_to_one_kernel() -> None:
    hub = Hub(Stay(b"stop", patience=20, alone=100, kept=1000), Clock())
    hub.follow("first")
    hub.put(b"begin", 0, is_whole=True, is_first=True)
    hub.put(b"here", 0, is_whole=True)
    hub.order(1, b"steer", "first")
    hub.leave("nobody")
    assert hub.known().is_followed
    hub.leave("first")
    assert not hub.known().is_followed
    assert hub.take_over("second") == Whole(b"", b"begin", b"here", 1)
    assert hub.take("first") == Taken(is_mine=False)
    hub.order(2, b"stop", "first")
    assert hub.take("second") == Taken()  # what lay there has been returned already
    assert hub.put(None, 0).orders == ((1, b"steer"),)


def test_a_run_that_nobody_follows_is_stopped_and_then_given_up() -> None:
    clock = Clock()
    hub = Hub(Stay(b"stop", patience=20, alone=100, kept=1000), clock)
    hub.follow("me")
    hub.order(1, b"steer", "me")
    clock.now = 90
    hub.beat("me")
    clock.now = 180
    assert not hub.judge()
    assert hub.put(None, 0).orders == ((1, b"steer"),)
    clock.now = 191
    assert not hub.judge()
    assert not hub.judge()  # it is told once
    assert hub.put(None, 1).orders == ((2, b"stop"),)
    clock.now = 1091
    assert hub.judge()
    hub.take_over("another")
    assert not hub.judge()
    assert not Hub().judge()  # that of a local Ray ends with the kernel


def test_a_hub_starts_without_torch() -> None:
    code = "import sys, rnn_magics.cluster.hub; print(sorted({'torch', 'ray'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
