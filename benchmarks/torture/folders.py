"""Torture of run folders: several processes want one folder at the same time. Prints table rows.

    python benchmarks/torture/folders.py            the full counts
    python benchmarks/torture/folders.py --quick    small counts
    python benchmarks/torture/folders.py --only begin --only resume

A row is ``| what | count | held |``; everything passed if both numbers are equal.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import platform
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from rnn_magics.errors import StorageError
from rnn_magics.storage.model_file import read_run
from rnn_magics.storage.run_folder import RunFolder

Row = tuple[str, int, int]  # what, count, held
PATIENCE = 120  # seconds
CELLS = ("gru", "lstm")  # one for each kernel, so that a file shows which kernel wrote it
PREPARE = """
import os
%load_ext rnn_magics
%config RNNMagics.live = False
%config RNNMagics.figures = False
%config RNNMagics.progress = False
%corpus --max-tokens 2000
%vocab
%sample seq --batch-size 4 --num-steps 8
"""
TRAIN = "%train_rnn --num-hiddens 4 --threads 1 --epochs 1000000 --no-baseline --background"
CLAIMANTS = 4  # processes that want a folder at once
FORKS = multiprocessing.get_context("fork")


class Kernel:
    """A kernel with minibatches, ready to train.

    Parameters
    ----------
    folder
        The folder that it works in.
    cell
        The cell that it trains.
    """

    def __init__(self, folder: Path, cell: str) -> None:
        self.cell = cell
        self._manager = KernelManager(kernel_name="python3")
        launch = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._manager.kernel_cmd = [sys.executable, *launch]
        own = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(folder / f"ipython-{cell}")}
        self._manager.start_kernel(env={**os.environ, **own}, cwd=str(folder))
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self.do(PREPARE)
        self.do(f"{TRAIN} --cell {cell}\n%rnn stop")  # the first use is slow
        self.process = int(self.do("", {"it": "os.getpid()"})["it"]["data"]["text/plain"])

    def ask(self, code: str, expressions: dict[str, str] | None = None) -> str:
        """Send a cell; return the identifier of the request."""
        return str(self._client.execute(code, user_expressions=expressions))

    def answer(self, asked: str) -> dict[str, Any]:
        """Wait for the reply to a request."""
        while True:
            message = self._client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == asked:
                return dict(message["content"])

    def do(self, code: str, expressions: dict[str, str] | None = None) -> dict[str, Any]:
        """Run a cell that must succeed."""
        said = self.answer(self.ask(code, expressions))
        if said["status"] != "ok":
            raise RuntimeError(said["evalue"])
        return dict(said["user_expressions"])

    def end(self) -> None:
        """Kill it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


class Race:
    """Two kernels that want one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels = [Kernel(folder, cell) for cell in CELLS]

    def run(self, line: Callable[[Kernel], str]) -> Kernel | None:
        """Let both run a line at once; return the one that trains, None if no refusal names it."""
        asked = [kernel.ask(line(kernel)) for kernel in self.kernels]
        pairs = zip(self.kernels, asked, strict=True)
        said = [kernel.answer(number) for kernel, number in pairs]
        ways = [each["status"] for each in said]
        if sorted(ways) != ["error", "ok"]:
            for kernel, way in zip(self.kernels, ways, strict=True):
                if way == "ok":
                    kernel.do("%rnn stop")
            return None
        first = self.kernels[ways.index("ok")]
        told = str(said[ways.index("error")]["evalue"])
        named = f"in use by process {first.process} on {platform.node()!r}, since " in told
        return first if named and "\n" not in told else None

    def end(self) -> None:
        """End both kernels."""
        for kernel in self.kernels:
            kernel.end()


@contextmanager
def race() -> Iterator[Race]:
    """Give two kernels that are ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="torture-") as place:
        racing = Race(Path(place))
        try:
            yield racing
        finally:
            racing.end()


def is_all_of(folder: Path, cell: str, resumed: int, *, killed: bool = False) -> bool:
    """Whether a folder holds one run of one cell, with consecutive epochs and without a claim."""
    kept = RunFolder(folder)
    models = [read_run(path)[0] for path in (*kept.steps.values(), *kept.epochs.values())]
    lines = kept.lines()
    epochs = [line["epoch"] for line in lines if "epoch" in line]
    if killed:  # an epoch may be there twice, if the checkpoint after it was not written
        epochs = [epoch for epoch, _ in itertools.groupby(epochs)]
    return (
        bool(models)
        and {model.config.model.cell for model in models} == {cell}
        and kept.summary().architecture.startswith(f"{cell},")
        and epochs == list(range(1, len(epochs) + 1))
        and sum("resumed" in line for line in lines) == resumed
        and not (folder / "claim.json").exists()
    )


