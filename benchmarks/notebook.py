"""Time the cost of the notebook: loading the extension, and showing progress during training.

    python benchmarks/notebook.py [--quick]

Everything is measured in a real kernel, which runs in its own process and sends its output to the
client here. The output is that of ``%train_rnn`` with four updates per second: either the dashboard
with its curves and a sample of text every three seconds, or lines of text. Both take turns with the
same job without output. The seconds of a run are those between its first and its last event, so the
time that other threads take from the worker is included. The delay of an update is the time from
the end of a training step until the client has the message about it; the time to draw is not
included. The wait for the first step is that from sending ``%train_rnn`` to a new kernel until the
client hears of a step. The kernel has read a text before; its cell comes at once after the line
that cut minibatches, as when all cells are run, or a few seconds later, as when somebody reads
them. What numba compiles is in its cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from report import Row, table

_LOAD = """
import sys, time
begun = time.perf_counter()
get_ipython().run_line_magic("load_ext", "rnn_magics")
print([time.perf_counter() - begun, "torch" in sys.modules])
"""
_PREPARE = """
import time
import torch
from rnn_magics import Batches, ModelConfig, TrainConfig
from rnn_magics.notebook.live.dashboard import Dashboard
from rnn_magics.notebook.live.progress import progress_for, silent
from rnn_magics.training.events import StepEnd, TrainBegin, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin

ids = torch.randint(65, (100_000,), generator=torch.Generator().manual_seed(0))

WAYS = ("silent", "dashboard", "text")
turns = 0
steps = {}

def note(event):
    if isinstance(event, StepEnd):
        steps[event.tokens] = time.monotonic()

def seconds(way):
    config = TrainConfig(epochs=EPOCHS, device="DEVICE")
    run, state = begin(Batches(ids), ModelConfig(), config, "timed")
    job = Job(run, state)
    progress = progress_for(get_ipython(), run) if way == "text" else silent
    job.also(note)
    if way == "dashboard":
        dashboard = Dashboard(run, figure=False)
        dashboard.job = job
        job.also(dashboard)
    for event in job.follow():
        if isinstance(event, TrainBegin):
            begun = time.perf_counter()
        if isinstance(event, TrainEnd):
            ended = time.perf_counter()
        progress(event)
    return ended - begun

seconds("dashboard")
"""
ROUND = """
first = turns % len(WAYS)  # each is the first, the second and the last equally often
turns += 1
spent = {way: seconds(way) for way in WAYS[first:] + WAYS[:first]}
print([spent[way] for way in WAYS])
"""
_LATE = (
    "steps.clear(); seconds('dashboard'); print([part for pair in steps.items() for part in pair])"
)

_READ = """
%load_ext rnn_magics
%corpus python_docs
%vocab
%sample
print([0])
"""
_TRAIN = "%train_rnn --epochs 1 --max-tokens 100k --no-baseline"
_SECONDS_OF_READING = 5


@contextmanager
def kernel() -> Iterator[BlockingKernelClient]:
    """Start a kernel, and shut it down at the end."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(
    client: BlockingKernelClient, code: str, listen: Callable[[dict[str, Any]], None] | None = None
) -> list[float]:
    """Execute code whose last line prints a list, and return the list."""
    printed: list[str] = []

    def collect(message: dict[str, Any]) -> None:
        if listen is not None:
            listen(message)
        if message["header"]["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])
        if message["header"]["msg_type"] == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))

    client.execute_interactive(code, output_hook=collect, timeout=600)
    lines = "".join(printed).replace("False", "false").replace("True", "true").split("\n")
    is_list = len(lines) > 1 and lines[-2].startswith("[")
    return json.loads(lines[-2]) if is_list else []  # type: ignore[no-any-return]


