"""A real kernel, as a notebook talks to it."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE = 120  # seconds until a test gives up; nothing waits so long when it works
Message = dict[str, Any]

CORPUS = (
    "%%corpus tiny --valid 0.4\n"
    + (
        "the time traveller for so it will be convenient to speak of him\n"
        "was expounding a recondite matter to us his grey eyes shone and\n"
        "twinkled and his usually pale face was flushed and animated\n"
    )
    * 3
)
ENDLESS = "%train_rnn --num-hiddens 8 --epochs 1000000"
IS_FINITE = "all(p.isfinite().all().item() for p in run.model.parameters())"


@dataclass
class Reply:
    """What came back for one cell."""

    content: Message
    outputs: list[Message] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.content["status"]

    @property
    def value(self) -> str:
        """The plain form of the value of the cell."""
        (result,) = self.of("execute_result")
        return result["data"]["text/plain"]

    @property
    def stderr(self) -> str:
        return self._stream("stderr")

    @property
    def stdout(self) -> str:
        return self._stream("stdout")

    def of(self, kind: str) -> list[Message]:
        return [m["content"] for m in self.outputs if m["msg_type"] == kind]

    def end_of(self, number: int) -> Message:
        """What an output shows at last, by its number in the cell.

        An update belongs to the output that it names, not to the cell in which it comes: while this
        cell runs, a background run of an earlier one may still draw into its own.
        """
        first = self.of("display_data")[number]
        own = [first["transient"].get("display_id")]
        updates = self.of("update_display_data")
        rewritten = [u for u in updates if u["transient"]["display_id"] in own]
        return [first, *rewritten][-1]["data"]

    def _stream(self, name: str) -> str:
        return "".join(part["text"] for part in self.of("stream") if part["name"] == name)


class Kernel:
    """A kernel and the cells that were sent to it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.strays: list[Message] = []  # what came for a cell that had ended

    def run(self, cell: str, on: Callable[[Message], None] = lambda _message: None) -> Reply:
        """Run a cell to its end; `on` sees each message as it comes."""
        asked = self.client.execute(cell, allow_stdin=False)
        outputs: list[Message] = []
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != asked:
                self.strays.append(message)
                continue
            outputs.append(message)
            on(message)
            is_idle = message["content"].get("execution_state") == "idle"
            if message["msg_type"] == "status" and is_idle:
                break
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == asked:
                return Reply(reply["content"], outputs)

    def good(self, cell: str) -> Reply:
        """Run a cell that must neither fail nor complain."""
        reply = self.run(cell)
        assert reply.status == "ok", reply.content
        assert reply.stderr == ""
        return reply

    def next_stray(self) -> Message:
        return self.client.get_iopub_msg(timeout=PATIENCE)

    def ask(self, method: str, *args: Any) -> Message:
        asked = getattr(self.client, method)(*args)
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == asked:
                return reply["content"]


def start(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    manager = KernelManager(kernel_name="python3")
    manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    folder = tmp_path_factory.mktemp("kernel")
    environment = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(folder)}
    manager.start_kernel(env={**os.environ, **environment}, cwd=str(folder))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    kernel = Kernel(manager, client)
    kernel.good("%load_ext rnn_magics\n%config RNNMagics.live = False")
    for cell in (CORPUS, "%vocab", "%sample --batch-size 4 --num-steps 8"):
        kernel.good(cell)
    return kernel


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = start(tmp_path_factory)
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(started: Kernel) -> Iterator[Kernel]:
    yield started
    started.good("%rnn --reset")
    for cell in (CORPUS, "%vocab", "%sample --batch-size 4 --num-steps 8"):
        started.good(cell)


def test_the_pipeline_runs_in_cells(kernel: Kernel) -> None:
    kernel.good("run = %train_rnn --num-hiddens 8 --epochs 2")
    assert kernel.good("run.reason, len(run.history)").value == "('epochs', 2)"
    reply = kernel.good('text = %generate "the " --length 20')
    shown = reply.end_of(0)
    text = ast.literal_eval(kernel.good("str(text)").value)
    assert shown["text/plain"].startswith(f"{text}\n")
    assert "20 tokens of perplexity" in shown["text/plain"]  # in the same output
    assert "<pre " in shown["text/html"]
    assert "<b>the </b>" in shown["text/html"]
    assert "gru-1" in kernel.good("%rnn").value


