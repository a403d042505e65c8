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
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
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
PATIENCE = (
    120  # seconds until the first event of a process; the first of all imports torch before it
)
FORKS = multiprocessing.get_context("forkserver")  # so that torch is imported once
PRELOADED = ["rnn_magics.sweeps.loop", "tests.sweeps.test_loop"]


def live(folder: str, told: Connection) -> None:
    """Make a sweep, or go on with it: the life of a process that is killed in between."""
    torch.set_num_threads(1)

    def tell(_event: object) -> None:
        if not told.closed:
            told.send("begun")
            told.close()

    if (Path(folder) / "sweep.json").exists():
        resume_sweep(folder, make(test=0.1), listeners=[tell])
    else:
        sweep(make(test=0.1), SPACE, CONFIG, folder=folder, listeners=[tell])
    os._exit(0)  # a kill while torch is unloaded would be none of a sweep


def killed(folder: Path, seconds: float) -> float | None:
    """Let a process live for a while; return how long it took, None if it was killed.

    Raises
    ------
    TimeoutError
        If it does not begin.
    """
    heard, told = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=live, args=(str(folder), told))
    process.start()
    told.close()
    try:
        has_begun = heard.poll(PATIENCE) and heard.recv() == "begun"
    except EOFError:
        has_begun = False
    begun = time.monotonic()
    if has_begun:
        process.join(seconds)
    took = time.monotonic() - begun
    process.kill()
    process.join()
    if not has_begun:
        raise TimeoutError(folder.name)
    return None if process.exitcode == -signal.SIGKILL else took


def weights(found: SweepRuns) -> dict[str, Any]:
    """Return the weights of the best run."""
    return dict(found.run().model.state_dict())


def is_same(found: SweepRuns, whole: SweepRuns) -> bool:
    """Return whether two sweeps have the same table and the same best weights."""
    best, expected = weights(found), weights(whole)
    return told(found) == told(whole) and all(torch.equal(best[n], expected[n]) for n in expected)


def all_kills(count: int, top: Path) -> tuple[int, int]:
    """Return how many processes were killed, and how many of these kills left no trace."""
    chance = random.Random(0)  # noqa: S311
    whole = sweep(make(test=0.1), SPACE, CONFIG, folder=top / "whole")
    longest, kills, held, lives, number = LONGEST, 0, 0, 0, 0
    while kills < count and lives < MOST_LIVES * count:
        number += 1
        folder, deaths, took = top / f"sweep-{number}", 0, None
        while took is None and kills + deaths < count and lives < MOST_LIVES * count:
            lives += 1
            try:
                took = killed(folder, chance.uniform(0, longest))
            except TimeoutError:
                print(
                    f"sweep {number} did not begin: after {PATIENCE} s, or an error",
                    file=sys.stderr,
                )
                return kills + deaths + 1, held
            deaths += took is None
        if took is not None and deaths == 0:  # it made all of a sweep
            longest = min(longest, took)
        found = resume_sweep(folder, make(test=0.1))
        if is_same(found, whole):
            held += deaths
        else:
            print(f"sweep {number}, killed {deaths} times:\n{found!r}", file=sys.stderr)
        kills += deaths
    return kills, held


def main() -> int:
    """Print the row; return 1 if it did not hold."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="5 kills")
    count = 5 if options.parse_args().quick else 50
    torch.set_num_threads(1)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    FORKS.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory() as top:
        kills, held = all_kills(count, Path(top))
    print("| what | count | held |\n|---|---:|---:|")
    what = "kill -9 of a sweep: goes on to the table and the best weights of one never killed"
    print(f"| {what} | {kills:,} | {held:,} |")
    return 0 if held == kills >= count else 1


if __name__ == "__main__":
    sys.exit(main())
