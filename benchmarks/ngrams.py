"""Time the counting of n-gram models, and the scoring of a text with them.

    python benchmarks/ngrams.py [--quick] [--rounds 3]

The two texts are made up and the same each time, so that no data is needed. The first has 1 million
characters (order 7): words drawn by the Zipf-Mandelbrot law, as in benchmarks/text.py. The second
has 930,000 words of 10,000 types drawn by the same law (order 5), once as running text and once as
sentences of 21 words; this is the size of the Penn Treebank. Words that are drawn independently
repeat less than those of a real text, so there are more n-grams to sort than in a real text. A
figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from report import Row, table
from text import pieces

from rnn_magics import Vocab
from rnn_magics.models.ngram import NgramModel, fit_ngram
from rnn_magics.models.sentences import fit_sentences, sentence_log_probs

TARGET = 10
_WORDS, _TYPES, _PER_SENTENCE = 930_000, 10_000, 21


def main() -> None:
    """Time and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (default 3)")
    parser.add_argument("--quick", action="store_true", help="one round")
    given = parser.parse_args()
    rounds = 1 if given.quick else given.rounds
    print(table([*characters(rounds), *words(rounds)]))


def characters(rounds: int) -> list[Row]:
    """Measure order 7 on a million characters."""
    text = "".join(pieces(1))
    vocab = Vocab(text)
    ids = vocab.indices(text)
    what = "order 7, 1,000,000 characters"
    return rows(
        what,
        rounds,
        lambda: fit_ngram(ids, len(vocab), 7),
        lambda model: model.log_probs(ids),
    )


def words(rounds: int) -> list[Row]:
    """Measure order 5 on as many words as in the Penn Treebank."""
    bounds = np.cumsum(1 / (np.arange(_TYPES) + 2.7))
    ids = np.searchsorted(bounds, np.random.default_rng(0).random(_WORDS) * bounds[-1])
    sentences = np.array_split(ids, _WORDS // _PER_SENTENCE)
    running = rows(
        f"order 5, {_WORDS:,} words",
        rounds,
        lambda: fit_ngram(ids, _TYPES, 5),
        lambda model: model.log_probs(ids),
    )
    apart = rows(
        f"order 5, {_WORDS:,} words in {len(sentences):,} sentences",
        rounds,
        lambda: fit_sentences(sentences, _TYPES, 5),
        lambda model: sentence_log_probs(model, sentences),
    )
    return [*running, *apart]


def rows(
    what: str, rounds: int, fit: Callable[[], NgramModel], score: Callable[[NgramModel], Any]
) -> list[Row]:
    """Time the counting of a text and the scoring of the same text."""
    model = fit()
    size = f"{sum(len(level.keys) for level in model.levels):,} n-grams"
    return [
        Row(f"count, {what}", seconds(fit, rounds), "none", None, f"{TARGET} s", size),
        Row(f"score, {what}", seconds(lambda: score(model), rounds), "none", None, "none"),
    ]


def seconds(work: Callable[[], Any], rounds: int) -> str:
    """Return the median and the longest time of a task."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return f"{statistics.median(times):.2f} s (slowest {max(times):.2f})"


if __name__ == "__main__":
    main()
