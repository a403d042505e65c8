"""Train for some minutes and score held-out text: what the defaults are worth.

    python benchmarks/quality.py [--quick] [--corpus tiny_shakespeare] [--minutes 1 3 10]

The setting is that of ``%sample seq --num-steps 64`` and ``%train_rnn --num-layers 2 --dropout 0.3
--epochs 1000 --max-time SECONDS``, else the defaults; a run's time is all that its loop spends,
scoring the held-out text after each epoch included. For scale: nanoGPT's README gives 1.88 nats
after three minutes on a CPU and 1.47 after three on an A100, and the best n-gram model reaches
1.517 (`%baseline`).
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence

from report import Row, table

from rnn_magics import BatchConfig, Corpus, ModelConfig, TrainConfig, Vocab, make_batches, train
from rnn_magics.errors import RNNMagicsError

SEEDS = (0, 1, 2)
TARGET = {("tiny_shakespeare", 3.0): "< 1.44 nats"}
MODEL = ModelConfig(num_layers=2, dropout=0.3)
BATCHES = BatchConfig(num_steps=64)


def held_out(name: str, minutes: float, seed: int) -> tuple[float, float]:
    """Return the held-out nats per token after a run, and its tokens per second."""
    corpus = Corpus.load(name)
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BATCHES)
    config = TrainConfig(epochs=10**6, max_time=60 * minutes, seed=seed)
    run = train(batches, MODEL, config)
    perplexity = run.history.valid_perplexity[-1]
    assert perplexity is not None  # noqa: S101  (a tenth of the text is held out)
    return math.log(perplexity), run.tokens_per_second


def row(name: str, minutes: float, seeds: Sequence[int]) -> Row:
    """Return the row of one text and time."""
    what = f"{name}, characters, {minutes:g} minutes of training"
    target = TARGET.get((name, minutes), "")
    try:
        found = [held_out(name, minutes, seed) for seed in seeds]
    except RNNMagicsError as error:
        return Row(what, "not measured", "", None, target, str(error))
    nats = [value for value, _ in found]
    rate = statistics.mean(rate for _, rate in found)
    each = ", ".join(f"{value:.3f}" for value in nats)
    return Row(
        what,
        f"{statistics.mean(nats):.3f} nats",
        "",
        None,
        target,
        f"seeds {', '.join(map(str, seeds))}: {each}; {rate:,.0f} tokens/s",
    )


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (all benchmarks are asked alike)
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to train a tenth of a minute with one seed, to see that it works.
    """
    if quick:
        return [row("tiny_shakespeare", 0.1, SEEDS[:1])]
    return [
        row("tiny_shakespeare", 1, SEEDS[:1]),
        row("tiny_shakespeare", 3, SEEDS),
        row("tiny_shakespeare", 10, SEEDS[:1]),
        row("python_docs", 3, SEEDS[:1]),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--corpus")
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    given = parser.parse_args()
    if given.corpus is None:
        rows = measure(given.quick)
    else:
        rows = [row(given.corpus, minutes, given.seeds) for minutes in given.minutes]
    print(table(rows))


if __name__ == "__main__":
    main()
