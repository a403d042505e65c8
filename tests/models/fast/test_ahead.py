"""Cells are compiled in another process, and whoever comes too early waits for them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rnn_magics.models.cells import CELLS
from rnn_magics.models.fast import ahead as ahead_module
from rnn_magics.models.fast.ahead import LIKELY, Ahead, ahead
from rnn_magics.models.rnn_model import ModelConfig, RNNModel

PATIENCE = 60
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


class Told:
    """A process that says what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self, cells: Sequence[str]) -> subprocess.Popen[str]:
        self.asked.append(tuple(cells))
        self.process = subprocess.Popen(
            [sys.executable, "-c", ECHO],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self.process

    def say(self, made: Ahead, cell: str, *, making: str) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(f"{cell}\n")
        self.process.stdin.flush()
        with made._moved:
            assert made._moved.wait_for(lambda: made.making == making, PATIENCE)


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    if made.process is not None:
        assert made.process.stdin is not None
        made.process.stdin.close()  # then it ends, and whoever reads it closes the rest
        made.process.wait()


def waiting(made: Ahead, cell: str) -> threading.Thread:
    thread = threading.Thread(target=made.wait, args=(cell,), daemon=True)
    thread.start()
    return thread


def test_only_the_cell_in_the_making_is_waited_for(told: Told) -> None:
    made = Ahead(told.start)
    made.begin(iter(["gru", "lstm"]))
    assert told.asked == [("gru", "lstm")]
    told.say(made, "gru", making="gru")
    made.wait("lstm")  # comes back at once
    thread = waiting(made, "gru")
    assert thread.is_alive()
    told.say(made, "gru", making="")
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_process_that_is_killed_keeps_nobody_waiting(told: Told) -> None:
    made = Ahead(told.start)
    made.begin(["rnn"])
    told.say(made, "rnn", making="rnn")
    thread = waiting(made, "rnn")
    assert told.process is not None
    told.process.kill()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_forked_process_waits_for_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Ahead(told.start)
    made.begin(["gru"])
    told.say(made, "gru", making="gru")
    monkeypatch.setattr(ahead_module, "is_forked", lambda: True)
    thread = waiting(made, "gru")
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert made.making == ""


def test_it_starts_once_and_not_for_nothing(told: Told) -> None:
    made = Ahead(told.start)
    made.begin([])
    assert told.asked == []
    made.begin(["gru"])
    made.begin(["lstm"])
    assert told.asked == [("gru",)]


def test_where_no_process_can_be_started_nothing_waits() -> None:
    def refuse(_cells: Sequence[str]) -> subprocess.Popen[str]:
        raise PermissionError

    made = Ahead(refuse)
    made.begin(["gru"])
    made.wait("gru")


def test_a_model_is_not_ready_while_its_cell_is_in_the_making(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = RNNModel(ModelConfig("gru", num_hiddens=4), 5)
    assert model.is_ready  # the tests have compiled it
    monkeypatch.setattr(ahead(), "_cell", "gru")
    assert not model.is_ready
    assert RNNModel(ModelConfig("lstm", num_hiddens=4), 5).is_ready


def test_the_likely_cells_are_all_built_in_ones() -> None:
    assert set(LIKELY) <= set(CELLS)
    assert LIKELY[0] == ModelConfig().cell


def test_the_process_compiles_for_all_others(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def output(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert output("-m", ahead_module.__name__, "rnn") == "rnn\nrnn\n"
    kept = "from rnn_magics.models.engines import is_compiled; print(is_compiled('rnn'))"
    assert output("-c", kept) == "True\n"
