"""The loss of a minibatch and its gradients, with the chain rule written out.

A model without branches needs no graph of what was computed: the layers are a list, read from its
beginning and then from its end. Torch's autograd would ask Python for each node, and at textbook
sizes that takes as long as the products of a simple cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from rnn_magics.models.cells import State
from rnn_magics.models.engines import recurrence_of
from rnn_magics.models.fast.layout import Array
from rnn_magics.models.fast.learning.functions import mean_of, nats_of
from rnn_magics.models.fast.linear import linear_gradients, product
from rnn_magics.models.fast.running.tape import Tape, do
from rnn_magics.models.recurrent import Dropout, needed

if TYPE_CHECKING:
    from rnn_magics.models.rnn_model import RNNModel

_MOST_KEPT = 2**22  # numbers in the gates of a minibatch whose memory is kept between two steps
_Pairs = list[tuple[nn.Parameter, Tensor]]


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


class _Result(NamedTuple):
    """What was computed of a minibatch.

    Parameters
    ----------
    nats, logits
        Of each token, (num_tokens,), and (num_tokens, vocab_size).
    last
        The last state of each layer.
    gradients
        The parameters that learn, each with its gradient; one that is used twice comes twice.
    """

    nats: Array
    logits: Tensor
    last: list[State]
    gradients: _Pairs


@dataclass
class _Taped:
    """A minibatch on a tape: where what is given lies, and what comes of it.

    Parameters
    ----------
    known
        What must be as it was: shapes, what is dropped, where the parameters lie, and which of them
        learn.
    tokens, labels, state
        What is given, in memory of its own.
    """

    known: tuple[Any, ...]
    tape: Tape
    tokens: Tensor
    labels: Tensor
    state: State
    result: _Result


class WrittenOut:
    """Computes the loss of minibatches and its gradients.

    Where a minibatch is small, the memory of a step serves the next one, too, and its calls are on
    a tape (`rnn_magics.models.fast.running.tape`).

    Parameters
    ----------
    model
        A model on the compiled engine that reads forwards and does not learn its first state.
    """

    def __init__(self, model: RNNModel) -> None:
        self._model = model
        self._parameters = list(model.parameters())
        self._taped: _Taped | None = None
        gates = sum(cell.weight_ih.shape[0] for cell in model.rnn.cells)
        # What torch looks up is on no tape.
        self._most_tokens = _MOST_KEPT // gates if model.embedding is None else 0

    @torch.no_grad()
    def add(self, X: Tensor, Y: Tensor, state: State) -> tuple[Tensor, State]:
        """Compute the loss of a minibatch, and add its gradients to those of the parameters.

        Parameters
        ----------
        X, Y
            Token indices and labels, (batch, num_steps) each.
        state
            The state before the first token, `num_states` tensors (num_layers, batch,
            num_hiddens).

        Returns
        -------
        loss : Tensor
            The mean nats per token, a 0-d tensor.
        state : tuple of Tensor
            The state after the last token, shaped like `state`.

        Raises
        ------
        IndexError
            If a token or a label is not in the vocabulary.

        Notes
        -----
        The gradients of a tape are overwritten by the next step.
        """
        tokens, labels = X.t(), Y.t()  # (num_steps, batch)
        resets = needed(self._model.resets(tokens))
        if resets is None and self._can_be_taped(X):
            taped = self._played(tokens, labels, state)
            labels, result = taped.labels, taped.result
        else:
            labels = labels.contiguous()
            result = _compute(self._model, tokens.contiguous(), labels, state, resets)
        loss = mean_of(result.nats, labels.flatten(), result.logits)
        for parameter, gradient in result.gradients:
            if parameter.grad is None:
                parameter.grad = gradient
            else:  # of an earlier minibatch, or of the other use of a shared weight
                parameter.grad.add_(gradient)
        return loss, tuple(torch.stack(parts) for parts in zip(*result.last, strict=True))

    def _can_be_taped(self, X: Tensor) -> bool:
        if X.numel() > self._most_tokens:
            return False
        return all(parameter.grad is None for parameter in self._parameters)

    def _played(self, tokens: Tensor, labels: Tensor, state: State) -> _Taped:
        where = tuple((p.data_ptr(), p.requires_grad) for p in self._parameters)
        parts = self._model.dropout, self._model.rnn.dropout
        drops = tuple((part.acts, part.p, part.share) for part in parts)
        known = (tokens.shape, *drops, *where)
        taped = self._taped
        if taped is not None and taped.known == known:
            for own, given in zip(
                (taped.tokens, taped.labels, *taped.state), (tokens, labels, *state), strict=True
            ):
                own.copy_(given)
            taped.tape.play()
            return taped
        self._taped = None
        tape, kept = Tape(), tuple(part.clone() for part in state)
        own_tokens, own_labels = tokens.contiguous(), labels.contiguous()
        with tape.recording():
            result = _compute(self._model, own_tokens, own_labels, kept, None)
        self._taped = _Taped(known, tape, own_tokens, own_labels, kept, result)
        return self._taped


def _compute(
    model: RNNModel, tokens: Tensor, labels: Tensor, state: State, resets: Tensor | None
) -> _Result:
    # tokens, labels, resets: (num_steps, batch)
    found: _Pairs = []
    vectors, mask_0 = tokens, None
    if model.embedding is not None:
        vectors = nn.functional.embedding(tokens, model.embedding.weight)
        mask_0 = _mask(model.dropout, vectors)
        vectors = _masked(vectors, mask_0)  # (num_steps, batch, embedding_size)
    layers: list[_Layer] = []
    last: list[State] = []
    for index, cell in enumerate(model.rnn.cells):
        recurrence = recurrence_of(cell)
        begin = tuple(part[index] for part in state)  # (batch, num_hiddens) each
        kept = recurrence.read((vectors, *cell.weights), begin, resets)
        dropout = model.dropout if index + 1 == len(model.rnn.cells) else model.rnn.dropout
        outputs = kept[0][1:]  # (num_steps, batch, num_hiddens)
        layers.append(_Layer(cell, recurrence, vectors, kept, _mask(dropout, outputs)))
        vectors = _masked(outputs, layers[-1].mask)
        last.append(tuple(part[-1] for part in kept[: recurrence.num_states]))
    rows, output = vectors.flatten(0, 1), model.output  # (num_tokens, num_hiddens)
    logits = product(rows, output.weight, output.bias)
    nats, d_logits = nats_of(logits, labels.flatten())
    if output.weight.requires_grad or output.bias.requires_grad:
        found += _pairs(output.parameters(), linear_gradients(rows, d_logits))
    d_vectors: Tensor | None = product(d_logits, output.weight.t()).view_as(vectors)
    learns = [any(p.requires_grad for p in layer.cell.parameters()) for layer in layers]
    embeds = model.embedding is not None and model.embedding.weight.requires_grad
    while layers and d_vectors is not None and (embeds or any(learns)):
        layer, _ = layers.pop(), learns.pop()  # so that its memory is free again
        wants_inputs = embeds or any(learns)
        d_vectors, pairs = _go_back(layer, d_vectors, resets, wants_inputs=wants_inputs)
        found += pairs
    if d_vectors is not None and embeds and model.embedding is not None:
        d_weight = torch.ops.aten.embedding_dense_backward(
            _masked(d_vectors, mask_0), tokens, model.vocab_size, -1, False
        )
        found += _pairs((model.embedding.weight,), (d_weight,))
    return _Result(nats, logits, last, found)


def _mask(dropout: Dropout, values: Tensor) -> Tensor | None:
    if not dropout.acts:
        return None
    mask = torch.empty_like(values)
    do(dropout.draw, mask)
    return mask


def _masked(values: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return values
    masked = torch.empty_like(values)
    do(partial(torch.mul, out=masked), values, mask)
    return masked


def _go_back(
    layer: _Layer, d_outputs: Tensor, resets: Tensor | None, *, wants_inputs: bool
) -> tuple[Tensor | None, _Pairs]:
    # Returns the gradient of the inputs of a layer, and those of its weights.
    weights = layer.cell.weights
    first = layer.kept[0][0]  # (batch, num_hiddens)
    d_last = (torch.zeros_like(first) for _ in range(layer.recurrence.num_states))
    d_inputs, *d_rest = layer.recurrence.gradients(
        (layer.vectors, *weights),
        layer.kept,
        resets,
        (_masked(d_outputs, layer.mask), *d_last),
        wants_inputs=wants_inputs,
    )
    return d_inputs, _pairs(weights, d_rest[: len(weights)])


def _pairs(parameters: Any, gradients: Any) -> _Pairs:
    # Each gradient lies as its parameter does in memory, as with autograd.
    pairs = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if not parameter.requires_grad:
            continue
        own = gradient
        if gradient.stride() != parameter.stride():
            own = torch.empty_like(parameter)
            do(own.copy_, gradient)
        pairs.append((parameter, own))
    return pairs
