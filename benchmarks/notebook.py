"""Time what the notebook costs: loading the extension, and showing progress while training.

    python benchmarks/notebook.py [--quick]

Both are measured in a real kernel, which stands in a process of its own and sends what is shown
to the client here. The progress is that of ``%train_rnn``, ten updates a second; it takes turns
with the same job whose events nobody shows. A run's seconds are those between its first and its
last event, so what the main thread takes from the worker counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

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
from rnn_magics.notebook.progress import progress_for, silent
from rnn_magics.training.events import TrainBegin, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin

ids = torch.randint(65, (100_000,), generator=torch.Generator().manual_seed(0))

def seconds(shown):
    config = TrainConfig(epochs=EPOCHS, device="cpu")
    run, state = begin(Batches(ids), ModelConfig(), config, "timed")
    progress = progress_for(get_ipython(), run) if shown else silent
    for event in Job(run, state).follow():
        if isinstance(event, TrainBegin):
            begun = time.perf_counter()
        if isinstance(event, TrainEnd):
            ended = time.perf_counter()
        progress(event)
    return ended - begun

seconds(True)
"""
_ROUND = "print([seconds(shown) for shown in (False, True)])"


@contextmanager
def kernel() -> Iterator[BlockingKernelClient]:
    """Start a kernel, and shut it down."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: BlockingKernelClient, code: str) -> list[float]:
    """Execute code whose last line prints a list, and return the list."""
    printed: list[str] = []

    def collect(message: dict[str, dict[str, str]]) -> None:
        if message["header"]["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])
        if message["header"]["msg_type"] == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))

    client.execute_interactive(code, output_hook=collect, timeout=600)
    lines = "".join(printed).replace("False", "false").replace("True", "true").split("\n")
    return json.loads(lines[-2]) if len(lines) > 1 else []  # type: ignore[no-any-return]


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (all benchmarks are asked alike)
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to repeat less.
    """
    loads, torch_there = [], False
    for _ in range(3 if quick else 9):
        with kernel() as client:
            spent, there = run(client, _LOAD)
            loads.append(spent * 1000)
            torch_there |= bool(there)
    with kernel() as client:
        run(client, _PREPARE.replace("EPOCHS", "2" if quick else "6"))
        rounds = [run(client, _ROUND) for _ in range(3 if quick else 15)]
    plain, shown = (statistics.median(column) for column in zip(*rounds, strict=True))
    costs = sorted(with_ / without - 1 for without, with_ in rounds)
    low, high = costs[len(costs) // 4], costs[-1 - len(costs) // 4]
    return [
        Row(
            "%load_ext rnn_magics in a started kernel",
            f"{statistics.median(loads):.0f} ms",
            "",
            None,
            "<= 150 ms",
            f"{min(loads):.0f} to {max(loads):.0f} ms; torch {'' if torch_there else 'not '}loaded",
        ),
        Row(
            "live progress at 10 updates/s: seconds of the same run",
            f"{shown:.2f} s shown",
            f"{plain:.2f} s not shown",
            plain / shown,
            ">= 0.98",
            f"cost {statistics.median(costs):+.1%}, quartiles {low:+.1%} to {high:+.1%},"
            f" {len(rounds)} pairs",
        ),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(table(measure(parser.parse_args().quick)))


if __name__ == "__main__":
    main()