def test_a_text_that_has_been_read_warms_up(kernel: Kernel) -> None:
    kernel.good("from rnn_magics.notebook.live.warm import warm_up; import sys")
    began = kernel.good("import threading; warm_up.cache_info().currsize").value
    assert began == "1"  # by the corpus of the fixture
    kernel.good("warm_up().join()")
    assert kernel.good("'numba' in sys.modules").value == "True"
    for module in ("rnn_magics.notebook.live.dashboard", "matplotlib.figure"):
        assert kernel.good(f"{module!r} in sys.modules").value == "True"
    assert kernel.good("import gc; gc.isenabled()").value == "True"  # it rested meanwhile


def test_results_have_a_rich_form(kernel: Kernel) -> None:
    (result,) = kernel.good("%vocab").of("execute_result")
    assert set(result["data"]) == {"text/plain", "text/html"}
    assert "<table " in result["data"]["text/html"]


def test_progress_rewrites_one_output_and_ends_with_a_picture(kernel: Kernel) -> None:
    reply = kernel.good("run = %train_rnn --num-hiddens 8 --epochs 2")
    _progress, figure = reply.of("display_data")
    last = reply.end_of(0)["text/plain"]
    for shown in ("1 thread", "held-out ppl", "ended: all epochs done"):
        assert shown in last
    assert kernel.good("f'{run.valid_perplexity:.3f}'").value.strip("'") in last
    assert figure["data"]["image/png"].startswith("iVBOR")  # base64 of a PNG's first bytes
    lines = last.splitlines()
    assert lines[lines.index("ended: all epochs done") + 1].startswith(
        "held-out perplexity "
    )  # the verdict
    assert reply.stdout == ""


def interrupted(kernel: Kernel) -> Reply:
    """Train without end, and interrupt once the progress has been rewritten."""
    shown, sent = [], []

    def on(message: Message) -> None:
        display_id = message["content"].get("transient", {}).get("display_id")
        if message["msg_type"] == "display_data":
            shown.append(display_id)
        elif message["msg_type"] == "update_display_data" and display_id in shown and not sent:
            sent.append(message)
            kernel.manager.interrupt_kernel()

    return kernel.run(f"run = {ENDLESS}", on)


def test_an_interrupt_keeps_the_model_and_the_notebook(kernel: Kernel) -> None:
    for number in range(1, 6):
        reply = interrupted(kernel)
        assert reply.status == "ok"
        assert reply.of("error") == []
        assert reply.stderr == ""
        assert "ended: interrupted" in reply.end_of(0)["text/plain"]
        found = kernel.good(f"run.name, run.reason, len(run.history) >= 1, {IS_FINITE}").value
        assert found == f"('gru-{number}', 'interrupted', True, True)"
        kernel.good("%generate the --length 3")
    assert kernel.good("1 + 1").value == "2"


def test_a_background_run_writes_into_its_own_cell(kernel: Kernel) -> None:
    reply = kernel.good(f"run = {ENDLESS} --background")
    progress, figure = reply.of("display_data")
    ids = [output["transient"]["display_id"] for output in (progress, figure)]
    assert kernel.good("run.reason is None").value == "True"
    other = kernel.good("_ = %generate the --length 3")
    (written,) = other.of("display_data")  # its own text; nothing of the run
    assert written["data"]["text/plain"].startswith("the")
    ids.append(written["transient"]["display_id"])
    updates = [reply, other, *(kernel.good("1") for _ in range(3)), kernel.good("_ = %rnn stop")]
    told = {u["transient"]["display_id"] for r in updates for u in r.of("update_display_data")}
    assert told <= set(ids)
    while True:  # the end is told to the first cell, wherever the kernel is by then
        late = [m["content"] for m in kernel.strays if m["msg_type"] == "update_display_data"]
        late += [u for r in updates for u in r.of("update_display_data")]
        ended = [u for u in late if "ended: stopped" in u["data"]["text/plain"]]
        pictures = [u for u in late if "image/png" in u["data"]]
        if ended and pictures:
            break
        kernel.strays.append(kernel.next_stray())
    assert {u["transient"]["display_id"] for u in ended} == {ids[0]}
    assert {u["transient"]["display_id"] for u in pictures} == {ids[1]}
    assert kernel.good(f"run.reason, {IS_FINITE}").value == "('stopped', True)"


