"""Time the engines that run a cell over a sequence, and compare their threads' results.

    python benchmarks/engines.py [--repeats 25] [--parts]

It times one forward and backward pass at hidden 256, batch 32, 35 steps, 65 tokens. The engines
take turns, and the figures are medians. Then it checks whether training with one thread and with
two ends at the same weights, bit for bit.

With ``--parts`` it times the parts of one step of training on one thread instead, with the engine
that was compiled. The products of a scan are timed alone, with the same shapes; what a scan takes
beyond them are its loops over elements.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from torch.nn import functional as F  # noqa: N812  (its usual name)
from training import GATES, Setting

from rnn_magics import Batches, ModelConfig, RNNModel, TrainConfig, train
from rnn_magics.models import recurrent
from rnn_magics.models.engines import ENGINES
from rnn_magics.models.fast import functions, layout, products
from rnn_magics.models.fast.running import regions
from rnn_magics.training.steps import step
from rnn_magics.training.steps.update import CompiledUpdate

TOKENS, BATCH, STEPS = 65, 32, 35
_run_parts = regions.run_parts


def seconds(model: RNNModel, engine: str, inputs: torch.Tensor) -> float:
    """Return how long one forward and backward pass takes with an engine."""
    with mock.patch.object(recurrent, "choose_engine", return_value=engine):
        begun = time.perf_counter()
        logits, _ = model(inputs)
        F.cross_entropy(logits.flatten(0, 1), inputs.flatten()).backward()
        return time.perf_counter() - begun


def same_weights(cell: str) -> bool:
    """Whether an epoch ends at equal weights with one thread and with two."""
    ids = torch.randint(TOKENS, (20_000,), generator=torch.Generator().manual_seed(0))
    one, two = (
        train(Batches(ids), ModelConfig(cell), TrainConfig(epochs=1, threads=n, device="cpu"))
        for n in (1, 2)
    )
    pairs = zip(one.model.parameters(), two.model.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


PARTS = {  # what takes time in a step, and the functions that take it
    "packing of weights": ("pack_rows", "pack_columns", "split_panels"),
    "scan forward": ("rnn_forward", "gru_forward", "lstm_forward"),
    "scan backward": ("rnn_backward", "gru_backward", "lstm_backward"),
    "weight gradients of the scan": ("scan_columns",),
    "output layer, forward and gradient of its input": ("linear_rows",),
    "weight gradient of the output layer": ("linear_columns",),
    "loss and its gradient": ("nats_of_rows",),
    "norm, clipping, optimizer and check": ("take",),
}


class Clock:
    """Adds up the seconds of the calls of each function."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is timed under a name."""

        def call(*given: Any, **named: Any) -> Any:
            begun = time.thread_time()
            try:
                return function(*given, **named)
            finally:
                self.taken[name] += time.thread_time() - begun

        return call

    def run(self, kernel: Any, *given: Any) -> None:
        """Take the place of `regions.run_parts`."""
        self.timed(kernel.__name__, _run_parts)(kernel, *given)


@contextmanager
def clocked(clock: Clock) -> Iterator[None]:
    """Time every part of the steps that are taken meanwhile."""
    with ExitStack() as patched:
        timed = clock.timed("take", CompiledUpdate.take)
        patched.enter_context(mock.patch.object(CompiledUpdate, "take", timed))
        patched.enter_context(mock.patch.object(regions, "run_parts", clock.run))
        yield


def product_seconds(setting: Setting) -> dict[str, float]:
    """Return how long the products of the scans take, forward and backward."""
    size, columns = setting.num_hiddens, GATES[setting.cell] * setting.num_hiddens
    found = {}
    for name, num_k, num_columns in (("forward", size, columns), ("backward", columns, size)):
        panels = layout.pack(torch.randn(num_k, num_columns))
        rows = torch.randn(functions.ROWS_IN_TIME, num_k).numpy()
        sums = torch.zeros(functions.ROWS_IN_TIME, num_columns).numpy()
        blocks = setting.num_steps * setting.batch_size // functions.ROWS_IN_TIME
        products.add_matrix_product(rows, panels, sums)  # compiles it
        begun = time.thread_time()
        for _ in range(blocks):
            products.add_matrix_product(rows, panels, sums)
        found[f"scan {name}"] = time.thread_time() - begun
    return found


def print_parts(cell: str, repeats: int) -> None:
    """Print the milliseconds of each part of a step."""
    setting = Setting(cell, batch_size=BATCH, num_steps=STEPS, vocab_size=TOKENS)
    _, state = setting.state(4, 1)
    config = TrainConfig(optimizer="sgd", lr=0.1, schedule="constant", warmup=0.0, device="cpu")
    eager = step.EagerStep(state)
    epoch = eager.begin_epoch()
    found: dict[str, list[float]] = defaultdict(list)
    clock = Clock()  # one for all steps: a tape keeps what it was recorded with
    for turn in range(repeats + 3):
        with clocked(clock):
            clock.taken.clear()
            begun = time.thread_time()
            eager.take(epoch, config)
            whole = time.thread_time() - begun
        state.step = 0
        if turn < 3:  # a warm-up
            continue
        for part, names in PARTS.items():
            found[part].append(sum(clock.taken.get(name, 0.0) for name in names))
        for part, seconds in product_seconds(setting).items():
            found[f"of {part}, products"].append(seconds)
        found["the whole step"].append(whole)
    middle = {part: statistics.median(values) for part, values in found.items()}
    middle["everything else"] = middle["the whole step"] - sum(middle[part] for part in PARTS)
    order = [*PARTS, "everything else", "the whole step"]
    print(f"\n| {cell}, one thread | ms | share |\n| --- | --- | --- |")
    for part in order:
        print(f"| {part} | {1e3 * middle[part]:.2f} | {middle[part] / middle[order[-1]]:.0%} |")
        if (inner := f"of {part}, products") in middle:
            share = middle[inner] / middle[order[-1]]
            print(f"| {inner} | {1e3 * middle[inner]:.2f} | {share:.0%} |", flush=True)


def main() -> None:
    """Time the engines and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--parts", action="store_true")
    given = parser.parse_args()
    repeats = given.repeats
    if given.parts:
        torch.set_num_threads(1)
        for cell in ("rnn", "gru", "lstm"):
            print_parts(cell, repeats)
        return
    print(
        f"Python {platform.python_version()}, torch {torch.__version__},"
        f" {torch.get_num_threads()} threads\n"
    )
    print(f"| cell | {' | '.join(f'{name}, tokens/s' for name in ENGINES)} | threads agree |")
    print(f"| --- | {' | '.join('---' for _ in ENGINES)} | --- |")
    inputs = torch.randint(TOKENS, (BATCH, STEPS), generator=torch.Generator().manual_seed(0))
    threads = torch.get_num_threads()
    for cell in ("rnn", "gru", "lstm"):
        torch.set_num_threads(threads)
        model = RNNModel(ModelConfig(cell), TOKENS)
        times: dict[str, list[float]] = {name: [] for name in ENGINES}
        for _ in range(repeats):
            for name, taken in times.items():
                taken.append(seconds(model, name, inputs))
        rates = (f"{BATCH * STEPS / statistics.median(taken):,.0f}" for taken in times.values())
        print(f"| {cell} | {' | '.join(rates)} | {same_weights(cell)} |", flush=True)


if __name__ == "__main__":
    main()