def kernels_begin(count: int) -> list[Row]:
    """Let two kernels begin in one folder; then let both resume the run that was saved there."""
    begun = resumed = 0
    with race() as racing:
        for number in range(count):
            folder = racing.folder / f"run-{number}"

            def begin(kernel: Kernel, folder: Path = folder, number: int = number) -> str:
                name = f"--checkpoint {folder} --name {kernel.cell}-{number}"
                return f"{TRAIN} --cell {kernel.cell} {name}"

            first = racing.run(begin)
            if first is None:
                continue
            first.do("%rnn stop")
            begun += is_all_of(folder, first.cell, 0)
            second = racing.run(
                lambda _, folder=folder: f"%train_rnn --resume {folder} --background"
            )
            if second is not None:
                second.do("%rnn stop")
                resumed += is_all_of(folder, first.cell, 1)
    what = "two kernels {} at once: one does, the other is told who, nothing is mixed"
    return [
        (what.format("begin in one folder"), count, begun),
        (what.format("go on in one folder"), count, resumed),
    ]


def killed_kernels(count: int) -> list[Row]:
    """Kill the kernel that has the folder; the other kernel takes the folder over.

    Every other time, the kill comes soon after the start. If there is no checkpoint yet, the other
    kernel begins a new run.
    """
    held, rng = 0, random.Random(7)  # noqa: S311  (a test)
    with race() as racing:
        for number in range(count):
            folder = racing.folder / f"run-{number}"
            place = number % 2
            victim, heir = racing.kernels[place], racing.kernels[1 - place]
            victim.do(f"{TRAIN} --cell {victim.cell} --checkpoint {folder} --name v-{number}")
            while number % 4 > 1 and not RunFolder(folder).exists:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.3))
            os.kill(victim.process, signal.SIGKILL)
            victim.end()  # waits until it is gone
            is_kept = RunFolder(folder).exists
            begun = f"{TRAIN} --cell {heir.cell} --checkpoint {folder} --name h-{number}"
            line = f"%train_rnn --resume {folder} --background" if is_kept else begun
            said = heir.answer(heir.ask(line))
            if said["status"] == "ok":
                heir.do("%rnn stop")
                whose = victim if is_kept else heir
                held += is_all_of(folder, whose.cell, int(is_kept), killed=True)
            else:
                sys.stderr.write(f"{said['evalue']}\n")
            racing.kernels[place] = Kernel(racing.folder, victim.cell)
    return [
        ("kill -9 of the kernel that has a folder: another goes on, or begins, in it", count, held)
    ]


def instants(count: int) -> list[Row]:
    """Let processes claim one folder at once, every other time after a killed process."""
    held = 0
    with tempfile.TemporaryDirectory(prefix="torture-") as place:
        for number in range(count):
            folder = Path(place) / f"run-{number}"
            folder.mkdir()
            if number % 2:
                left_by_the_dead(folder)
            held += one_of(folder)
    what = f"{CLAIMANTS} processes claim one folder in one instant, every other time that of a dead"
    return [(f"{what}: one has it, the others are told who", count, held)]


def left_by_the_dead(folder: Path) -> None:
    """Claim a folder in a process that is then killed."""

    def die() -> None:
        claim = RunFolder(folder).claim()
        os.kill(os.getpid(), signal.SIGKILL)
        claim.release()  # never

    child = FORKS.Process(target=die)
    child.start()
    child.join()


def one_of(folder: Path) -> bool:
    """Whether exactly one of several has the folder, and the others were told which one."""
    together, told, heard = FORKS.Barrier(CLAIMANTS), FORKS.SimpleQueue(), FORKS.Event()

    def want() -> None:
        together.wait()
        try:
            claim = RunFolder(folder).claim()
        except StorageError as error:
            told.put((os.getpid(), str(error)))
            return
        told.put((os.getpid(), ""))
        heard.wait()
        claim.release()

    children = [FORKS.Process(target=want) for _ in range(CLAIMANTS)]
    for child in children:
        child.start()
    said = dict(told.get() for _ in children)
    heard.set()
    for child in children:
        child.join()
    owners = [process for process, words in said.items() if not words]
    named = [f"in use by process {owner} on " for owner in owners]
    return len(owners) == 1 and all(named[0] in words for words in said.values() if words)


PARTS: dict[str, tuple[Callable[[int], list[Row]], int, int]] = {
    "begin": (kernels_begin, 50, 3),
    "kill": (killed_kernels, 10, 2),
    "instant": (instants, 500, 20),
}
"""Name: the part, its full count, its small count."""


def main() -> int:
    """Print the rows; return 1 if one did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="some parts")
    options = parser.parse_args()
    good = True
    print("| what | count | held |\n|---|---:|---:|")
    for name in options.only or PARTS:
        part, full, small = PARTS[name]
        for what, count, held in part(small if options.quick else full):
            print(f"| {what} | {count:,} | {held:,} |", flush=True)
            good &= held == count > 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
