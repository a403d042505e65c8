"""Compare a first run with all defaults with the book's recipe in the same time.

    python benchmarks/first_run.py [--corpus python_docs tiny_shakespeare] [--seeds 0 1 2]

Both train a GRU of 256 units on the same text with the same minibatches and are scored on the same
held-out tenth. The run with the defaults trains for ten epochs. Then the recipe (plain SGD with
constant learning rate 1) gets the same number of seconds, up to its 500 epochs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform

import torch

from rnn_magics import RECIPES, Corpus, ModelConfig, TrainConfig, Vocab, make_batches, train


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", nargs="+", default=["python_docs"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    print(
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, Python {platform.python_version()},"
        f" torch {torch.__version__}, {torch.get_num_threads()} threads\n"
    )
    print("| text | seed | seconds | defaults, held out | book's recipe, held out |")
    print("| --- | --- | --- | --- | --- |")
    for name in options.corpus:
        corpus = Corpus.load(name)
        batches = make_batches(corpus, Vocab.from_corpus(corpus))
        for seed in options.seeds:
            ours = train(batches, ModelConfig(), TrainConfig(seed=seed))
            seconds = sum(ours.history.seconds)
            recipe = RECIPES["d2l-gru"]
            same_time = {**recipe.train.to_dict(), "seed": seed, "max_time": seconds}
            book = train(batches, recipe.model, TrainConfig.from_dict(same_time))
            print(
                f"| {name} | {seed} | {seconds:.0f} | {ours.valid_perplexity:.3f}"
                f" | {book.valid_perplexity:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
