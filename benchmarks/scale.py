"""Time one worker and two, predict up to 64, and write the tables of docs/scale.md.

    python benchmarks/scale.py [--quick]

It takes about five minutes on two cores; with ``--quick`` it checks that everything runs and
writes nothing. A worker has one thread. Two workers are two processes of this machine that take
each step together, through gloo, as `%train_rnn --workers 2` does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from bench import circumstances
from scale_model import Network, efficiency, fitted, gru_parameters, step_seconds
from torch import Tensor, distributed

from rnn_magics import (
    BatchConfig,
    Batches,
    Corpus,
    ModelConfig,
    Space,
    SweepConfig,
    TrainConfig,
    Vocab,
    VocabConfig,
    begin,
    count_vocab,
    make_batches,
    sweep,
    train,
)
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import iter_train
from rnn_magics.training.steps.shared import Lockstep

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
HIDDENS, BATCH, STEPS, TOKENS = (64, 256, 512), 64, 35, 100
ROWS = (1, 2, 4, 8, 16, 32, 64)  # of a worker; 64 workers have one each
WORKERS = (1, 2, 4, 8, 16, 32, 64)
WARM_UP = 4  # steps that are not counted: memory is allocated, caches fill
BYTES = tuple(1 << power for power in range(14, 25, 2))
ASSUMED = {
    "10 Gbit/s, 50 µs (assumed)": Network(50e-6, 1.25e9),
    "1 Gbit/s, 100 µs (assumed)": Network(100e-6, 1.25e8),
}
Table = Sequence[Sequence[str]]
Samples = Mapping[tuple[int, ...], list[float]]


class Gloo:
    """Two processes that are connected; with `is_silent`, each works as if it heard the other."""

    size = 2

    def __init__(self, rank: int, *, is_silent: bool = False) -> None:
        self.rank, self._is_silent = rank, is_silent

    def add_up(self, numbers: Tensor) -> None:
        """Replace numbers by their sum."""
        if not self._is_silent:
            distributed.all_reduce(numbers)

    def take_first(self, numbers: Tensor) -> None:
        """Replace numbers by those of the first."""
        if not self._is_silent:
            distributed.broadcast(numbers, 0)


def seconds_of_steps(
    hidden: int,
    rows: int,
    number: int,
    least: float = 0.0,
    group: Gloo | None = None,
    threads: int = 1,
) -> list[float]:
    """Return the seconds of so many steps of training, and more until a time is over.

    Parameters
    ----------
    hidden, rows
        The units of the GRU, and the rows of a minibatch.
    number, least
        How many steps, and how many seconds at least.
    group
        Who takes the steps together; None for one process.
    threads
        How many threads a process has.
    """
    drawn = torch.Generator().manual_seed(0)
    batches = Batches(
        torch.randint(TOKENS, (rows * STEPS * 50,), generator=drawn),
        BatchConfig("seq", rows, STEPS),
    )
    config = TrainConfig(device="cpu", threads=threads, epochs=1000)
    run, state = begin(batches, ModelConfig("gru", num_hiddens=hidden), config)
    if group is None:
        events = iter_train(run, state)
    else:
        lockstep = Lockstep(run, state, group)
        events = iter_train(run, state, lockstep.asked, lockstep.make_step)
    found: list[float] = []
    begun = ends = 0.0
    for event in events:
        now = time.perf_counter()
        if isinstance(event, StepEnd) and event.step > WARM_UP:
            found.append(now - begun)
        if isinstance(event, StepEnd) and event.step == WARM_UP and not ends:
            ends = now + least
        if len(found) >= number and now >= ends:
            break
        begun = time.perf_counter()
    events.close()  # type: ignore[attr-defined]
    return calm(found)


def calm(seconds: Sequence[float]) -> list[float]:
    """Return times without the slowest tenth, which other programs of the machine make."""
    return sorted(seconds)[: max(len(seconds) * 9 // 10, 1)]


def pair(rank: int, store: str, quick: bool) -> dict[str, Any]:  # noqa: FBT001
    """Measure as one of two workers; what it returns is what the first of them measured."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=2)
    reduced = {}
    for num_bytes in BYTES:
        flat, taken = torch.ones(num_bytes // 4), []
        for _ in range(5 if quick else 60):
            distributed.barrier()
            begun = time.perf_counter()
            distributed.all_reduce(flat)
            taken.append(time.perf_counter() - begun)
            flat.fill_(1.0)
        reduced[num_bytes] = statistics.median(taken)
    number, steps = (3 if quick else 60), {}
    for hidden in HIDDENS:
        for rows in (BATCH // 2, BATCH):
            found = []
            for is_silent in (True, False):
                distributed.barrier()
                group = Gloo(rank, is_silent=is_silent)
                found.append(seconds_of_steps(hidden, 2 * rows, number, group=group))
            steps[f"{hidden} {rows}"] = found
    distributed.barrier()
    distributed.destroy_process_group()
    return {"reduced": reduced, "steps": steps}


def two_workers(quick: bool) -> dict[str, Any]:  # noqa: FBT001
    """Start two workers, and return what they have measured."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--store", str(Path(folder, "store"))]
        command += ["--quick"] * quick
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        workers = [
            subprocess.Popen(  # noqa: S603  (this script)
                [*command, "--rank", str(rank)], stdout=subprocess.PIPE, text=True, env=environment
            )
            for rank in range(2)
        ]
        told = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        sys.exit("a worker failed")
    found: dict[str, Any] = json.loads(told[0])
    found["reduced"] = {int(size): seconds for size, seconds in found["reduced"].items()}
    return found


def ms(seconds: float) -> str:
    """Return milliseconds for a table."""
    return f"{1000 * seconds:.2f}" if seconds < 0.1 else f"{1000 * seconds:.0f}"


def gradient_bytes(hidden: int) -> int:
    """Return the bytes of a gradient in float32."""
    return 4 * gru_parameters(hidden, TOKENS)


def summed_bytes(hidden: int, rows: int) -> int:
    """Return the bytes that are summed: a gradient, and the state that all rows carry on."""
    return gradient_bytes(hidden) + 4 * rows * hidden


def steps_table(alone: Samples) -> Table:
    """Return the table of the steps of one worker."""
    rows = [["hidden units", "gradient, KB", "state of a rank, KB", *(f"{r} rows" for r in ROWS)]]
    for hidden in HIDDENS:
        size = gradient_bytes(hidden)
        times = [ms(statistics.median(alone[hidden, each])) for each in ROWS]
        rows.append([f"{hidden}", f"{size / 1e3:,.0f}", f"{6 * size / 1e3:,.0f}", *times])
    return rows


def network_table(reduced: dict[int, float], network: Network) -> Table:
    """Return the table of averages, measured and fitted."""
    rows = [["bytes", "measured, ms", "fitted, ms"]]
    for size, seconds in reduced.items():
        rows.append([f"{size:,}", ms(seconds), ms(network.all_reduce(2, size))])
    speed = f"{1e6 * network.latency:.0f} µs, {network.bandwidth / 1e9:.2f} GB/s"
    return [*rows, ["the fit", "", speed]]


def check_rows(
    alone: Samples, whole: Samples, found: dict[str, Any], network: Network
) -> Iterator[tuple[int, int, list[float]]]:
    """Yield the units, the rows of both workers, and seconds.

    They are those of one process with one thread and with two, predicted for two workers from steps
    of one alone and from steps side by side, and measured for two workers.
    """
    for hidden in HIDDENS:
        for rows in (BATCH, 2 * BATCH):
            beside, measured = found["steps"][f"{hidden} {rows // 2}"]
            size = summed_bytes(hidden, rows)
            samples = alone[hidden, rows // 2], beside
            yield (
                hidden,
                rows,
                [
                    *(statistics.fmean(whole[hidden, rows, threads]) for threads in (1, 2)),
                    *(step_seconds(sample, 2, size, network) for sample in samples),
                    statistics.fmean(measured),
                ],
            )


def check_table(checked: Sequence[tuple[int, int, list[float]]]) -> Table:
    """Return the table of predictions for two workers beside what was measured."""
    head = [
        *("hidden units", "rows of a minibatch", "one worker, ms", "one process, two threads, ms"),
        *("two workers, predicted, ms", "predicted from steps side by side, ms"),
        *("two workers, measured, ms", "times as fast as one worker"),
    ]
    return [
        head,
        *(
            [f"{hidden}", f"{rows}", *map(ms, seconds), f"{seconds[0] / seconds[-1]:.2f}"]
            for hidden, rows, seconds in checked
        ),
    ]


def findings(
    checked: Sequence[tuple[int, int, list[float]]], predicted: Table, searched: Table
) -> str:
    """Return what the tables say, in words."""
    off = [abs(seconds[3] / seconds[4] - 1) for *_, seconds in checked]
    apart = [abs(seconds[2] / seconds[4] - 1) for *_, seconds in checked]
    faster = sum(seconds[4] < seconds[0] for *_, seconds in checked)
    threads = sum(seconds[4] < seconds[1] for *_, seconds in checked)
    lines = [
        (
            f"- Fed with steps that both processes take side by side, the simulation is"
            f" {100 * statistics.median(off):.0f} % off the measured time of two workers (median;"
            f" {100 * max(off):.0f} % at most); fed with steps of a process that has the machine to"
            f" itself, {100 * statistics.median(apart):.0f} % ({100 * max(apart):.0f} % at most)."
            " Two processes of one machine take caches and memory from each other; two machines"
            " would not."
        ),
        (
            f"- Two workers were faster than one in {faster} of {len(checked)} settings, and faster"
            f" than two threads of one process in {threads}."
        ),
    ]
    for kind in (f"{BATCH} shared out", f"{BATCH} for each"):
        for row in predicted[1:]:
            if row[0] == kind and row[2].startswith("10 Gbit"):
                numbers = [int(cell) for cell in row[3:]]
                most = max(number for number, of in zip(WORKERS, numbers, strict=True) if of >= 50)
                lines.append(
                    f"- Rows: {kind}; {row[1]} units, 10 Gbit/s: an efficiency of 50 % or more up"
                    f" to N = {most}."
                )
    lines.append(f"- Two workers of a sweep were {searched[-1][-1]} times as fast as a plain loop.")
    return "\n".join(lines)


def predicted_table(alone: Samples, networks: dict[str, Network]) -> Table:
    """Return the table of the efficiency of 1 to 64 workers, in per cent."""
    rows = [["rows", "hidden units", "network", *(f"{number}" for number in WORKERS)]]
    for kind in (f"{BATCH} shared out", f"{BATCH} for each"):
        for hidden in HIDDENS:
            for name, network in networks.items():
                told = []
                for workers in WORKERS:
                    shared = kind.endswith("out")
                    own = alone[hidden, BATCH // workers if shared else BATCH]
                    whole = alone[hidden, BATCH]
                    more = 1 if shared else workers
                    size = summed_bytes(hidden, BATCH * more)
                    share = efficiency(whole, own, workers, size, network, more)
                    told.append(f"{100 * share:.0f}")
                rows.append([kind, f"{hidden}", name, *told])
    return [*rows, ["either", "any", "GPUs, NCCL", *["not measured"] * len(WORKERS)]]


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def sweep_table(quick: bool) -> Table:  # noqa: FBT001
    """Return the table of a search by plain loop, by sweep, and by its workers."""
    corpus = Corpus.load("python_docs")
    text = str(corpus.data)[: 60_000 if quick else 500_000]
    corpus = Corpus.from_text(text, name="text")
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig("seq", 32, STEPS))
    hiddens, rates = (128, 256), (1e-3, 4e-3)
    config = TrainConfig(epochs=1, device="cpu")
    space = Space(cell="gru", num_hiddens=list(hiddens), lr=list(rates), epochs=1)

    def plainly() -> None:
        for hidden in hiddens:
            for rate in rates:
                given = {**config.to_dict(), "lr": rate}
                train(batches, ModelConfig("gru", num_hiddens=hidden), TrainConfig.from_dict(given))

    def searched(folder: Path, workers: int | None) -> None:
        how = SweepConfig(trials=4, search="grid", prune="none")
        sweep(batches, space, how, folder=folder, workers=workers)

    train(batches, ModelConfig("gru", num_hiddens=128), config)  # compiled, and in memory
    with tempfile.TemporaryDirectory() as folder:
        taken = {"a plain loop over train": timed(plainly)}
        for name, workers in (
            ("%sweep", None),
            ("%sweep --workers 1", 1),
            ("%sweep --workers 2", 2),
        ):
            place = Path(folder, f"{workers}")
            taken[f"`{name}`"] = timed(lambda p=place, w=workers: searched(p, w))  # type: ignore[misc]
    plain = taken["a plain loop over train"]
    rows = [["four trainings", "seconds", "times as fast"]]
    return [*rows, *([name, f"{each:.1f}", f"{plain / each:.2f}"] for name, each in taken.items())]


def counting_table(quick: bool) -> Table:  # noqa: FBT001
    """Return the table of a text that is counted by one process and by workers."""
    text = str(Corpus.load("python_docs").data)
    size = (2 if quick else 240) * 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        path.write_text(text * (size // len(text) + 1), encoding="utf-8")

        def counted(name: str, count: Callable[[Corpus], object]) -> tuple[str, float]:
            corpus = Corpus.load(path, storage=Path(folder, name))
            return name, timed(lambda: count(corpus))

        config = VocabConfig("word")
        found = [
            counted("`%vocab --token word`", lambda corpus: Vocab.from_corpus(corpus, config)),
            *(
                counted(
                    f"`%vocab --token word --workers {number}`",
                    lambda corpus, n=number: count_vocab(corpus, config, workers=n),  # type: ignore[misc]
                )
                for number in (1, 2)
            ),
        ]
        megabytes = path.stat().st_size / 1e6
    rows = [[f"{megabytes:.0f} MB of text", "seconds", "MB/s", "times as fast"]]
    plain = found[0][1]
    return [
        *rows,
        *([name, f"{s:.2f}", f"{megabytes / s:.1f}", f"{plain / s:.2f}"] for name, s in found),
    ]


def tables(quick: bool) -> Iterator[tuple[str, str]]:  # noqa: FBT001
    """Yield each table with the name of its place in the page."""
    least = 0.05 if quick else 1.5
    alone = {
        (hidden, rows): seconds_of_steps(hidden, rows, 5, least)
        for hidden in HIDDENS
        for rows in ROWS
    }
    yield "steps", markdown(steps_table(alone))
    found = two_workers(quick)
    network = fitted(found["reduced"])
    yield "network", markdown(network_table(found["reduced"], network))
    whole = {
        (hidden, rows, threads): seconds_of_steps(hidden, rows, 5, least, threads=threads)
        for hidden in HIDDENS
        for rows in (BATCH, 2 * BATCH)
        for threads in (1, 2)
    }
    checked = list(check_rows(alone, whole, found, network))
    yield "check", markdown(check_table(checked))
    predicted = predicted_table(alone, {"this machine (measured)": network, **ASSUMED})
    yield "predicted", markdown(predicted)
    yield "counting", markdown(counting_table(quick))
    torch.set_num_threads(os.cpu_count() or 1)
    searched = sweep_table(quick)
    yield "sweep", markdown(searched)
    yield "findings", findings(checked, predicted, searched)


def markdown(table: Table) -> str:
    """Return a table for the page."""
    head, *rows = table
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def replaced(page: str, name: str, text: str) -> str:
    """Return the page with what stands between two marks replaced.

    Raises
    ------
    ValueError
        If it has no such marks.
    """
    begins, ends = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(f"{re.escape(begins)}.*?{re.escape(ends)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(name)
    return pattern.sub(lambda _: f"{begins}\n\n{text}\n\n{ends}", page)


def main() -> None:
    """Measure, print the tables, and write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check that all runs; write nothing")
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rank is not None:
        print(json.dumps(pair(given.rank, given.store, given.quick)))
        return
    found = {"circumstances": circumstances(("torch", "numba", "numpy"))}
    print(found["circumstances"], flush=True)
    for name, text in tables(given.quick):
        found[name] = text
        print(f"\n{name}\n\n{text}", flush=True)
    if not given.quick:
        page = PAGE.read_text(encoding="utf-8")
        for name, text in found.items():
            page = replaced(page, name, text)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
