from __future__ import annotations

import subprocess
import sys

from rnn_magics.cluster.hub import MOST_WAITING, Hub


def test_what_is_put_down_is_taken_once() -> None:
    hub = Hub()
    hub.put(b"one", 0)
    hub.put(b"two", 0, is_whole=True)
    hub.put(None, 0)
    assert hub.begin(0) == b"two"
    assert hub.take() == ([b"one", b"two"], 1, "")
    assert hub.take() == ([], 1, "")
    assert hub.begin(1) == b"two"  # the others of the same group
    hub.fail("first")
    hub.fail("second")
    assert hub.take() == ([], 1, "first")


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


def test_a_hub_starts_without_torch() -> None:
    code = "import sys, rnn_magics.cluster.hub; print(sorted({'torch', 'ray'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
