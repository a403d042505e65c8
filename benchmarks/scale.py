"""Time one worker and two, predict up to 64, and write the tables of docs/scale.md.

    python benchmarks/scale.py [--quick]

It takes about five minutes on two cores; with ``--quick`` it checks that everything runs and
writes nothing. A worker has one thread. Two workers are two processes of this machine that average
their gradients through gloo.
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
from collections.abc import Callable, Iterator, Sequence
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
from rnn_magics.models.rnn_model import as_tuple
from rnn_magics.training.machine.precision import forward_loss
from rnn_magics.training.steps.clipping import clip_gradients, gradient_norm

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
HIDDENS, BATCH, STEPS, TOKENS = (64, 256, 512), 64, 35, 100
ROWS = (1, 2, 4, 8, 16, 32, 64)  # of a worker; 64 workers have one each
WORKERS = (1, 2, 4, 8, 16, 32, 64)
BYTES = tuple(1 << power for power in range(14, 25, 2))
ASSUMED = {
    "10 Gbit/s, 50 µs (assumed)": Network(50e-6, 1.25e9),
    "1 Gbit/s, 100 µs (assumed)": Network(100e-6, 1.25e8),
}
Table = Sequence[Sequence[str]]


class Trained:
    """A GRU that takes steps on rows of its own.

    Parameters
    ----------
    hidden, rows
        The units, and the rows of a minibatch.
    """

    def __init__(self, hidden: int, rows: int) -> None:
        drawn = torch.Generator().manual_seed(0)
        ids = torch.randint(TOKENS, (BATCH * (STEPS + 1) * 4,), generator=drawn)
        ids[:TOKENS] = torch.arange(TOKENS)
        batches = Batches(ids, BatchConfig("seq", BATCH, STEPS))
        config = TrainConfig(device="cpu", threads=1, clip=1.0)
        self.state = begin(batches, ModelConfig("gru", num_hiddens=hidden), config)[1]
        X, Y = next(iter(batches))
        self.X, self.Y = X[:rows], Y[:rows]
        self.model = self.state.model
        self.begun = as_tuple(self.model.begin_state(rows))

    def step(self, average: Callable[[Tensor], object] | None = None) -> None:
        """Compute a gradient, average it with that of others, and update."""
        loss, _ = forward_loss(self.model, self.X, self.Y, self.begun, "float32")
        self.state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        parameters = list(self.model.parameters())
        if average is not None:
            gradients = [each.grad for each in parameters if each.grad is not None]
            flat = torch.cat([each.reshape(-1) for each in gradients])
            average(flat)
            for each, part in zip(
                gradients, flat.split([g.numel() for g in gradients]), strict=True
            ):
                each.copy_(part.view_as(each))
        clip_gradients(parameters, gradient_norm(parameters), 1.0)
        self.state.optimizer.step()

    def seconds(
        self, least: float, number: int = 0, average: Callable[[Tensor], object] | None = None
    ) -> list[float]:
        """Return the seconds of steps, of so many or as many as fit into a time."""
        for _ in range(3):
            self.step(average)
        found: list[float] = []
        ends = time.perf_counter() + least
        while len(found) < number or (not number and time.perf_counter() < ends):
            begun = time.perf_counter()
            self.step(average)
            found.append(time.perf_counter() - begun)
        return found


def pair(rank: int, store: str, quick: bool) -> dict[str, Any]:  # noqa: FBT001
    """Measure as one of two workers; what it returns is what the first of them measured."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=2)

    def average(flat: Tensor) -> None:
        distributed.all_reduce(flat)
        flat /= 2

    reduced = {}
    for num_bytes in BYTES:
        flat, taken = torch.ones(num_bytes // 4), []
        for _ in range(5 if quick else 40):
            distributed.barrier()
            begun = time.perf_counter()
            distributed.all_reduce(flat)
            flat /= 2
            taken.append(time.perf_counter() - begun)
        reduced[num_bytes] = statistics.median(taken)
    number, steps = (3 if quick else 40), {}
    for hidden in HIDDENS:
        for rows in (BATCH // 2, BATCH):
            trained = Trained(hidden, rows)
            found = []
            for averaging in (None, average):
                trained.step(averaging)
                distributed.barrier()
                found.append(trained.seconds(0, number, averaging))
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


def num_bytes_of(hidden: int) -> int:
    """Return the bytes that are averaged: a gradient in float32."""
    return 4 * gru_parameters(hidden, TOKENS)


def steps_table(alone: dict[tuple[int, int], list[float]]) -> Table:
    """Return the table of the steps of one worker."""
    rows = [["hidden units", "gradient, KB", "state of a rank, KB", *(f"{r} rows" for r in ROWS)]]
    for hidden in HIDDENS:
        size = num_bytes_of(hidden)
        times = [ms(statistics.median(alone[hidden, each])) for each in ROWS]
        rows.append([f"{hidden}", f"{size / 1e3:,.0f}", f"{4 * size / 1e3:,.0f}", *times])
    return rows


def network_table(reduced: dict[int, float], network: Network) -> Table:
    """Return the table of averages, measured and fitted."""
    rows = [["bytes", "measured, ms", "fitted, ms"]]
    for size, seconds in reduced.items():
        rows.append([f"{size:,}", ms(seconds), ms(network.all_reduce(2, size))])
    speed = f"{1e6 * network.latency:.0f} µs, {network.bandwidth / 1e9:.2f} GB/s"
    return [*rows, ["the fit", "", speed]]


def check_table(
    alone: dict[tuple[int, int], list[float]], found: dict[str, Any], network: Network
) -> Table:
    """Return the table of predictions for two workers beside what was measured."""
    rows = [
        [
            *("hidden units", "rows of each", "one worker, the same rows in all, ms"),
            *("predicted, ms", "predicted from steps side by side, ms", "measured, ms"),
            "measured speedup",
        ]
    ]
    for hidden in HIDDENS:
        for each in (BATCH // 2, BATCH):
            beside, measured = found["steps"][f"{hidden} {each}"]
            size = num_bytes_of(hidden)
            # One worker would take a step on twice the rows; of 128, two steps on 64.
            times = 1 if each < BATCH else 2
            whole = times * statistics.fmean(alone[hidden, min(2 * each, BATCH)])
            taken = statistics.fmean(measured)
            guesses = [step_seconds(of, 2, size, network) for of in (alone[hidden, each], beside)]
            cells = [whole, *guesses, taken]
            rows.append([f"{hidden}", f"{each}", *map(ms, cells), f"{whole / taken:.2f}"])
    return rows


def predicted_table(
    alone: dict[tuple[int, int], list[float]], networks: dict[str, Network]
) -> Table:
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
                    size = num_bytes_of(hidden)
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
    text = str(corpus.data)[: 60_000 if quick else 700_000]
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
    size = (2 if quick else 60) * 1_000_000
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


def tables(quick: bool) -> Iterator[tuple[str, Table]]:  # noqa: FBT001
    """Yield each table with the name of its place in the page."""
    torch.set_num_threads(1)
    alone = {
        (hidden, rows): Trained(hidden, rows).seconds(0.05 if quick else 1.0)
        for hidden in HIDDENS
        for rows in ROWS
    }
    yield "steps", steps_table(alone)
    found = two_workers(quick)
    network = fitted(found["reduced"])
    yield "network", network_table(found["reduced"], network)
    yield "check", check_table(alone, found, network)
    yield "predicted", predicted_table(alone, {"this machine (measured)": network, **ASSUMED})
    yield "counting", counting_table(quick)
    torch.set_num_threads(os.cpu_count() or 1)
    yield "sweep", sweep_table(quick)


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
    for name, table in tables(given.quick):
        found[name] = markdown(table)
        print(f"\n{name}\n\n{found[name]}", flush=True)
    if not given.quick:
        page = PAGE.read_text(encoding="utf-8")
        for name, text in found.items():
            page = replaced(page, name, text)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
