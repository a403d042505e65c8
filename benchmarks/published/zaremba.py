"""Train the small and the medium LSTM of Zaremba et al. (2014) on the Penn Treebank.

    python benchmarks/published/zaremba.py FOLDER small [--state zaremba-small.pt]

FOLDER holds ptb.train.txt, ptb.valid.txt and ptb.test.txt as Mikolov prepared them. With --state
the state of the training is written to that file after each epoch, and the script continues from it
when it is started again. The medium model takes a night on a CPU.

As in the paper, rows are contiguous and the state is carried, initial weights are drawn from
U(-r, r), the loss is summed over the steps and averaged over the rows, and from a certain epoch on
the learning rate is divided by a factor after each epoch. The library's LSTM has a second bias,
which the paper's LSTM does not have; it does not change what the model can compute.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

import torch
from common import parser, print_head, print_row, print_table_head, read
from torch.nn.functional import cross_entropy

from rnn_magics import ModelConfig, RNNModel, Vocab, evaluate
from rnn_magics.models.rnn_model import detach
from rnn_magics.training.steps.clipping import clip_gradients, gradient_norm

BATCH_SIZE = 20


@dataclass(frozen=True)
class Setting:
    """The settings of one model in the paper: section 4.1, and the table of published figures."""

    num_hiddens: int
    dropout: float
    num_steps: int
    bound: float  # the range of the initial weights
    epochs: int
    full_epochs: int  # epochs at learning rate 1
    factor: float  # the divisor of the learning rate after each later epoch
    published: str


SETTINGS = {
    "small": Setting(200, 0.0, 20, 0.1, 13, 4, 2.0, "valid 121.4, test 115.9"),
    "medium": Setting(650, 0.5, 35, 0.05, 39, 6, 1.2, "valid 86.2, test 82.1"),
}
CLIP = 5.0


def main() -> None:
    """Train, or resume training, and print the table."""
    options = parser(__doc__)
    options.add_argument("model", choices=list(SETTINGS))
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--epochs", type=int, help="instead of the paper's, for a trial")
    options.add_argument("--state", type=pathlib.Path, help="the file that training resumes from")
    said = options.parse_args()
    torch.set_num_threads(said.threads)
    setting = SETTINGS[said.model]
    parts = [words(read(said.folder, f"ptb.{part}.txt")) for part in ("train", "valid", "test")]
    vocab = Vocab(parts[0])
    train, valid, test = (torch.tensor(vocab[part]) for part in parts)
    generator = torch.Generator().manual_seed(said.seed)
    model = make_model(setting, len(vocab), generator)
    begun = resume(said.state, model, generator)
    print_head(f"{said.model}, seed {said.seed}, {begun} epochs done before")
    print_table_head("epoch", "learning rate", "valid", "test", "published, at the end")
    for epoch in range(begun, said.epochs or setting.epochs):
        lr = setting.factor ** -max(epoch + 1 - setting.full_epochs, 0)
        train_epoch(model, train, setting, lr)
        save(said.state, model, generator, epoch + 1)
        figures = [f"{evaluate(model, ids).perplexity:.2f}" for ids in (valid, test)]
        print_row(epoch + 1, f"{lr:.4g}", *figures, setting.published)


def words(text: str) -> list[str]:
    """Return the words of the lines; each line ends with ``<eos>``."""
    return [word for line in text.splitlines() for word in [*line.split(), "<eos>"]]


def make_model(setting: Setting, vocab_size: int, generator: torch.Generator) -> RNNModel:
    """Return the model with its initial weights; `generator` is also used later, for dropout."""
    size = setting.num_hiddens
    config = ModelConfig("lstm", size, num_layers=2, dropout=setting.dropout, embedding_size=size)
    model = RNNModel(config, vocab_size, generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-setting.bound, setting.bound, generator=generator)
    model.seed_dropout(generator)
    model.make_ready()
    return model


def train_epoch(model: RNNModel, ids: torch.Tensor, setting: Setting, lr: float) -> None:
    """Train on the whole text once, on all rows at a time."""
    parameters = list(model.parameters())
    length = (len(ids) - 1) // BATCH_SIZE
    inputs, labels = (ids[i : i + BATCH_SIZE * length].view(BATCH_SIZE, length) for i in (0, 1))
    optimizer = torch.optim.SGD(parameters, lr=lr)
    state = model.begin_state(BATCH_SIZE)
    model.train()
    for begin in range(0, length - setting.num_steps + 1, setting.num_steps):
        window = slice(begin, begin + setting.num_steps)
        logits, state = model(inputs[:, window], detach(state))  # (batch_size, num_steps, vocab)
        optimizer.zero_grad()
        mean = cross_entropy(logits.flatten(0, 1), labels[:, window].flatten())
        (mean * setting.num_steps).backward()
        clip_gradients(parameters, gradient_norm(parameters), CLIP)
        optimizer.step()


def save(
    path: pathlib.Path | None, model: RNNModel, generator: torch.Generator, epochs: int
) -> None:
    """Write all that training needs to resume: plain SGD keeps nothing between two epochs."""
    if path is None:
        return
    state = {"model": model.state_dict(), "generator": generator.get_state(), "epochs": epochs}
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    unfinished.replace(path)


def resume(path: pathlib.Path | None, model: RNNModel, generator: torch.Generator) -> int:
    """Load what `save` wrote, if it exists, and return how many epochs are done."""
    if path is None or not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    generator.set_state(state["generator"])
    return int(state["epochs"])


if __name__ == "__main__":
    main()
