"""The runs of a real kernel, as a page that knows their comm is told of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE = 120
RUNS = "rnn_magics.runs"
PREPARE = (
    "%load_ext rnn_magics\n%config RNNMagics.live = False\n%corpus\n%vocab\n%sample\n"
    "run = %train_rnn --num-hiddens 8 --threads 1 --epochs 1000000"
)


class Page:
    """A front end that hears the comm, and never opens it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def ask(self, kind: str, content: dict[str, Any]) -> str:
        message = self.client.session.msg(kind, content)
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def order(self, **data: Any) -> None:
        self.ask("comm_msg", {"comm_id": RUNS, "data": data})

    def next(self, kind: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message of the comm that is wanted."""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == RUNS:
                data = message["content"]["data"]
                if data["type"] == kind and wanted(data):
                    return data

    def reply(self, asked: str) -> dict[str, Any]:
        while True:
            message = self.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == asked:
                return message["content"]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    manager = KernelManager(kernel_name="python3")
    manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    own = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path)}
    manager.start_kernel(env={**os.environ, **own}, cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    yield Page(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def in_phase(phase: str) -> Callable[[dict[str, Any]], bool]:
    return lambda data: bool(data["runs"]) and data["runs"][-1]["phase"] == phase


def test_nothing_of_torch_is_loaded_to_tell_that_there_are_no_runs(page: Page) -> None:
    seen = "import sys; loaded = {'torch', 'ipywidgets', 'anywidget'} & set(sys.modules)"
    page.client.execute(f"{seen}\n%load_ext rnn_magics\n{seen}; assert not loaded")
    assert page.next("runs", lambda _data: True)["runs"] == []
    page.order(type="hello")
    assert page.next("runs", lambda _data: True)["runs"] == []
    asked = page.client.execute("assert not {'torch', 'ipywidgets'} & set(sys.modules)")
    assert page.reply(asked)["status"] == "ok"


def test_a_cell_that_waits_tells_its_run_and_a_background_run_obeys(page: Page) -> None:
    waiting = page.client.execute(PREPARE)
    told = page.next("runs", in_phase("training"))["runs"][-1]
    assert (told["name"], told["background"]) == ("gru-1", False)
    page.next("runs", lambda data: data["runs"][-1]["series"] is not None)
    page.order(type="hello")
    page.manager.interrupt_kernel()
    assert page.next("runs", in_phase("ended"))["runs"][-1]["reason"] == "interrupted"
    assert page.reply(waiting)["status"] == "ok"
    page.client.execute("run = %train_rnn --num-hiddens 8 --epochs 1000000 --background")
    page.next("runs", in_phase("training"))
    page.order(type="pause", run="gru-2", id=1)
    assert page.next("answer", lambda data: data["id"] == 1)["said"] == ""
    page.next("runs", in_phase("paused"))
    page.order(type="stop", run="gru-2", id=2)
    assert page.next("runs", in_phase("ended"))["runs"][-1]["reason"] == "stopped"
    page.client.execute("%unload_ext rnn_magics")
    asked = page.ask("comm_info_request", {"target_name": RUNS})
    assert page.reply(asked)["comms"] == {}


def test_a_cell_that_waits_answers_a_page_that_is_new_and_obeys_it(page: Page) -> None:
    """The page sends everything to the main shell, as one without subshells does."""
    waiting = page.client.execute(f"{PREPARE}\nsaid = ['a']")
    page.next("runs", in_phase("training"))
    later = [page.client.execute(f"said.append('{letter}')") for letter in "bcd"]
    info = page.ask("kernel_info_request", {})
    comms = page.ask("comm_info_request", {"target_name": RUNS})
    assert page.reply(info)["implementation"] == "ipython"  # while the cell still waits
    assert page.reply(comms)["comms"] == {RUNS: {"target_name": RUNS}}
    page.order(type="pause", run="gru-1", id=1)
    assert page.next("answer", lambda data: data["id"] == 1)["said"] == ""
    page.next("runs", in_phase("paused"))
    later.append(page.client.execute("assert said == ['a', 'b', 'c', 'd'], said"))
    page.order(type="stop", run="gru-1", id=2)
    assert page.next("runs", in_phase("ended"))["runs"][-1]["reason"] == "stopped"
    for asked in (waiting, *later):
        assert page.reply(asked)["status"] == "ok"


def test_a_page_is_told_that_the_cell_is_still_at_work(page: Page) -> None:
    page.client.execute(PREPARE)
    page.next("runs", in_phase("training"))
    asked = page.ask("kernel_info_request", {})
    states = []
    while len(states) < 2:
        message = page.client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == "status" and (
            states or message["parent_header"]["msg_id"] == asked
        ):
            states.append(message["content"]["execution_state"])
    assert states == ["idle", "busy"]
    page.manager.interrupt_kernel()
