"""Torture of runs that several workers train together. Prints table rows.

    python benchmarks/torture/workers.py [--quick]

A cluster of two machines is made of processes of this one. In each round a run begins with two
workers; then a worker is killed (`kill -9`), or the machine of a worker is taken away, at a random
step. The run must go on from its last update, and end, and its losses must be those of one process
to 1e-3. Then the process that began a run is killed at a random step, and another attaches to the
run and follows it to its end. Last, such a process is killed, and another resumes the run from its
folder.
A row is ``| what | count | held |``, and what did not hold is written to stderr. `--quick`: two
kills, one machine and one kernel.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
os.environ |= {  # so that a lost machine is noticed in seconds
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "60",
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}

import psutil  # noqa: E402
import torch  # noqa: E402

from rnn_magics.cluster.attaching import attach, attach_run  # noqa: E402
from rnn_magics.cluster.connection import ray_or  # noqa: E402
from rnn_magics.cluster.workers import Workers  # noqa: E402
from rnn_magics.training.endings import Ending  # noqa: E402
from rnn_magics.training.events import StepEnd, TrainEnd  # noqa: E402
from rnn_magics.training.run import Run  # noqa: E402
from rnn_magics.training.state import TrainState  # noqa: E402
from tests.training.steps.test_shared import alone, begun, copied  # noqa: E402

STEPS = 1000
LIFE = """
import sys
from rnn_magics.cluster.workers import Workers
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.training.events import StepEnd
from tests.training.steps.test_shared import begun, copied

run, state = copied(begun(epochs=100_000, schedule="constant", lr=0.001))
keep = Checkpointing(sys.argv[1], every="100steps")(run, state)
for event in Workers(2, sys.argv[2]).trains(run, state):
    keep(event)
    if isinstance(event, StepEnd) and run.steps > 500:
        print("begun", flush=True)
"""
ATTACHED = """
import sys
from rnn_magics.cluster.workers import Workers
from rnn_magics.training.events import StepEnd
from tests.training.steps.test_shared import begun, copied

run, state = copied(begun(epochs=60))
for event in Workers(2, sys.argv[1]).trains(run, state):
    if isinstance(event, StepEnd) and run.steps > int(sys.argv[2]):
        print("begun", flush=True)
"""


def workers() -> list[psutil.Process]:
    """Return the processes of the workers that were started from here."""
    below = psutil.Process().children(recursive=True)
    found = []
    for one in below:
        with suppress(psutil.Error):  # it has just ended
            found += [one] if one.cmdline()[:1] == ["ray::RayTrainWorker"] else []
    return found


def holds(address: str, after: int, disturb: Callable[[], None]) -> bool:
    """Train, disturb once after so many steps, and say whether the run went on as one does."""
    run, state = copied(begun(epochs=100_000, schedule="constant", lr=0.001))
    stop: list[str] = []
    is_disturbed, began = False, time.monotonic()
    for event in Workers(2, address).trains(run, state, lambda: stop.pop() if stop else None):
        if not isinstance(event, StepEnd):
            continue
        if not is_disturbed and run.steps > after:
            disturb()
            is_disturbed, began = True, time.monotonic()
        if run.steps > after + STEPS:
            stop.append("stopped")
    took = time.monotonic() - began
    whole = alone(begun(epochs=100_000, schedule="constant", lr=0.001), run.steps)
    far = max(
        (mine - theirs).abs().max().item()
        for mine, theirs in zip(state.learning, whole[1].learning, strict=True)
    )
    print(
        f"{run.reason}, {run.steps} steps, {took:.0f} s, {run.message}; off by {far:.1e}",
        file=sys.stderr,
    )
    return bool(run.reason == "stopped" and "lost" in run.message and far < 1e-3)


def further(run: Run, state: TrainState, address: str, steps: int) -> None:
    """Train until so many steps were taken."""
    stop: list[str] = []
    for event in Workers(2, address).trains(run, state, lambda: stop.pop() if stop else None):
        if isinstance(event, StepEnd) and run.steps > steps:
            stop[:] = ["stopped"]


def attached(address: str, after: int) -> bool:
    """Kill the process that began a run, attach to it, and say whether it ends as one does."""
    command = [sys.executable, "-c", ATTACHED, address, str(after)]
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as life:
        if life.stdout is not None:
            life.stdout.readline()
        life.send_signal(signal.SIGKILL)
    began = time.monotonic()
    run = attach_run(cluster=address)
    whole = alone(begun(epochs=60))
    far = max(
        (mine - theirs).abs().max().item()
        for mine, theirs in zip(run.model.parameters(), whole[1].model.parameters(), strict=True)
    )
    took = time.monotonic() - began
    print(
        f"attached: {run.reason}, {run.steps} steps, {took:.0f} s; off by {far:.1e}",
        file=sys.stderr,
    )
    return bool(run.reason == "epochs" and run.steps == whole[0].steps and far < 1e-3)


def resumed(address: str) -> bool:
    """Kill the process that began a run, and go on with the run from its folder.

    The workers of that process go on, too, until somebody stops them.
    """
    from rnn_magics.storage.resume import reopen  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "kept"
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", LIFE, str(folder), address],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as life:
            if life.stdout is not None:
                life.stdout.readline()
            life.send_signal(signal.SIGKILL)
        batches = begun()[1].batches
        stop_what_is_left(address)  # there are no more CPUs for others
        run, state, reopened = reopen(folder, batches)
        before = state.total_steps
        reopened.claim.release()
        further(run, state, address, before + 100)
        print(f"driver killed: went on from step {before} to {run.steps}", file=sys.stderr)
        return before >= 100 and run.reason == "stopped"


def stop_what_is_left(address: str) -> None:
    """Attach to the run whose process was killed, and stop it."""
    left = attach(None, cluster=address)
    for listener in left.listeners:
        listener(TrainEnd(Ending.FAILED))  # it is resumed from where its process was killed
    for _ in left.trains(left.run, left.state, lambda: Ending.STOPPED):
        pass


def main() -> int:
    """Print the rows; return 1 if one did not hold."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="two kills, one machine, one kernel")
    quick = options.parse_args().quick
    chance = random.Random(0)  # noqa: S311
    torch.set_num_threads(1)
    ray: Any = ray_or("--workers")
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    kept = [cluster.add_node(num_cpus=1)]
    address = cluster.address

    def kill() -> None:
        chance.choice(workers()).kill()

    def remove() -> None:
        cluster.remove_node(kept.pop(), allow_graceful=False)

    rows = []
    try:
        count = 2 if quick else 20
        held = sum(holds(address, chance.randrange(100, 1500), kill) for _ in range(count))
        rows.append(("kill -9 of a worker: the run goes on", count, held))
        count, held = 1 if quick else 5, 0
        for _ in range(count):
            held += holds(address, chance.randrange(100, 1500), remove)
            kept.append(cluster.add_node(num_cpus=1))
        rows.append(("loss of the machine of a worker: the run goes on", count, held))
        count = 1 if quick else 10
        held = sum(attached(address, chance.randrange(100, 3000)) for _ in range(count))
        rows.append(("kill -9 of the process that began a run: another attaches", count, held))
        rows.append(("kill -9 of the process that began a run: resumed", 1, int(resumed(address))))
    finally:
        ray.shutdown()
        cluster.shutdown()
    print("| what | count | held |\n|---|---:|---:|")
    for what, count, held in rows:
        print(f"| {what} | {count} | {held} |")
    return 0 if all(count == held for _, count, held in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
