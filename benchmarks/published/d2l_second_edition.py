"""Train the five recipes of Dive into Deep Learning, second edition; compare with the book.

    python benchmarks/published/d2l_second_edition.py [FOLDER] [--seeds 0 1 2] [--recipes NAME ...]

This needs the text of The Time Machine, timemachine.txt.
"""

from __future__ import annotations

import time

import torch
from common import parser, print_head, print_row, print_table_head, time_machine

from rnn_magics import (
    RECIPES,
    BatchConfig,
    Corpus,
    CorpusConfig,
    DecodingConfig,
    TrainConfig,
    Vocab,
    generate,
    make_batches,
    train,
)
from rnn_magics.errors import DecodingError

# The training perplexity at the end of training, over many published builds of the book.
PUBLISHED = {
    "d2l-rnn": "1.2 to 1.4",
    "d2l-gru": "1.0 to 1.3",
    "d2l-lstm": "1.0 to 1.4",
    "d2l-deep-lstm": "1.0 to 1.3",
    "d2l-bi-lstm": "1.1",
}


def main() -> None:
    """Train the recipes and print the table."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--recipes", nargs="+", default=list(PUBLISHED), choices=list(PUBLISHED))
    options.add_argument("--epochs", type=int, help="instead of the book's, for a trial")
    said = options.parse_args()
    torch.set_num_threads(said.threads)
    text = time_machine(said.folder)
    corpus = Corpus.from_text(text, CorpusConfig(d2l=True, max_tokens=10_000, valid=0.0))
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig("seq", batch_size=32, num_steps=35))
    print_head(f"seeds {', '.join(map(str, said.seeds))}")
    print_table_head("recipe", "published", "ours, per seed", "tokens/s, median", "writes (greedy)")
    begun = time.monotonic()
    for name in said.recipes:
        recipe = RECIPES[name]
        changes = {"threads": said.threads, "epochs": said.epochs or recipe.train.epochs}
        runs = []
        for seed in said.seeds:
            config = TrainConfig.from_dict({**recipe.train.to_dict(), **changes, "seed": seed})
            runs.append(train(batches, recipe.model, config, name=name))
        rates = sorted(run.tokens_per_second for run in runs)
        try:
            text = f"`{generate(runs[0], 'time traveller', DecodingConfig(50, greedy=True))}`"
        except DecodingError:
            text = "nothing: it would need the future"
        ours = ", ".join(f"{run.train_perplexity:.3f}" for run in runs)
        print_row(name, PUBLISHED[name], ours, f"{rates[len(rates) // 2]:,.0f}", text)
    print(f"\nTook {time.monotonic() - begun:.0f} s.")


if __name__ == "__main__":
    main()
