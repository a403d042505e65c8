"""The common beginning of all views: a text as tokens, and a model unrolled over them.

A view steps through `Cell.forward` and does not use the engine of the model, so that it shows what
the cell defines, even for a user-defined cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnn_magics.decoding.prefix import Trained, as_read, split_text, vocab_of
from rnn_magics.errors import InspectionError
from rnn_magics.language import say, say_number
from rnn_magics.models.cells import Cell, State
from rnn_magics.models.rnn_model import RNNModel, require_finite
from rnn_magics.options import NOT_NEGATIVE, Options, option
from rnn_magics.text.tokenizers import UNK

MAX_TOKENS = 1000
"""The largest number of tokens that a view shows one by one."""

_HALF = (torch.bfloat16, torch.float16)

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]


@dataclass(frozen=True, repr=False)
class LayerConfig(Options):
    """The common options of the views of one layer."""

    layer: int | None = option(
        None, "which layer, from 0, the lowest; by default the top one", within=NOT_NEGATIVE
    )


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it.

    Parameters
    ----------
    tokens
        The tokens as the model reads them: a token that is not in the vocabulary is ``<unk>``.
    ids
        Their indices, (num_tokens,), int64, on the device of the model.
    unknown
        The tokens that were read as ``<unk>``.
    """

    tokens: list[Any]
    ids: Tensor
    unknown: tuple[Any, ...]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)


def read_text(run: Trained, text: str, at_least: int = 1) -> Reading:
    """Clean a text as that of the training was, and split it with the vocabulary of a run.

    Parameters
    ----------
    run
        The run with the model and the vocabulary.
    text
        The text to split.
    at_least
        The number of tokens that the view needs.

    Raises
    ------
    InspectionError
        If the text has too few tokens or too many, or the model is bidirectional.
    DecodingError
        If the model was trained on bare indices.
    """
    require_readable(run.model)
    vocab = vocab_of(run)
    tokens = split_text(vocab, as_read(run, text))
    if len(tokens) < at_least:
        msg = say_number(
            len(tokens),
            "the text has {number} {kind} token, but this view needs at least {at_least}; type a"
            " longer text",
            "the text has {number} {kind} tokens, but this view needs at"
            " least {at_least}; type a longer text",
            kind=vocab.token,
            at_least=at_least,
        )
        raise InspectionError(msg)
    if len(tokens) > MAX_TOKENS:
        msg = say(
            "the text has {number:,} {kind} tokens, but a view shows at most"
            " {most:,}; type a shorter text",
            number=len(tokens),
            kind=vocab.token,
            most=MAX_TOKENS,
        )
        raise InspectionError(msg)
    indices = vocab[tokens]
    unknown = dict.fromkeys(t for t in tokens if t not in vocab and t != UNK)
    ids = torch.tensor(indices, device=run.model.output.weight.device)
    return Reading(vocab.to_tokens(indices), ids, tuple(unknown))


def require_readable(model: RNNModel) -> None:
    """Refuse a bidirectional model, and a model with non-finite weights.

    Raises
    ------
    InspectionError
        If the model is bidirectional.
    ModelError
        If a weight is not finite.
    """
    if model.config.bidirectional:
        msg = say(
            "in a bidirectional model, the state after a token also depends on"
            " later tokens, so views need a model that reads forwards: train"
            " one without --bidirectional"
        )
        raise InspectionError(msg)
    require_finite(model)


def layer_of(model: RNNModel, layer: int | None) -> int:
    """Return the given layer, or the top one.

    Raises
    ------
    InspectionError
        If there is no such layer.
    """
    highest = model.config.num_layers - 1
    if layer is None:
        return highest
    if layer > highest:
        known = (
            say("0 is its only layer")
            if highest == 0
            else say("its layers are 0 to {highest}", highest=highest)
        )
        msg = say("the model has no layer {layer}: {known}", layer=layer, known=known)
        raise InspectionError(msg)
    return layer


@dataclass(frozen=True)
class Unrolled:
    """One layer, unrolled over a text.

    Parameters
    ----------
    cell
        The cell of the layer.
    x
        The input product at each step, (num_tokens, num_gates * num_hiddens).
    states
        The state before the first token and after each token: `num_states` tensors
        (num_tokens + 1, num_hiddens).
    """

    cell: Cell
    x: Tensor
    states: State


def input_vectors(model: RNNModel, ids: Tensor) -> Tensor:
    """Return the input of the lowest layer: embedded tokens, or indices for one-hot inputs.

    Returns
    -------
    Tensor
        The input, (num_tokens, embedding_size) or (num_tokens,).
    """
    return ids if model.embedding is None else model.embedding(ids)


def unroll(model: RNNModel, inputs: Tensor) -> list[Unrolled]:
    """Step every layer through a text from `begin_state`, without dropout.

    Parameters
    ----------
    model
        A unidirectional model.
    inputs
        Token indices (num_tokens,), or vectors (num_tokens, input_size).

    Raises
    ------
    InspectionError
        If a state is not finite.
    """
    layers: list[Unrolled] = []
    begin = model.rnn.begin_state(1, inputs.device)
    for index, cell in enumerate(model.rnn.cells):
        x = cell.input_product(inputs[:, None])  # (num_tokens, 1, num_gates * num_hiddens)
        steps: list[State] = [tuple(part[index] for part in begin)]
        for step in x:
            steps.append(cell(step, steps[-1]))
        states = tuple(torch.cat(parts) for parts in zip(*steps, strict=True))
        for part in states:
            require_finite_states(len(layers), part)
        layers.append(Unrolled(cell, x[:, 0], states))
        inputs = states[0][1:]  # (num_tokens, num_hiddens)
    return layers


def require_finite_states(layer: int, states: Tensor) -> None:
    """Refuse non-finite states, which even finite weights can produce.

    Raises
    ------
    InspectionError
        If a state is not finite.
    """
    if not states.isfinite().all():
        msg = say(
            "the states of layer {layer} are not finite: its weights are too"
            " large for {dtype}; train with a lower learning rate or clip",
            layer=layer,
            dtype=str(states.dtype).removeprefix("torch."),
        )
        raise InspectionError(msg)


def to_array(tensor: Tensor) -> Array:
    """Return a copy of a tensor as an array; half precision becomes float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype in _HALF:  # numpy has no bfloat16, and computes slowly in float16
        tensor = tensor.float()
    array: Array = tensor.numpy()
    return array.copy()
