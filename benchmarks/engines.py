"""Time the engines that run a cell over a sequence, and compare their threads' results.

    python benchmarks/engines.py [--repeats 25]

It times one forward and backward pass at hidden 256, batch 32, 35 steps, 65 tokens. The engines
take turns, and the figures are medians. Then it checks whether training with one thread and with
two ends at the same weights, bit for bit.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from unittest import mock

import torch
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics import Batches, ModelConfig, RNNModel, TrainConfig, train
from rnn_magics.models import recurrent
from rnn_magics.models.engines import ENGINES

TOKENS, BATCH, STEPS = 65, 32, 35


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


def main() -> None:
    """Time the engines and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=25)
    repeats = parser.parse_args().repeats
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
