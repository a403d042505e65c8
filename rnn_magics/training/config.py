"""TrainConfig: everything that decides how a model is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from rnn_magics.options import (
    AT_LEAST_ONE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    Options,
    Range,
    option,
)
from rnn_magics.training.machine.precision import PRECISIONS

_FLOAT32 = Range(0, 3e38, open_left=True)  # a larger step is no number to torch
# Names in files of earlier versions, each with the optimizer to take instead, of the same rate.
REMOVED_OPTIMIZERS = {"muon": "adamw"}


@dataclass(frozen=True, repr=False)
class TrainConfig(Options):
    """How a model is trained."""

    epochs: int = option(10, "passes over the training text", within=AT_LEAST_ONE)
    optimizer: str = option(
        "adamw", "the update rule", choices=lambda: list(OPTIMIZERS), removed=REMOVED_OPTIMIZERS
    )
    lr: float | None = option(
        None,
        lambda: (
            "the largest learning rate; by default "
            + ", ".join(f"{kind.lr:g} for {name}" for name, kind in OPTIMIZERS.items())
        ),
        within=_FLOAT32,
    )
    schedule: str = option(
        "cosine", "how the learning rate changes", choices=lambda: list(SCHEDULES)
    )
    warmup: float = option(
        0.05,
        "share of training in which the learning rate rises (not for constant)",
        within=FRACTION,
    )
    clip: float | None = option(
        1.0,
        "largest norm of the gradient, theta; none to let it explode",
        within=POSITIVE,
        metavar="THETA",
    )
    weight_decay: float = option(0.0, "pull of the weights towards zero", within=NOT_NEGATIVE)
    max_time: float | None = option(None, "stop after so many seconds", within=POSITIVE)
    max_tokens: int | None = option(None, "stop after so many tokens", within=AT_LEAST_ONE)
    seed: int = option(0, "of initial weights, offsets, shuffles and dropout", within=SEED)
    device: str | None = option(None, "cpu, cuda, cuda:1, mps; the best there is if not said")
    precision: str = option(
        "float32",
        "of the arithmetic: float32, whose products CUDA takes in tf32, or bf16 (CUDA)",
        choices=lambda: list(PRECISIONS),
    )
    threads: int | None = option(
        None, "CPU threads; measured once a session if not said", within=Range(1, 1024)
    )

    @property
    def peak_lr(self) -> float:
        """The learning rate at its highest: ``lr``, or the optimizer's usual one."""
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
        The learning rate when none is given.
    moments
        How many numbers it keeps for each weight.
    """

    make: Make
    lr: float
    moments: int = 2


def _fused(cls: Make, *devices: str) -> Make:
    def make(parameters: Iterable[nn.Parameter], **options: float) -> torch.optim.Optimizer:
        given = list(parameters)
        # One kernel over all parameters, which CUDA can also hold back; elsewhere torch's choice.
        fused = True if all(p.device.type in devices for p in given) else None
        return cls(given, fused=fused, **options)

    return make


OPTIMIZERS: dict[str, OptimizerKind] = {
    "sgd": OptimizerKind(_fused(torch.optim.SGD, "cuda"), 1.0, moments=0),
    "adam": OptimizerKind(_fused(torch.optim.Adam, "cpu", "cuda"), 0.005),
    "adamw": OptimizerKind(_fused(torch.optim.AdamW, "cpu", "cuda"), 0.005),
}


def constant(_progress: float, _warmup: float) -> float:
    """Keep the learning rate."""
    return 1.0


def linear(progress: float, warmup: float) -> float:
    """Rise during the warm-up, then fall on a straight line to zero."""
    return min(progress / warmup if warmup else 1.0, (1 - progress) / (1 - warmup))


def cosine(progress: float, warmup: float) -> float:
    """Rise during the warm-up, then fall on half a cosine wave to zero."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
}
"""``schedule(progress, warmup)`` returns the share of the learning rate, progress in [0, 1]."""
