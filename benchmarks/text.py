"""Time how a text becomes a vocabulary and token ids, against the functions of d2l.

    python benchmarks/text.py [--megabytes 100] [--rounds 3] [--linear | --bpe] [--quick]

The text is made up and the same each time: 50,000 words of two to ten letters, drawn by the
Zipf-Mandelbrot law (count proportional to 1 / (rank + 2.7)), eleven to a line, without punctuation.
Both sides get it ready to tokenize, d2l as a list of its lines. Both count all of it and give every
token its index. The sides take turns in one process. Ratios are those of medians, and the spread is
in the note. Memory is the peak of a separate process, without the text itself. With ``--linear``,
only our side is timed, as the fastest of three, for 10, 100 and 1000 MB, and for a 1000 MB file
that is read piece by piece.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import peers
import psutil
import tokenizers
from report import Row, table

from rnn_magics import Corpus, CorpusConfig, Vocab, VocabConfig
from rnn_magics.text.reading import sources
from rnn_magics.text.vocab import encode_corpus

TARGETS = {"char": 20, "word": 3}
BYTES_TARGET = 4
BPE_TARGET = 1 / 1.2  # no slower than the library plus a fifth
BPE_SIZE = 512
_WORDS, _PER_LINE, _DRAWN = 50_000, 11, 220_000


def pieces(megabytes: float) -> Iterator[str]:
    """Yield a text of `megabytes` million characters, in pieces that end with a line."""
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlcumwfgypbvkjxqz"))
    words = ["".join(rng.choice(letters, rng.integers(2, 11))) for _ in range(_WORDS)]
    bounds = np.cumsum(1 / (np.arange(_WORDS) + 2.7))
    left = int(megabytes * 1e6)
    while left > 0:
        drawn = np.searchsorted(bounds, rng.random(_DRAWN) * bounds[-1]).tolist()
        chosen = [words[number] for number in drawn]
        lines = (" ".join(chosen[i : i + _PER_LINE]) for i in range(0, _DRAWN, _PER_LINE))
        piece = ("\n".join(lines) + "\n")[:left]
        left -= len(piece)
        yield piece


def ours(text: str, token: str) -> tuple[int, int]:
    """Return the numbers of types and of tokens."""
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.0))
    vocab = Vocab.from_corpus(corpus, VocabConfig(token=token))
    return len(vocab), len(encode_corpus(corpus, vocab).train)


def of_d2l(d2l: Any, lines: list[str], token: str) -> tuple[int, int]:
    """Do what the book does in ``load_corpus_time_machine``."""
    tokens = d2l.tokenize(lines, token)
    vocab = d2l.Vocab(tokens)
    return len(vocab), len([vocab[token] for line in tokens for token in line])


def seconds(work: Callable[[], object]) -> float:
    """Return the time that it takes, after a garbage collection."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def beside_d2l(megabytes: float, rounds: int) -> list[Row]:
    """Measure both sides in turn."""
    d2l = peers.d2l()
    text = "".join(pieces(megabytes))
    lines = text.split("\n")
    rows = []
    for token, target in TARGETS.items():
        taken = in_turn(
            lambda token=token: ours(text, token),
            lambda token=token: of_d2l(d2l, lines, token),
            rounds,
        )
        what = f"vocabulary and ids of {megabytes:g} MB, {token}"
        rows.append(compared(what, "d2l", taken, f"at least {target}"))
    return rows


Taken = tuple[list[float], list[float]]


def in_turn(own: Callable[[], object], other: Callable[[], object], rounds: int) -> Taken:
    """Return the seconds of both sides in each round."""
    taken: Taken = ([], [])
    for _ in range(rounds):
        taken[0].append(seconds(own))
        taken[1].append(seconds(other))
    return taken


def compared(what: str, peer: str, taken: Taken, target: str) -> Row:
    """Return the row of two sides: the ratio of the medians, and the spread of the rounds."""
    own, other = map(statistics.median, taken)
    ratios = [b / a for a, b in zip(*taken, strict=True)]
    spread = f"ratio {min(ratios):.2g} to {max(ratios):.2g} in {len(ratios)} rounds"
    return Row(what, f"{own:.2f} s", f"{peer} {other:.2f} s", other / own, target, spread)


