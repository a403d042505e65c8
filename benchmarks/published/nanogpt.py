"""Train for minutes on the characters of Tiny Shakespeare; compare with nanoGPT's README.

    python benchmarks/published/nanogpt.py [FOLDER] [--minutes 3] [--threads 2] [--seed 0]

The setting is nanoGPT's character setting on a CPU: the first 90 % of the text are for training,
the rest is for validation, and training takes three minutes. Our side is a recurrent model with the
settings below; its minutes include all that the training loop does, also the scoring of the
held-out text after each epoch. nanoGPT estimates its figure from some random held-out windows; our
figure covers all of the held-out characters, with the state carried.
"""

from __future__ import annotations

import math

import torch
from common import parser, print_head, print_row, print_table_head, read

from rnn_magics import (
    BatchConfig,
    Corpus,
    CorpusConfig,
    ModelConfig,
    TrainConfig,
    Vocab,
    make_batches,
    train,
)

PUBLISHED = "1.88 (3 minutes, CPU), 1.4697 (3 minutes, A100)"
MODEL = ModelConfig(num_layers=2, dropout=0.3)
BATCHES = BatchConfig(num_steps=64)


def main() -> None:
    """Train the model and print the table."""
    options = parser(__doc__)
    options.add_argument("--minutes", type=float, default=3.0)
    options.add_argument("--seed", type=int, default=0)
    said = options.parse_args()
    torch.set_num_threads(said.threads)
    text = read(said.folder, "tinyshakespeare.txt")
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.1), name="tiny_shakespeare")
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BATCHES)
    config = TrainConfig(
        epochs=10**6, max_time=60 * said.minutes, seed=said.seed, threads=said.threads
    )
    print_head(f"seed {said.seed}")
    run = train(batches, MODEL, config)
    print_table_head("model", "minutes", "epochs", "tokens/s", "ours, nats", "published, nats")
    print_row(
        run.architecture,
        f"{said.minutes:g}",
        len(run.history),
        f"{run.tokens_per_second:,.0f}",
        f"{math.log(run.valid_perplexity):.4f}",
        PUBLISHED,
    )


if __name__ == "__main__":
    main()
