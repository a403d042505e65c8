"""TrainConfig: everything that decides how a model is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from rnn_magics.language import say
from rnn_magics.options import (
    AT_LEAST_ONE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    Options,
    Range,
    Spelling,
    option,
)
from rnn_magics.training.machine.precision import PRECISIONS
from rnn_magics.training.optimizers import SGD, Adam, AdamW

_FLOAT32 = Range(0, 3e38, open_left=True)  # torch overflows above this
# Optimizers that older files may name, each with the replacement that has the same learning rate.
REMOVED_OPTIMIZERS = {"muon": "adamw"}


@dataclass(frozen=True, repr=False)
class TrainConfig(Options):
    """How a model is trained."""

    epochs: int = option(10, "passes over the training text", within=AT_LEAST_ONE, label="Epochs")
    optimizer: str = option(
        "adamw",
        "the update rule",
        choices=lambda: list(OPTIMIZERS),
        removed=REMOVED_OPTIMIZERS,
        label="Optimizer",
    )
    lr: float | None = option(
        None,
        lambda: say(
            "the largest learning rate; by default {rates}",
            rates=say(", ").join(
                say("{lr:g} for {name}", lr=kind.lr, name=name) for name, kind in OPTIMIZERS.items()
            ),
        ),
        within=_FLOAT32,
        label="Learning rate",
        is_rate=True,
    )
    schedule: str = option(
        "cosine", "how the learning rate changes", choices=lambda: list(SCHEDULES), label="Schedule"
    )
    warmup: float = option(
        0.05,
        "share of training during which the learning rate rises (not for constant)",
        within=FRACTION,
        label="Warm-up",
    )
    clip: float | None = option(
        1.0,
        "largest gradient norm, theta; none to clip nothing",
        within=POSITIVE,
        label="Gradient bound",
        spelling=Spelling(metavar="THETA"),
    )
    weight_decay: float = option(
        0.0,
        "how strongly the weights are pulled towards zero",
        within=NOT_NEGATIVE,
        label="Weight decay",
        is_rate=True,
    )
    freeze: tuple[str, ...] = option(
        (),
        "layers that do not learn: embedding, 1 for the lowest recurrent layer, 2, ..., state,"
        " output",
        label="Frozen layers",
        spelling=Spelling(metavar="LAYERS"),
    )
    max_time: float | None = option(
        None, "stop after this many seconds", within=POSITIVE, label="Most seconds"
    )
    max_tokens: int | None = option(
        None,
        "stop after this many tokens",
        within=AT_LEAST_ONE,
        label="Most tokens",
        spelling=Spelling(metavar="N[k]", thousands=True),
    )
    score_every: int | None = option(
        None,
        "score the held-out text after so many tokens of training, besides after each epoch: 200k",
        within=AT_LEAST_ONE,
        label="Tokens between scores",
        spelling=Spelling(metavar="N[k]", thousands=True),
    )
    patience: int | None = option(
        None,
        "stop when so many held-out scores in a row are no better than the best",
        within=AT_LEAST_ONE,
        label="Patience",
    )
    weights: str = option(
        "last",
        "the weights that the run has at its end: those of the last step, or those with the best"
        " held-out score",
        choices=lambda: ["last", "best"],
        label="Weights to keep",
        spelling=Spelling("--keep"),
    )
    seed: int = option(
        0, "seed of initial weights, offsets, shuffles and dropout", within=SEED, label="Seed"
    )
    device: str | None = option(
        None, "cpu, cuda, cuda:1 or mps; by default CUDA if there is a GPU for it", label="Device"
    )
    precision: str = option(
        "float32",
        "number type: float32 (CUDA multiplies in tf32), or bf16 (CUDA only)",
        choices=lambda: list(PRECISIONS),
        label="Precision",
    )
    threads: int | None = option(
        None,
        "CPU threads; by default the number follows the machine",
        within=Range(1, 1024),
        label="CPU threads",
    )

    @property
    def peak_lr(self) -> float:
        """The largest learning rate: ``lr``, or the default of the optimizer."""
        if self.lr is not None:
            return self.lr
        name = self.optimizer
        return OPTIMIZERS[name if name in OPTIMIZERS else REMOVED_OPTIMIZERS[name]].lr


Make = Callable[..., torch.optim.Optimizer]


@dataclass(frozen=True)
class OptimizerKind:
    """An update rule.

    Parameters
    ----------
    make
        ``make(parameters, lr=..., weight_decay=...)`` returns the torch optimizer.
    lr
        The default learning rate.
    moments
        The number of values that it keeps for each weight.
    """

    make: Make
    lr: float
    moments: int = 2


def _fused(cls: Make, *devices: str) -> Make:
    def make(parameters: Iterable[nn.Parameter], **options: float) -> torch.optim.Optimizer:
        given = list(parameters)
        # One kernel over all parameters. On CUDA, only a fused update can be skipped on the device.
        fused = True if all(p.device.type in devices for p in given) else None
        return cls(given, fused=fused, **options)

    return make


OPTIMIZERS: dict[str, OptimizerKind] = {
    "sgd": OptimizerKind(_fused(SGD, "cuda"), 1.0, moments=0),
    "adam": OptimizerKind(_fused(Adam, "cpu", "cuda"), 0.005),
    "adamw": OptimizerKind(_fused(AdamW, "cpu", "cuda"), 0.005),
}


def constant(_progress: float, _warmup: float) -> float:
    """Keep the learning rate constant."""
    return 1.0


def linear(progress: float, warmup: float) -> float:
    """Rise during the warm-up, then fall linearly to zero."""
    return min(progress / warmup if warmup else 1.0, (1 - progress) / (1 - warmup))


def cosine(progress: float, warmup: float) -> float:
    """Rise during the warm-up, then fall to zero along half a cosine wave."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
}
"""``schedule(progress, warmup)`` returns a factor of the learning rate; progress is in [0, 1]."""
