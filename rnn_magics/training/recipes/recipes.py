"""Recipes: published settings, and some of our own, by name."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.language import marked
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.recipes.budget import REFERENCE


@dataclass(frozen=True)
class Recipe:
    """The settings of a run, and the magic lines that come before it.

    Parameters
    ----------
    model, train
        The settings.
    source
        The publication that they are from.
    before
        The magic lines that prepare the data as the source does.
    suits_machine
        Whether the model is only where to begin, and `suited` says which one to train.
    """

    model: ModelConfig
    train: TrainConfig
    source: str
    before: tuple[str, ...]
    suits_machine: bool = False


_TIME_MACHINE = (
    "%corpus time_machine --d2l --max-tokens 10000 --valid 0",
    "%vocab --token char",
    "%sample seq --batch-size 32 --num-steps 35",
)


def _d2l(source: str, lr: float = 1.0, **model: str | int | bool) -> Recipe:
    plain = TrainConfig(
        epochs=500, optimizer="sgd", lr=lr, schedule="constant", warmup=0.0, clip=1.0
    )
    config = ModelConfig.from_dict({"num_hiddens": 256, **model})
    return Recipe(config, plain, source, _TIME_MACHINE)


def _minutes(number: int) -> Recipe:
    # More epochs than any machine can read in the time: the time is the limit. A short text is
    # memorised before the time is over, so the best weights are kept. After a shorter warm-up, the
    # learning rates of `SIZES` make the loss of some seeds spike.
    config = TrainConfig(
        epochs=100_000,
        weight_decay=0.1,
        warmup=0.1,
        max_time=60.0 * number,
        weights="best",
    )
    before = ("%corpus tiny_shakespeare", "%vocab --token char", "%sample seq --num-steps 64")
    source = marked("docs/performance.md, time to quality")
    return Recipe(REFERENCE, config, source, before, suits_machine=True)


RECIPES: dict[str, Recipe] = {
    "d2l-rnn": _d2l(marked("Dive into Deep Learning, section 8.6"), cell="rnn"),
    "d2l-gru": _d2l(marked("Dive into Deep Learning, section 9.1"), cell="gru"),
    "d2l-lstm": _d2l(marked("Dive into Deep Learning, section 9.2"), cell="lstm"),
    "d2l-deep-lstm": _d2l(
        marked("Dive into Deep Learning, section 9.3"), lr=2.0, cell="lstm", num_layers=2
    ),
    "d2l-bi-lstm": _d2l(
        marked("Dive into Deep Learning, section 9.4"),
        cell="lstm",
        num_layers=2,
        bidirectional=True,
    ),
    "one-minute": _minutes(1),
    "three-minutes": _minutes(3),
    "ten-minutes": _minutes(10),
}