def beside_library(megabytes: float, rounds: int) -> list[Row]:
    """Measure learnt pieces of words on both sides, in turn."""
    text = "".join(pieces(megabytes))
    lines = text.split("\n")

    def own() -> None:
        corpus = Corpus.from_text(text, CorpusConfig(valid=0.0))
        vocab = Vocab.from_corpus(corpus, VocabConfig("bpe", max_size=BPE_SIZE))
        encode_corpus(corpus, vocab)

    taken = in_turn(own, lambda: of_library(lines), rounds)
    what = f"vocabulary and ids of {megabytes:g} MB, bpe, {BPE_SIZE} tokens"
    return [compared(what, "tokenizers", taken, f"at least {BPE_TARGET:.2f}")]


def of_library(lines: list[str]) -> int:
    """Do what the documentation of ``tokenizers`` does for bytes; return the number of ids."""
    learner = tokenizers.Tokenizer(tokenizers.models.BPE())
    learner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=BPE_SIZE,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator(lines, trainer)
    return sum(len(encoding.ids) for encoding in learner.encode_batch_fast(lines))


@contextmanager
def watched() -> Iterator[Callable[[], int]]:
    """Give a function that returns the peak of memory so far, in bytes above the first reading."""
    gc.collect()
    process, over = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.002):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: max(peak, process.memory_info().rss) - before
    finally:
        over.set()
        thread.join()


def memory_of(token: str, megabytes: float) -> float:
    """Return the bytes per character beyond the text itself, in this process."""
    text = "".join(pieces(megabytes))
    ours("warm up\n" * 100, token)
    with watched() as peak:
        ours(text, token)
        return peak() / len(text)


def memory(megabytes: float) -> list[Row]:
    """Measure the memory in separate processes."""
    rows = []
    for token in TARGETS:
        command = [sys.executable, __file__, "--child", token, "--megabytes", str(megabytes)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        held = float(json.loads(done.stdout))
        what = f"memory over the text, {megabytes:g} MB, {token}"
        target = f"at most {BYTES_TARGET}"
        rows.append(Row(what, f"{held:.2f} bytes a character", "", None, target))
    return rows


def linearity(sizes: tuple[float, ...]) -> list[Row]:
    """Measure our side at several sizes, in memory."""
    rows = []
    for token in TARGETS:
        rates: list[float] = []
        for size in sizes:
            text = "".join(pieces(size))
            taken = min(seconds(lambda t=text, k=token: ours(t, k)) for _ in range(3))
            rates.append(taken / size)
            ratio = f"{rates[-1] / rates[0]:.2f} times the time for each MB of {sizes[0]:g} MB"
            what = f"vocabulary and ids of {size:g} MB, {token}"
            rows.append(Row(what, f"{taken:.2f} s", "", None, "linear", ratio))
    return rows


def streamed(megabytes: float) -> list[Row]:
    """Measure a file that is read piece by piece, its indices mapped from an empty cache."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(pieces(megabytes))
        os.environ["XDG_CACHE_HOME"] = folder  # the cache folder of pooch on Linux
        sources.STREAM_BYTES = 0
        for token in TARGETS:
            times = []
            for _ in range(2):  # the second one finds everything in the cache
                begun = time.perf_counter()
                corpus = Corpus.load(str(path), CorpusConfig(valid=0.0))
                vocab = Vocab.from_corpus(corpus, VocabConfig(token=token))
                encode_corpus(corpus, vocab)
                times.append(time.perf_counter() - begun)
            rows.append(
                Row(
                    f"the same from a file of {megabytes:g} MB on disk, {token}",
                    f"{times[0]:.2f} s",
                    "",
                    None,
                    "linear",
                    f"{times[1]:.2f} s when it is in the cache",
                )
            )
    return rows


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (what `make bench` calls)
    """Return the rows: 100 MB in three rounds, or 5 MB once."""
    size, rounds = (5.0, 1) if quick else (100.0, 3)
    return [*beside_d2l(size, rounds), *beside_library(size, rounds), *memory(size)]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--bpe", action="store_true", help="the row of learnt pieces alone")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", choices=list(TARGETS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(memory_of(options.child, options.megabytes)))
    elif options.linear:
        sizes = (1.0, 10.0, 20.0) if options.quick else (10.0, 100.0, 1000.0)
        print(table([*linearity(sizes), *streamed(sizes[-1])]))
    elif options.bpe:
        print(table(beside_library(options.megabytes, options.rounds)))
    elif options.quick:
        print(table(measure(quick=True)))
    else:
        size, rounds = options.megabytes, options.rounds
        rows = [*beside_d2l(size, rounds), *beside_library(size, rounds)]
        print(table([*rows, *memory(size)]))


if __name__ == "__main__":
    main()
