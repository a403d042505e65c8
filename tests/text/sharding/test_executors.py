"""Processes work on items, and a killed one is replaced."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from rnn_magics import language
from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.sharding.executors import Executor, Here, Processes


def squared(number: int) -> int:
    return number * number


def refusing(number: int) -> int:
    if number == 2:
        raise CorpusError(say("'{path}' cannot be read", path="x") if number else "")
    return number


def failing(number: int) -> int:
    return 1 // number


def on_a_full_disk(_: int) -> int:
    raise OSError(28, "No space left on device")


def killed_once(path: str) -> int:
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return len(path)


def killed(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def spoken(_: int) -> str:
    return language.language()


@pytest.mark.parametrize("executor", [Here(), Processes(2)])
def test_results_come_in_the_order_of_the_items(executor: Executor) -> None:
    assert list(executor.map(squared, [3, 1, 2])) == [9, 1, 4]
    assert list(executor.map(squared, [])) == []


def test_an_error_in_a_process_is_raised_here() -> None:
    with pytest.raises(CorpusError, match="'x' cannot be read"):
        list(Processes(2).map(refusing, [1, 2, 3]))
    with pytest.raises(CorpusError, match="a worker failed: ZeroDivisionError"):
        list(Processes(1).map(failing, [1, 0]))
    with pytest.raises(OSError, match="No space left"):
        list(Processes(1).map(on_a_full_disk, [1]))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
def test_a_process_that_was_killed_is_replaced(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a", "bc")]
    assert list(Processes(2).map(killed_once, paths)) == [len(path) for path in paths]
    with pytest.raises(CorpusError, match="a worker was killed 3 times at the same part"):
        list(Processes(1).map(killed, [1]))


def threads_of(_: int) -> tuple[int, int]:
    import numba
    import torch

    return torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS


def test_a_process_has_as_many_threads_as_it_is_told() -> None:
    assert list(Processes(1).map(threads_of, [1])) == [(1, 1)]


def test_processes_speak_the_language_of_this_one() -> None:
    with language.speaking("zh"):
        assert list(Processes(1).map(spoken, [1])) == ["zh"]
