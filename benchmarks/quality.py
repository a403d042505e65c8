"""Train for some minutes and score held-out text, to see how good the defaults are.

    python benchmarks/quality.py [--quick] [--corpus tiny_shakespeare] [--minutes 1 3 10]

The setting is that of ``%sample seq --num-steps 64`` and ``%train_rnn --recipe three-minutes
--max-time SECONDS``, then ``%evaluate_rnn --ngram 8``: the recurrent model alone, and mixed with
n-gram counts of the same training text; and ``%evaluate_rnn --dynamic --cache 2000 --ngram 8``: as
it goes on learning from what it reads, and with all of it. The time is that of the training: all
that its loop does, also the scoring of the held-out text after each epoch, and the counting; the
reading that adapts comes after it. For comparison: nanoGPT's README
gives 1.88 nats after three minutes on a CPU and 1.47 after three minutes on an A100, and the best
n-gram model reaches 1.517 (`%baseline`).
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from report import Row, table

from rnn_magics import (
    RECIPES,
    AdaptConfig,
    BatchConfig,
    Corpus,
    Vocab,
    evaluate_mixture,
    fit_ngram,
    make_batches,
    train,
)
from rnn_magics.errors import RNNMagicsError

SEEDS = (0, 1, 2)
TARGET = {
    ("alone", "tiny_shakespeare", 3.0): "< 1.42 nats",
    ("together", "tiny_shakespeare", 3.0): "< 1.33 nats",
}
RECIPE = RECIPES["three-minutes"]
BATCHES = BatchConfig(num_steps=64)
ORDER = 8
ADAPTS = AdaptConfig(dynamic=True, cache=2000)


@dataclass(frozen=True)
class HeldOut:
    """Nats per token of the held-out text for each model, and training tokens per second."""

    alone: float
    counts: float
    mixed: float
    learning: float
    together: float
    rate: float


def held_out(name: str, minutes: float, seed: int) -> HeldOut:
    """Return the scores after so many minutes, counting included."""
    corpus = Corpus.load(name)
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BATCHES)
    begun = time.perf_counter()
    fit_ngram(batches.ids.numpy(), len(vocab), ORDER)
    left = 60 * minutes - (time.perf_counter() - begun)
    run = train(batches, RECIPE.model, replace(RECIPE.train, max_time=left, seed=seed))
    found, adapting = (evaluate_mixture(run, corpus, ORDER, how) for how in (None, ADAPTS))
    scored = *found.rows, adapting.rows[1], adapting.mixture
    return HeldOut(*(row.score.nats for row in scored), run.tokens_per_second)


def rows(name: str, minutes: float, seeds: Sequence[int]) -> list[Row]:
    """Return the rows of one text and time."""
    what = f"{name}, characters, {minutes:g} minutes of training"
    told = {
        "alone": what,
        "mixed": f"{what}, mixed with an {ORDER}-gram",
        "learning": f"{what}, learning as it reads",
        "together": f"{what}, learning, with a cache of {ADAPTS.cache:,} and an {ORDER}-gram",
    }
    targets = {each: TARGET.get((each, name, minutes), "") for each in told}
    try:
        found = [held_out(name, minutes, seed) for seed in seeds]
    except RNNMagicsError as error:
        failed = "not measured", "", None
        return [Row(head, *failed, targets[each], str(error)) for each, head in told.items()]
    rate = statistics.mean(each.rate for each in found)
    notes = {
        "alone": f"; {rate:,.0f} tokens/s",
        "mixed": f"; the {ORDER}-gram alone: {found[0].counts:.3f}",
    }
    values = {each: [getattr(one, each) for one in found] for each in told}
    return [
        Row(
            head,
            f"{statistics.mean(values[each]):.3f} nats",
            "",
            None,
            targets[each],
            f"seeds {', '.join(map(str, seeds))}: {', '.join(f'{n:.3f}' for n in values[each])}"
            + notes.get(each, ""),
        )
        for each, head in told.items()
    ]


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (all benchmarks are asked alike)
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to train for a tenth of a minute with one seed, to check that it works.
    """
    if quick:
        return rows("tiny_shakespeare", 0.1, SEEDS[:1])
    return [
        *rows("tiny_shakespeare", 1, SEEDS[:1]),
        *rows("tiny_shakespeare", 3, SEEDS),
        *rows("tiny_shakespeare", 10, SEEDS[:1]),
        *rows("python_docs", 3, SEEDS[:1]),
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
        found = measure(given.quick)
    else:
        each = (rows(given.corpus, minutes, given.seeds) for minutes in given.minutes)
        found = list(itertools.chain.from_iterable(each))
    print(table(found))


if __name__ == "__main__":
    main()
