"""The loss of a minibatch and its gradients, with the chain rule written out.

A model without branches needs no graph of what was computed: the layers are a list, read from its
beginning and then from its end. Torch's autograd would ask Python for each node, and at textbook
sizes that takes as long as the products of a simple cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from rnn_magics.models.cells import State
from rnn_magics.models.engines import recurrence_of
from rnn_magics.models.fast.learning.functions import nats_and_gradient
from rnn_magics.models.fast.linear import linear_gradients, product
from rnn_magics.models.recurrent import needed

if TYPE_CHECKING:
    from rnn_magics.models.rnn_model import RNNModel


class _Layer(NamedTuple):
    """What the way back needs of a layer.

    Parameters
    ----------
    cell, recurrence
        The cell, and its compiled functions.
    vectors
        The inputs: tokens (num_steps, batch), or vectors (num_steps, batch, input_size).
    kept
        What was computed of it on the way forth.
    mask
        What its outputs were multiplied by (dropout); None for nothing.
    """

    cell: Any
    recurrence: Any
    vectors: Tensor
    kept: tuple[Tensor, ...]
    mask: Tensor | None


@torch.no_grad()
def add_gradients(model: RNNModel, X: Tensor, Y: Tensor, state: State) -> tuple[Tensor, State]:
    """Compute the loss of a minibatch, and add its gradients to those of the parameters.

    Parameters
    ----------
    model
        A model on the compiled engine that reads forwards and does not learn its first state.
    X, Y
        Token indices and labels, (batch, num_steps) each.
    state
        The state before the first token, `num_states` tensors (num_layers, batch, num_hiddens).

    Returns
    -------
    loss : Tensor
        The mean nats per token, a 0-d tensor.
    state : tuple of Tensor
        The state after the last token, shaped like `state`.
    """
    tokens = X.t().contiguous()  # (num_steps, batch)
    resets = needed(model.resets(tokens))
    vectors, mask_0 = tokens, None
    if model.embedding is not None:
        vectors = nn.functional.embedding(tokens, model.embedding.weight)
        mask_0 = model.dropout.mask(vectors)
        vectors = _masked(vectors, mask_0)  # (num_steps, batch, embedding_size)
    layers: list[_Layer] = []
    last: list[State] = []
    for index, cell in enumerate(model.rnn.cells):
        recurrence = recurrence_of(cell)
        begin = tuple(part[index] for part in state)  # (batch, num_hiddens) each
        kept = recurrence.read((vectors, *cell.weights), begin, resets)
        dropout = model.dropout if index + 1 == len(model.rnn.cells) else model.rnn.dropout
        outputs = kept[0][1:]  # (num_steps, batch, num_hiddens)
        layers.append(_Layer(cell, recurrence, vectors, kept, dropout.mask(outputs)))
        vectors = _masked(outputs, layers[-1].mask)
        last.append(tuple(part[-1] for part in kept[: recurrence.num_states]))
    rows, output = vectors.flatten(0, 1), model.output  # (num_tokens, num_hiddens)
    logits = product(rows, output.weight, output.bias)
    loss, d_logits = nats_and_gradient(logits, Y.t().flatten())
    if output.weight.requires_grad or output.bias.requires_grad:
        _add(output.parameters(), linear_gradients(rows, d_logits))
    d_vectors: Tensor | None = product(d_logits, output.weight.t()).view_as(vectors)
    after = tuple(torch.stack(parts) for parts in zip(*last, strict=True))
    learns = [any(p.requires_grad for p in layer.cell.parameters()) for layer in layers]
    embeds = model.embedding is not None and model.embedding.weight.requires_grad
    while layers and d_vectors is not None and (embeds or any(learns)):
        layer, _ = layers.pop(), learns.pop()
        d_vectors = _go_back(layer, d_vectors, resets, wants_inputs=embeds or any(learns))
    if d_vectors is not None and embeds and model.embedding is not None:
        d_vectors = _masked(d_vectors, mask_0)
        d_weight = torch.ops.aten.embedding_dense_backward(
            d_vectors, tokens, model.vocab_size, -1, False
        )
        _add((model.embedding.weight,), (d_weight,))
    return loss, after


def _masked(values: Tensor, mask: Tensor | None) -> Tensor:
    return values if mask is None else values * mask


def _go_back(
    layer: _Layer, d_outputs: Tensor, resets: Tensor | None, *, wants_inputs: bool
) -> Tensor | None:
    # Adds the gradients of a layer, and returns that of its inputs.
    given = (layer.vectors, *layer.cell.weights)
    first = layer.kept[0][0]  # (batch, num_hiddens)
    d_last = (torch.zeros_like(first) for _ in range(layer.recurrence.num_states))
    d_inputs, *found = layer.recurrence.gradients(
        given,
        layer.kept,
        resets,
        (_masked(d_outputs, layer.mask), *d_last),
        wants_inputs=wants_inputs,
    )
    _add(layer.cell.weights, found[: len(layer.cell.weights)])
    return d_inputs  # type: ignore[no-any-return]


def _add(parameters: Any, gradients: Any) -> None:
    # What a parameter has as a gradient lies as it does in memory, as with autograd.
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if not parameter.requires_grad:
            continue
        if parameter.grad is not None:  # a weight that input and output share
            parameter.grad.add_(gradient)
        elif gradient.stride() == parameter.stride():
            parameter.grad = gradient
        else:
            parameter.grad = torch.empty_like(parameter).copy_(gradient)
