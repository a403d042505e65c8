"""The first minibatches of an epoch, with the text behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnn_magics.batching import Batches


@dataclass(frozen=True)
class BatchPreview:
    """The first minibatches of an epoch, with the text behind them.

    Parameters
    ----------
    batches
        (X, Y) pairs, each (batch_size, num_steps).
    starts
        Where each row starts in the text, shape (num_shown, batch_size).
    tokens
        The tokens of X for each minibatch and row; None without a vocabulary.
    offset, num_batches, left_over
        The offset of the epoch, its number of minibatches, and the tokens in no window.
    """

    batches: list[tuple[Tensor, Tensor]]
    starts: Tensor
    tokens: list[list[list[Any]]] | None
    offset: int
    num_batches: int
    left_over: int


def preview(batches: Batches, show: int = 1, seed: int = 0) -> BatchPreview:
    """Return the first `show` minibatches of the epoch that `seed` draws."""
    plan = batches.plan(torch.Generator().manual_seed(seed))
    shown = [batches.batch(plan, index) for index in range(min(show, len(plan)))]
    vocab, tokens = batches.vocab, None
    if vocab is not None:
        tokens = [vocab.to_tokens(X.tolist()) for X, _ in shown]
    return BatchPreview(
        shown, plan.starts[: len(shown)], tokens, plan.offset, len(plan), plan.left_over
    )
