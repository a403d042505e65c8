"""Time a number of threads that follows the machine beside fixed numbers, on a busy machine too.

    python benchmarks/threads.py [--seconds 15] [--rounds 2] [--cell lstm]

The same model trains with each fixed number and with the number that follows, in turns, while other
processes keep cores busy: none, one, two, and one that comes and goes. Each stretch is a stretch of
time with the same load. The ratio is that of the tokens trained on, to the best fixed number in the
same stretch. Rounds are added up, since a shared machine is never the same twice.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from report import Row, table

from rnn_magics import BatchConfig, Batches, ModelConfig, StepEnd, TrainConfig, begin, iter_train

TARGET = 0.9
LOADS: dict[str, tuple[int, ...]] = {
    "no other process": (0,),
    "one busy process": (1,),
    "two busy processes": (2,),
    "one that comes and goes": (0, 1, 0),
}
Stretches = Sequence[int]
BUSY = "while True: pass"


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep some processes busy."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]  # noqa: S603
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def tokens_per_second(
    stretches: Stretches, seconds: float, cell: str, threads: int | None
) -> tuple[list[float], list[float]]:
    """Train through the stretches; return the tokens/s and the mean threads of each."""
    ids = torch.randint(100, (2_000_000,), generator=torch.Generator().manual_seed(0))
    batches = Batches(ids, config=BatchConfig("seq", batch_size=32, num_steps=64))
    config = TrainConfig(epochs=1000, threads=threads, device="cpu")
    run, state = begin(batches, ModelConfig(cell, num_hiddens=256), config)
    events = iter_train(run, state)
    for event in events:  # compiled, allocated
        if isinstance(event, StepEnd) and event.step == 3:
            break
    rates, used = [], []
    for processes in stretches:
        with busy(processes):
            begun, tokens, numbers = time.perf_counter(), state.total_tokens, []
            while time.perf_counter() - begun < seconds:
                next(events)
                numbers.append(torch.get_num_threads())
            rates.append((state.total_tokens - tokens) / (time.perf_counter() - begun))
            used.append(statistics.fmean(numbers))
    events.close()  # type: ignore[attr-defined]
    return rates, used


def rows(load: str, seconds: float, rounds: int, cell: str) -> Iterator[Row]:
    """Measure one kind of load."""
    stretches = LOADS[load]
    numbers = [None, *range(1, torch.get_num_threads() + 1)]
    taken: dict[int | None, list[list[float]]] = {n: [] for n in numbers}
    means: list[list[float]] = []
    for _ in range(rounds):
        for number in numbers:
            rates, used = tokens_per_second(stretches, seconds, cell, number)
            taken[number].append(rates)
            if number is None:
                means.append(used)
    for place, processes in enumerate(stretches):
        rate = {n: statistics.fmean(r[place] for r in rounds) for n, rounds in taken.items()}
        followed = rate.pop(None)
        best = max(rate, key=rate.__getitem__)
        stretch = f", stretch {place + 1} ({processes} busy)" if len(stretches) > 1 else ""
        fixed = ", ".join(f"{n}: {r:,.0f}" for n, r in rate.items())
        mean = statistics.fmean(used[place] for used in means)
        yield Row(
            f"{cell}, {load}{stretch}",
            f"{followed:,.0f} tokens/s",
            fixed,
            followed / rate[best],
            f"at least {TARGET}",
            f"{mean:.2f} threads on average",
        )


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each stretch")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--loads", nargs="+", default=list(LOADS), choices=list(LOADS))
    options = parser.parse_args()
    found = [
        row
        for load in options.loads
        for row in rows(load, options.seconds, options.rounds, options.cell)
    ]
    print(table(found))


if __name__ == "__main__":
    main()
