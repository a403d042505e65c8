"""Interrupt the first use of rnn_magics in fresh kernels, at random moments; print table rows.

    python benchmarks/torture/first_use.py [--quick]

In each kernel, one cell is the first to import torch, matplotlib, sympy, numba or anywidget. The
cell is interrupted. After that, everything must work as in a kernel without an interrupt.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE = 300
PREPARE = (
    "%load_ext rnn_magics\n%config RNNMagics.live = {live}\n%corpus --max-tokens 20000\n%vocab"
)
SAMPLE = "%sample --batch-size 8 --num-steps 16"
OPTIONS = "--num-hiddens 8 --threads 1"
ENDLESS = f"run = %train_rnn {OPTIONS} --epochs 1000000"
# The cell of the first use, whether views are live, and the longest wait before the interrupt.
FIRST_USES = (
    (ENDLESS, False, 2.5),
    (f"{SAMPLE}\n{ENDLESS}", False, 4.0),
    (f"{SAMPLE}\n{ENDLESS}", True, 4.0),
    ("%vocab --zipf", False, 1.5),
    (f"{SAMPLE}\n%rnn_lab", False, 4.0),
)
AFTERWARDS = (
    "%vocab --zipf",
    SAMPLE,
    f"run = %train_rnn {OPTIONS} --epochs 1",
    "assert run.reason == 'epochs'",
    "%generate the --length 3",
    '%inspect_rnn surprise "the time"',
    "%rnn compare",
    "%baseline",
    "%rnn_lab",
)


def run(client: BlockingKernelClient, cell: str) -> str:
    """Run a cell; return what went wrong in one line, empty if nothing did."""
    told: list[dict[str, Any]] = []
    reply = client.execute_interactive(
        cell, allow_stdin=False, output_hook=told.append, timeout=PATIENCE
    )["content"]
    traces = [t["content"]["ename"] for t in told if t["msg_type"] == "error"]
    if reply["status"] == "ok":
        return ""
    return f"{reply['ename']}: {reply['evalue']}{' (with a traceback)' if traces else ''}"


def interrupted(seed: int) -> tuple[str, str]:
    """Return the output of the interrupted cell of a fresh kernel, and what failed afterwards."""
    first, live, longest = FIRST_USES[seed % len(FIRST_USES)]
    wait = random.Random(seed).uniform(0.1, longest)  # noqa: S311  (no secret)
    manager = KernelManager(kernel_name="python3")
    manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with tempfile.TemporaryDirectory() as folder:
        own = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": folder}
        manager.start_kernel(env={**os.environ, **own}, cwd=folder)
        client = manager.client()
        client.start_channels()
        timer = threading.Timer(wait, manager.interrupt_kernel)
        try:
            client.wait_for_ready(timeout=PATIENCE)
            prepared = [PREPARE.format(live=live), *([SAMPLE] if first == ENDLESS else [])]
            failed = [f"{c}: {why}" for c in prepared if (why := run(client, c))]
            timer.start()
            said = run(client, first)
            timer.join()
            failed += [f"{c}: {why}" for c in AFTERWARDS if (why := run(client, c))]
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    note = f"# {seed}: {wait:.2f} s into {first.splitlines()[-1]}: {said or 'ended'}"
    print(f"{note}; {failed[0] if failed else 'all went on'}", flush=True)
    return said, failed[0] if failed else ""


def main() -> None:
    """Interrupt forty kernels, or four."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the kernels")
    count = 4 if options.parse_args().quick else 40
    results = [interrupted(seed) for seed in range(count)]
    print("| what | count | held |\n|---|---:|---:|")
    on = sum(not failed for _, failed in results)
    clean = sum("traceback" not in said for said, _ in results)
    what = "interrupts at random moments of the first use, in fresh kernels"
    print(f"| {what}: all that follows works | {count} | {on} |")
    print(f"| the same: the cell ends without a traceback | {count} | {clean} |")


if __name__ == "__main__":
    main()
