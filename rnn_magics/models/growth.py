"""A model for a larger vocabulary: what it has learnt stays, new tokens begin near the others."""

from __future__ import annotations

import torch
from torch import Tensor

from rnn_magics.errors import ModelError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import RNNModel, weights

_NEAR = 0.1  # standard deviations of the rows there are


def grow_model(
    model: RNNModel, vocab_size: int, generator: torch.Generator | None = None
) -> RNNModel:
    r"""Return a copy of a model that has further tokens after its own.

    The logits of its own tokens do not change on any text of theirs, nor do their probabilities
    relative to each other. What belongs to a new token (its row of the embedding or column of the
    input weights, its row of the output, its output bias) begins near the mean of those of the
    tokens there are, so that its logit is near their mean (Hewitt 2021, "Initializing new word
    embeddings for pretrained language models"):

    .. math:: w_{new} = \bar w + \tfrac{1}{10}\, \sigma_w \odot \epsilon, \quad
        \epsilon \sim \mathcal{N}(0, I)

    Parameters
    ----------
    model
        The model; it does not change.
    vocab_size
        The number of token indices of the copy, at least as many as the model has.
    generator
        Draws the numbers, on the CPU; by default the global one.

    Returns
    -------
    RNNModel
        In evaluation mode, on the device and in the precision of the model, without a vocabulary.

    Raises
    ------
    ModelError
        If the copy would have fewer tokens, or the cell has a weight that does not grow with its
        input along one dimension.
    """
    if vocab_size < model.vocab_size:
        raise ModelError(
            say(
                "a model of {num_tokens} tokens cannot become one of {vocab_size}",
                num_tokens=model.vocab_size,
                vocab_size=vocab_size,
            )
        )
    unused = torch.Generator()  # so that growing does not advance the global generator
    grown = RNNModel(model.config, vocab_size, unused).to(model.output.weight)
    before = weights(model)
    with torch.no_grad():
        for name, value in weights(grown).items():
            value.copy_(_grown(name, before[name], value.shape, generator))
    return grown.eval()


def _grown(
    name: str, before: Tensor, shape: torch.Size, generator: torch.Generator | None
) -> Tensor:
    larger = [
        dim for dim, (old, new) in enumerate(zip(before.shape, shape, strict=True)) if old != new
    ]
    if not larger:
        return before
    if len(larger) > 1 or not before.is_floating_point():
        raise ModelError(say("{name} of this cell does not grow with its input", name=name))
    (dim,) = larger
    rows = before.movedim(dim, 0)  # (vocab_size, ...)
    drawn = torch.randn((shape[dim] - len(rows), *rows.shape[1:]), generator=generator)
    added = rows.mean(0) + _NEAR * rows.std(0, correction=0) * drawn.to(rows)
    return torch.cat((rows, added)).movedim(0, dim)
