"""The compiled loss as a `torch.autograd.Function`, and the compiling of what training needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rnn_magics.models.fast.functions import check_tokens
from rnn_magics.models.fast.layout import Array, as_array
from rnn_magics.models.fast.learning import losses, updates
from rnn_magics.models.fast.running.regions import run

_GRAIN = 4  # the fewest rows of a part, except for the last one


class MeanNats(Function):
    """The mean cross-entropy of logits (num_rows, vocab_size) and labels (num_rows,)."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:  # noqa: D102
        loss, d_logits = nats_and_gradient(logits, labels)
        ctx.save_for_backward(d_logits)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        (d_logits,) = ctx.saved_tensors
        return d_logits if d_loss.item() == 1 else d_logits * d_loss, None


def nats_and_gradient(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy, a 0-d tensor, and its gradient, shaped like the logits.

    They are computed together, since both need the same exponentials.

    Parameters
    ----------
    logits, labels
        Shapes (num_rows, vocab_size) and (num_rows,).

    Raises
    ------
    IndexError
        If a label is not in the vocabulary.
    """
    nats, d_logits = nats_of(logits, labels)
    return mean_of(nats, labels, logits), d_logits


def nats_of(logits: Tensor, labels: Tensor) -> tuple[Array, Tensor]:
    """Return the nats of each row, (num_rows,), and the gradient of their mean."""
    number, _ = logits.shape
    nats = np.empty(number)
    d_logits = torch.empty_like(logits, memory_format=torch.contiguous_format)
    given = (as_array(logits), as_array(labels), nats, as_array(d_logits))
    run(losses.nats_of_rows, number, _GRAIN, number, *given)
    return nats, d_logits


def mean_of(nats: Array, labels: Tensor, logits: Tensor) -> Tensor:
    """Return the mean of what `nats_of` returned, a 0-d tensor.

    Raises
    ------
    IndexError
        If a label is not in the vocabulary.
    """
    # The sum has the type of the logits, as torch's has: what overflows there does so here, too.
    loss = torch.tensor(nats.sum(), dtype=logits.dtype) / len(nats)
    if not math.isfinite(loss):
        check_tokens(labels.numpy(), logits.shape[1])
    return loss


def compile_updates(dtype: torch.dtype) -> None:
    """Compile the updates, by a small run of each."""
    weights = torch.zeros(4, dtype=dtype).numpy()  # a weight, its gradient and moments
    addresses = np.array([[weights[place:].ctypes.data for place in range(4)]])
    table, kept, bad = np.array([[0, 0, 1, 0]]), weights[:1].copy(), np.zeros(1, np.int64)
    sums = np.zeros((1, updates.LANES), weights.dtype)
    run(updates.sum_squares, 1, 1, 1, table, addresses, sums)
    given = (table, addresses, kept, bad, 1.0, 0.0, 0.0)
    run(updates.update_sgd, 1, 1, 1, *given)
    run(updates.update_adam, 1, 1, 1, *given, 1.0, np.ones(1), 0.9, 0.999, 1e-8)
