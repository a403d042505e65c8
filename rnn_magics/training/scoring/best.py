"""Best: the lowest held-out score of a training, and the weights that reached it."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from rnn_magics.models.rnn_model import RNNModel, weights


@dataclass
class Best:
    """The lowest held-out score of a training so far.

    Only scores that a training without interruption would have made count here, so that a resumed
    training finds the same.

    Parameters
    ----------
    nats
        Mean nats per held-out token.
    steps, epoch
        After how many steps since the beginning it was reached, and in which epoch, from 1.
    waited
        The number of scores since, none of them lower.
    weights
        The weights that reached it, by name; empty where they are not kept. While `is_in_model`,
        those of the last step instead.
    is_in_model
        Whether the model has the best weights, since the training is over.
    """

    nats: float
    steps: int
    epoch: int
    waited: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    is_in_model: bool = False

    def exchange(self, model: RNNModel) -> None:
        """Exchange the kept weights and those of the model, one tensor at a time."""
        with torch.no_grad():
            for name, now in weights(model).items():
                kept = self.weights[name]
                before = now.clone()
                now.copy_(kept)
                kept.copy_(before)
        self.is_in_model = not self.is_in_model


def kept_copy(model: RNNModel) -> dict[str, Tensor]:
    """Return an independent copy of the weights of a model, by name."""
    return {name: value.detach().clone() for name, value in weights(model).items()}
