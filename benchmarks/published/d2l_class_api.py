"""Train RNN, GRU and LSTM as Dive into Deep Learning 1.x does (its class API), with validation.

    python benchmarks/published/d2l_class_api.py [FOLDER] [--seeds 0 1 2] [--models rnn gru lstm]

The text is The Time Machine in lower case, with every run of non-letters replaced by one space. A
window of 32 characters with its label begins at every position. The first 10,000 windows are for
training, shuffled, 1,024 at a time; the next 5,000 are for validation. The models have 32 hidden
units and are trained by plain SGD with gradients clipped to norm 1; the state is zero at the
beginning of each window.

`make_batches` cuts a text into windows that do not overlap, and drops the last minibatch if it is
not full; the book does neither. So the epochs are written out here, with the model and the clipping
of the library. The book plots the mean of the perplexities of five validation minibatches; the
table also has exp of the mean over all of their tokens.
"""

from __future__ import annotations

import math
import re

import torch
from common import parser, print_head, print_row, print_table_head, time_machine
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnn_magics import Corpus, ModelConfig, RNNModel, Vocab
from rnn_magics.training.steps.clipping import clip_gradients, gradient_norm

NUM_STEPS, BATCH_SIZE, NUM_TRAIN, NUM_VALID = 32, 1024, 10_000, 5_000
SETTINGS = {"rnn": (100, 1.0), "gru": (50, 4.0), "lstm": (50, 4.0)}  # epochs, learning rate
PUBLISHED = {"rnn": "7.15 to 7.53", "gru": "6.31 to 6.96", "lstm": "6.68 to 7.69"}


def main() -> None:
    """Train the models and print the table."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--models", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    options.add_argument("--epochs", type=int, help="instead of the book's, for a trial")
    said = options.parse_args()
    torch.set_num_threads(said.threads)
    text = re.sub("[^A-Za-z]+", " ", time_machine(said.folder)).lower()
    vocab = Vocab.from_corpus(Corpus.from_text(text))
    ids = torch.tensor(vocab[list(text)])
    windows = ids.unfold(0, NUM_STEPS + 1, 1)[: NUM_TRAIN + NUM_VALID]  # (windows, num_steps + 1)
    print_head(f"{len(vocab)} tokens, seeds {', '.join(map(str, said.seeds))}")
    print_table_head("model", "published", "ours: exp of the mean, per seed", "mean of exps")
    for name in said.models:
        epochs, lr = SETTINGS[name]
        found = [
            train(name, windows, len(vocab), said.epochs or epochs, lr, seed) for seed in said.seeds
        ]
        ours = (
            ", ".join(f"{value:.3f}" for value in column) for column in zip(*found, strict=True)
        )
        print_row(name, PUBLISHED[name], *ours)


def train(
    name: str, windows: Tensor, vocab_size: int, epochs: int, lr: float, seed: int
) -> tuple[float, float]:
    """Return the last validation perplexity, as exp of the mean and as the book computes it."""
    generator = torch.Generator().manual_seed(seed)
    model = RNNModel(ModelConfig(cell=name, num_hiddens=32), vocab_size, generator)
    model.make_ready()
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=lr)
    training, validation = windows[:NUM_TRAIN], windows[NUM_TRAIN:]
    for _ in range(epochs):
        for rows in torch.randperm(len(training), generator=generator).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss(model, training[rows]).backward()
            clip_gradients(parameters, gradient_norm(parameters), 1.0)
            optimizer.step()
    with torch.no_grad():
        losses = [(loss(model, batch).item(), len(batch)) for batch in validation.split(BATCH_SIZE)]
    mean = sum(value * size for value, size in losses) / len(validation)
    return math.exp(mean), sum(math.exp(value) for value, _ in losses) / len(losses)


def loss(model: RNNModel, windows: Tensor) -> Tensor:
    """Return the mean cross-entropy of windows (batch_size, num_steps + 1)."""
    logits, _ = model(windows[:, :-1])
    return cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


if __name__ == "__main__":
    main()