def step_of(message: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a message tells the dashboard about a step; None if it tells of none."""
    state = message["content"].get("data", {}) if message["msg_type"] == "comm_msg" else {}
    step: dict[str, Any] | None = state.get("state", {}).get("run", {}).get("now")
    return step


def prepare(epochs: int, device: str = "cpu") -> str:
    """Return the code that defines in a kernel what `ROUND` runs."""
    return _PREPARE.replace("EPOCHS", str(epochs)).replace("DEVICE", device)


def late(client: BlockingKernelClient) -> list[float]:
    """Return how many milliseconds after its step each update of a dashboard arrived."""
    came: dict[int, float] = {}

    def note(message: dict[str, Any]) -> None:
        now = time.monotonic()  # one clock for all processes of a machine
        if (step := step_of(message)) is not None:
            came.setdefault(step["tokens"], now)

    flat = run(client, _LATE, note)
    stepped = dict(zip(flat[::2], flat[1::2], strict=True))
    return [1000 * (at - stepped[tokens]) for tokens, at in came.items() if tokens in stepped]


def first_step(pause: float) -> float:
    """Return the seconds from `%train_rnn` in a new kernel until the client hears of a step."""
    heard: list[float] = []

    def note(message: dict[str, Any]) -> None:
        if step_of(message) is not None:
            heard.append(time.monotonic())

    with kernel() as client:
        run(client, _READ)
        time.sleep(pause)
        sent = time.monotonic()
        run(client, _TRAIN, note)
    return heard[0] - sent


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (all benchmarks are asked alike)
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to repeat fewer times.
    """
    loads, torch_there = [], False
    for _ in range(3 if quick else 9):
        with kernel() as client:
            spent, there = run(client, _LOAD)
            loads.append(spent * 1000)
            torch_there |= bool(there)
    with kernel() as client:
        run(client, prepare(2 if quick else 4))
        rounds = [run(client, ROUND) for _ in range(3 if quick else 45)]
        delays = late(client)
    waits = {pause: [first_step(pause) for _ in range(3)] for pause in (0, _SECONDS_OF_READING)}
    return [
        Row(
            "%load_ext rnn_magics in a started kernel",
            f"{statistics.median(loads):.0f} ms",
            "",
            None,
            "<= 150 ms",
            f"{min(loads):.0f} to {max(loads):.0f} ms; torch {'' if torch_there else 'not '}loaded",
        ),
        cost("the dashboard at 4 updates/s", [(one, two) for one, two, _ in rounds]),
        cost("progress in text at 4 updates/s", [(one, three) for one, _, three in rounds]),
        Row(
            "from the end of a step to its update at the client",
            f"{statistics.median(delays):.1f} ms",
            "",
            None,
            "",
            f"{min(delays):.1f} to {max(delays):.1f} ms, {len(delays)} updates",
        ),
        *(
            Row(
                f"from %train_rnn to its first step at the client, {pause} s after the cells above",
                f"{statistics.median(spent):.2f} s",
                "",
                None,
                "<= 1 s",
                f"{min(spent):.2f} to {max(spent):.2f} s, {len(spent)} kernels",
            )
            for pause, spent in waits.items()
        ),
    ]


def cost(what: str, pairs: list[tuple[float, float]]) -> Row:
    """Return the row of pairs of seconds: of a run without output, and of one with output."""
    plain, shown = (statistics.median(column) for column in zip(*pairs, strict=True))
    costs = sorted(with_ / without - 1 for without, with_ in pairs)
    low, high = costs[len(costs) // 4], costs[-1 - len(costs) // 4]
    return Row(
        f"{what}: seconds of the same run",
        f"{shown:.2f} s shown",
        f"{plain:.2f} s not shown",
        statistics.median(without / with_ for without, with_ in pairs),
        ">= 0.98",
        f"cost {statistics.median(costs):+.1%}, quartiles {low:+.1%} to {high:+.1%},"
        f" {len(pairs)} pairs",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(table(measure(parser.parse_args().quick)))


if __name__ == "__main__":
    main()
