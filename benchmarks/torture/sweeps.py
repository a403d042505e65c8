"""Torture of sweeps: they are killed at random moments, and go on. Prints table rows.

    python benchmarks/torture/sweeps.py [--quick]

A process of its own makes a sweep of 7 trials; `kill -9` ends it at a random moment, another goes
on, and so on until 50 were killed. Each table, and the weights of its best run, must be those of a
sweep that nothing has cut short. A row is ``| what | count | held |``, and what did not hold is
written to stderr. `--quick` kills 5.

A process lives at most as long as a whole sweep takes in one, so many are killed whatever the speed
of the machine. All of it ends in bounded time: where a process tells no event within two minutes,
or 50 are not killed by the end of the 200th, the row does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from rnn_magics.sweeps.loop import resume_sweep, sweep  # noqa: E402
from rnn_magics.sweeps.sweep import SweepRuns  # noqa: E402
from tests.sweeps.conftest import make  # noqa: E402
from tests.sweeps.test_loop import CONFIG, SPACE, told  # noqa: E402

LONGEST = 10  # seconds after its first event, before it is known how long a sweep takes here
MOST_LIVES = 4  # for each kill
PATIENCE = 120  # seconds until the first event of a process, which imports torch before it
LIFE = """
import sys
import torch
torch.set_num_threads(1)
from pathlib import Path
from rnn_magics.sweeps.loop import resume_sweep, sweep
from tests.sweeps.conftest import make
from tests.sweeps.test_loop import CONFIG, SPACE
folder, workers, begun = Path(sys.argv[1]), int(sys.argv[2]) or None, []

def tell(event):
    if not begun:
        begun.append(event)
        print("begun", flush=True)

if (folder / "sweep.json").exists():
    resume_sweep(folder, make(test=0.1), workers=workers, listeners=[tell])
else:
    sweep(make(test=0.1), SPACE, CONFIG, folder=folder, workers=workers, listeners=[tell])
"""


def live(folder: Path, workers: int, seconds: float) -> float | None:
    """Make a sweep, or go on with it, for a while; return how long it took, None if it was killed.

    Raises
    ------
    TimeoutError
        If it does not begin.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", LIFE, str(folder), str(workers)]
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        hung = threading.Timer(PATIENCE, process.kill)
        hung.start()
        has_begun = process.stdout is not None and process.stdout.readline() != ""
        hung.cancel()
        begun = time.monotonic()
        if not has_begun:
            raise TimeoutError(folder.name)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        took = time.monotonic() - begun
        process.send_signal(signal.SIGKILL)
    return None if process.returncode == -signal.SIGKILL else took


def weights(found: SweepRuns) -> dict[str, Any]:
    """Return the weights of the best run."""
    return dict(found.run().model.state_dict())


def is_same(found: SweepRuns, whole: SweepRuns) -> bool:
    """Return whether two sweeps have the same table and the same best weights."""
    best, expected = weights(found), weights(whole)
    return told(found) == told(whole) and all(torch.equal(best[n], expected[n]) for n in expected)


def kills(count: int, top: Path) -> tuple[int, int]:
    """Return how many processes were killed, and how many of these kills left no trace."""
    chance = random.Random(0)  # noqa: S311
    whole = sweep(make(test=0.1), SPACE, CONFIG, folder=top / "whole")
    longest, killed, held, lives, number = LONGEST, 0, 0, 0, 0
    while killed < count and lives < MOST_LIVES * count:
        number += 1
        folder, deaths, took = top / f"sweep-{number}", 0, None
        while took is None and killed + deaths < count and lives < MOST_LIVES * count:
            lives += 1
            try:
                took = live(folder, 0, chance.uniform(0, longest))
            except TimeoutError:
                print(
                    f"sweep {number} did not begin: after {PATIENCE} s, or an error",
                    file=sys.stderr,
                )
                return killed + deaths + 1, held
            deaths += took is None
        if took is not None and deaths == 0:  # it made all of a sweep
            longest = min(longest, took)
        found = resume_sweep(folder, make(test=0.1))
        if is_same(found, whole):
            held += deaths
        else:
            print(f"sweep {number}, killed {deaths} times:\n{found!r}", file=sys.stderr)
        killed += deaths
    return killed, held


def main() -> int:
    """Print the row; return 1 if it did not hold."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="5 kills")
    count = 5 if options.parse_args().quick else 50
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as top:
        killed, held = kills(count, Path(top))
    print("| what | count | held |\n|---|---:|---:|")
    what = "kill -9 of a sweep: goes on to the table and the best weights of one never killed"
    print(f"| {what} | {killed:,} | {held:,} |")
    return 0 if held == killed >= count else 1


if __name__ == "__main__":
    sys.exit(main())
