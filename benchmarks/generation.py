"""Time how fast a model generates text, against ``predict_ch8`` of Dive into Deep Learning.

    python benchmarks/generation.py [--rounds 15] [--quick]

The model is a GRU of 256 units over 65 tokens with its initial weights, which take the same time as
trained weights. Our side is a plain call of `rnn_magics.generate`, which samples at its default
temperature; the book's function takes the most probable token. Both read a prefix of ten characters
first. All take turns in one process, with one thread and with two; for each side, the faster number
of threads counts. The figures are medians, and the spread is half of the interquartile range.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import peers
import torch
from report import Row, table
from torch import nn

from rnn_magics import Corpus, DecodingConfig, ModelConfig, RNNModel, Vocab, generate, generate_many

TARGET, TARGET_OF_MANY = 12, 8
NUM_HIDDENS, NUM_SAMPLES = 256, 16
CHARACTERS = [chr(ord("!") + i) for i in range(64)]  # and <unk> make 65 tokens
PREFIX = "".join(CHARACTERS[10:20])
THREADS = (1, 2)

Seconds = dict[tuple[str, int], list[float]]


def take_turns(works: dict[str, Callable[[], object]], rounds: int) -> Seconds:
    """Return the time of each task with each number of threads, round by round."""
    before = torch.get_num_threads()
    found: Seconds = {(name, threads): [] for name in works for threads in THREADS}
    try:
        for turn in range(rounds + 1):
            for name, threads in found:
                torch.set_num_threads(threads)
                begun = time.perf_counter()
                works[name]()
                taken = time.perf_counter() - begun
                if turn:  # the first one is a warm-up
                    found[name, threads].append(taken)
    finally:
        torch.set_num_threads(before)
    return found


def best(found: Seconds, name: str) -> tuple[int, list[float]]:
    """Return the number of threads that is fastest for a task, and its times."""
    threads = min(THREADS, key=lambda number: statistics.median(found[name, number]))
    return threads, found[name, threads]


def rate(characters: int, threads: int, seconds: list[float]) -> str:
    """Return the characters per second as text."""
    low, middle, high = statistics.quantiles(seconds, n=4)
    spread = (high - low) / 2 / middle
    words = "1 thread" if threads == 1 else f"{threads} threads"
    return f"{characters / middle:,.0f} characters/s ± {spread:.0%}, {words}"


def row(what: str, characters: int, found: Seconds, target: str, note: str) -> Row:
    """Return the row that compares our side with the peer."""
    ours, peer = best(found, "ours"), best(found, "peer")
    ratio = statistics.median(peer[1]) / statistics.median(ours[1])
    return Row(what, rate(characters, *ours), rate(characters, *peer), ratio, target, note)


def our_run() -> Any:
    """Return a model and its vocabulary."""
    vocab = Vocab.from_corpus(Corpus.from_text("".join(CHARACTERS)))
    model = RNNModel(ModelConfig("gru", NUM_HIDDENS), len(vocab), torch.Generator().manual_seed(0))
    return SimpleNamespace(model=model, vocab=vocab)


def one_text(run: Any, length: int, rounds: int) -> Row:
    """Return the row of one text of the given length."""
    book = peers.d2l()
    vocab = book.Vocab(CHARACTERS)
    net = book.RNNModel(nn.GRU(len(vocab), NUM_HIDDENS), len(vocab))
    cpu = torch.device("cpu")
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: generate(run, PREFIX, DecodingConfig(length=length)),
        "peer": lambda: book.predict_ch8(PREFIX, length, net, vocab, cpu),
    }
    found = take_turns(works, rounds)
    what = f"one text of {length} characters, GRU {NUM_HIDDENS}, {len(vocab)} tokens"
    return row(what, length, found, f">= {TARGET}", f"d2l 0.17.6, {rounds} rounds")


def many_texts(run: Any, length: int, rounds: int) -> Row:
    """Return the row of several texts as one batch."""
    config = DecodingConfig(length=length)
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: generate_many(run, PREFIX, config, num=NUM_SAMPLES),
        "peer": lambda: [generate(run, PREFIX, config) for _ in range(NUM_SAMPLES)],
    }
    found = take_turns(works, rounds)
    what = f"{NUM_SAMPLES} texts of {length} characters as one batch; peer: our own, one by one"
    return row(what, NUM_SAMPLES * length, found, f">= {TARGET_OF_MANY}", f"{rounds} rounds")


def measure(quick: bool, rounds: int | None = None) -> list[Row]:  # noqa: FBT001
    """Return every row; `quick` checks that all of it runs, with shorter texts and fewer rounds."""
    rounds = rounds or (3 if quick else 15)
    lengths = (100,) if quick else (500, 2000)
    run = our_run()
    return [
        *(one_text(run, length, rounds) for length in lengths),
        many_texts(run, lengths[0], rounds),
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    print(table(measure(given.quick, given.rounds)))


if __name__ == "__main__":
    main()
