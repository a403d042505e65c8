"""Train the five recipes of Dive into Deep Learning and print them beside the published ranges.

    python benchmarks/d2l_recipes.py [--seeds 0 1 2] [--recipes d2l-gru ...]

Needs the Time Machine text: a folder named by RNN_MAGICS_DATA, or a network to download it.
The table goes into docs/fidelity.md with the date that it bears.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import time

import torch

from rnn_magics import (
    RECIPES,
    BatchConfig,
    Corpus,
    CorpusConfig,
    DecodingConfig,
    Vocab,
    generate,
    make_batches,
    train,
)
from rnn_magics.errors import DecodingError
from rnn_magics.training.config import TrainConfig

# Training perplexity printed at the end, over many published builds of the book's second edition.
PUBLISHED = {
    "d2l-rnn": "1.2 to 1.4",
    "d2l-gru": "1.0 to 1.3",
    "d2l-lstm": "1.0 to 1.4",
    "d2l-deep-lstm": "1.0 to 1.3",
    "d2l-bi-lstm": "1.1",
}


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    options = parser.parse_args()
    corpus = Corpus.load("time_machine", CorpusConfig(d2l=True, max_tokens=10_000, valid=0.0))
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig("seq", batch_size=32, num_steps=35))
    print(
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, Python {platform.python_version()},"
        f" torch {torch.__version__}, {torch.get_num_threads()} threads, seeds"
        f" {', '.join(map(str, options.seeds))}\n"
    )
    print("| recipe | published | ours, per seed | tokens/s, median | writes (greedy) |")
    print("| --- | --- | --- | --- | --- |")
    begun = time.monotonic()
    for name in options.recipes:
        recipe = RECIPES[name]
        runs = []
        for seed in options.seeds:
            config = TrainConfig.from_dict({**recipe.train.to_dict(), "seed": seed})
            runs.append(train(batches, recipe.model, config, name=name))
        rates = sorted(run.tokens_per_second for run in runs)
        try:
            text = f"`{generate(runs[0], 'time traveller', DecodingConfig(50, greedy=True))}`"
        except DecodingError:
            text = "nothing: it would need the future"
        ours = ", ".join(f"{run.train_perplexity:.3f}" for run in runs)
        print(
            f"| {name} | {PUBLISHED[name]} | {ours} | {rates[len(rates) // 2]:,.0f} | {text} |",
            flush=True,
        )
    print(f"\nTook {time.monotonic() - begun:.0f} s.")


if __name__ == "__main__":
    main()
