"""Recipes: published settings, and one of our own, by name."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.language import marked
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig


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
    """

    model: ModelConfig
    train: TrainConfig
    source: str
    before: tuple[str, ...]


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
    "three-minutes": Recipe(
        ModelConfig("lstm", num_layers=2, dropout=0.1),
        TrainConfig(epochs=1000, weight_decay=0.1, max_time=180.0),
        marked("docs/performance.md, time to quality"),
        ("%corpus tiny_shakespeare", "%vocab --token char", "%sample seq --num-steps 64"),
    ),
}