def test_an_error_is_one_line_in_the_notebook(kernel: Kernel) -> None:
    reply = kernel.run("%train_rnn --clip -1")
    assert reply.status == "error"
    assert reply.content["ename"] == "UsageError"
    assert reply.of("error") == []
    assert reply.stderr == "UsageError: --clip must be above 0, not -1.0\n"


def test_tab_completes_options(kernel: Kernel) -> None:
    line = "run = %train_rnn --cell gru --num-h"
    found = kernel.ask("complete", line, len(line))
    assert found["matches"] == ["--num-hiddens"]
    assert line[: found["cursor_start"]] == "run = %train_rnn --cell gru "


def test_inspecting_a_magic_shows_its_options(kernel: Kernel) -> None:
    found = kernel.ask("inspect", "%train_rnn", 5)
    assert found["found"]
    options = (
        "[f for a in get_ipython().find_line_magic('train_rnn').parser().actions"
        " for f in a.option_strings]"
    )
    flags = kernel.good(f"' '.join({options})").value.strip("'").split()
    assert {"--cell", "--clip", "--recipe", "--explain"} <= set(flags)
    assert [flag for flag in flags if flag not in found["data"]["text/plain"]] == []


def test_a_kernel_shuts_down_in_the_midst_of_a_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    kernel = start(tmp_path_factory)
    kernel.good(f"run = {ENDLESS} --background")
    process = kernel.manager.provisioner.process
    kernel.client.shutdown()
    try:
        assert process.wait(PATIENCE) == 0
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


def test_a_run_survives_the_kernel(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("runs")
    options = f"--num-hiddens 8 --epochs 150 --checkpoint {place}/first --every 20steps"
    first = start(tmp_path_factory)
    try:
        first.good(f"run = %train_rnn {options} --background")
        while not (place / "first" / "epoch-0003.safetensors").exists():
            first.good("1")
    finally:
        first.manager.shutdown_kernel(now=True)  # SIGKILL
        first.client.stop_channels()
    second = start(tmp_path_factory)
    try:
        assert "not ended" in second.good(f"%rnn runs {place}").value
        second.good(f"kept = %load_rnn {place}/first --name kept")
        assert second.good("kept.reason, len(kept.history) >= 1").value == "('snapshot', True)"
        assert "<table " in second.good("kept").of("execute_result")[0]["data"]["text/html"]
        reply = second.good(f"run = %train_rnn --resume {place}/first")
        _progress, figure = reply.of("display_data")
        assert "ended: all epochs done" in reply.end_of(0)["text/plain"]
        assert figure["data"]["image/png"].startswith("iVBOR")
        assert second.good("run.name, run.reason, len(run.history)").value == (
            "('gru-1', 'epochs', 150)"
        )
        second.good("whole = %train_rnn --num-hiddens 8 --epochs 150")
        equal = "all(p.equal(q) for p, q in zip(run.model.parameters(), whole.model.parameters()))"
        assert second.good(equal).value == "True"
        assert second.good("run.history.grad_norm == whole.history.grad_norm").value == "True"
    finally:
        second.client.stop_channels()
        second.manager.shutdown_kernel(now=True)


def test_a_dashboard_gives_way_to_what_a_saved_notebook_can_show(kernel: Kernel) -> None:
    kernel.good("%config RNNMagics.live = True")
    try:
        reply = kernel.good("%train_rnn --num-hiddens 8 --epochs 3")
    finally:
        kernel.good("%config RNNMagics.live = False")
    view, table = reply.of("display_data")
    assert "application/vnd.jupyter.widget-view+json" in view["data"]
    latest = {
        update["transient"]["display_id"]: update["data"]
        for update in reply.of("update_display_data")
    }
    picture = latest[view["transient"]["display_id"]]
    assert {"image/png", "text/plain", "application/vnd.rnn-magics.run+json"} == set(picture)
    assert "ended: all epochs done" in latest[table["transient"]["display_id"]]["text/plain"]
    states = [message["data"] for message in reply.of("comm_msg")]
    assert any(data.get("state", {}).get("run", {}).get("phase") == "ended" for data in states)
