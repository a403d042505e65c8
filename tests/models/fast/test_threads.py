"""Work spread over torch's threads, or over a pool."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

pytest.importorskip("numba", reason="numba, the extra `fast`, is not installed")

from rnn_magics.models.fast import threads
from rnn_magics.models.fast.threads import spread


@pytest.fixture(params=["torch's own", "pool"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "pool":
        monkeypatch.setattr(threads, "_openmp", lambda: None)
    elif threads._openmp() is None:
        pytest.skip("torch does not run on GNU OpenMP here")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize(("size", "grain"), [(1, 1), (2, 1), (10, 4), (100, 8), (3, 8), (0, 4)])
def test_every_part_is_done_once(size: int, grain: int) -> None:
    done: list[tuple[int, int]] = []
    spread((lambda *part: done.append(part), size, grain))
    parts = sorted(done)
    assert [i for first, last in parts for i in range(first, last)] == list(range(size))
    assert all(first % grain == 0 for first, _ in parts)
    assert len(parts) == max(1, min(3, -(-size // grain)))


@pytest.mark.usefixtures("_way")
def test_tasks_are_done_together() -> None:
    done: list[tuple[str, int, int]] = []
    spread(
        (lambda *part: done.append(("a", *part)), 4, 2),
        (lambda *part: done.append(("b", *part)), 9, 1),
    )
    expected = [("a", 0, 2), ("a", 2, 4), ("b", 0, 3), ("b", 3, 6), ("b", 6, 9)]
    assert sorted(done) == expected


@pytest.mark.usefixtures("_way")
def test_the_parts_run_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)
    spread((lambda *_: together.wait() and None, 3, 1))


@pytest.mark.usefixtures("_way")
def test_an_error_of_any_part_reaches_the_caller() -> None:
    def fail(first: int, _last: int) -> None:
        if first:
            raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            spread((fail, 3, 1))


def test_one_thread_does_it_itself() -> None:
    torch.set_num_threads(1)
    names: list[str] = []
    spread((lambda *_: names.append(threading.current_thread().name), 100, 1))
    assert names == [threading.current_thread().name]
