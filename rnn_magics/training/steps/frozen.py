"""Frozen layers: they take part in the computation and do not learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import RNNModel


def layers_of(model: RNNModel) -> dict[str, list[nn.Parameter]]:
    """Return the weights of a model by layer: ``embedding``, ``1``, ``2``, ..., ``output``.

    Both directions of a recurrent layer are one; 1 is the lowest. A weight that embedding and
    output share belongs to both. A learnt initial state is a layer of its own, ``state``.
    """
    embedding = {} if model.embedding is None else {"embedding": list(model.embedding.parameters())}
    cells, sides = list(model.rnn.cells), model.rnn.num_directions
    recurrent = {
        str(layer): [
            p for cell in cells[(layer - 1) * sides : layer * sides] for p in cell.parameters()
        ]
        for layer in range(1, len(cells) // sides + 1)
    }
    state = {} if model.rnn.initial is None else {"state": list(model.rnn.initial.parameters())}
    return {**embedding, **recurrent, **state, "output": list(model.output.parameters())}


def frozen_in(model: RNNModel, names: Sequence[str]) -> list[nn.Parameter]:
    """Return the weights of these layers, see `layers_of`.

    Raises
    ------
    ConfigError
        If the model has no such layer, or nothing would be left to learn.
    """
    layers = layers_of(model)
    for name in names:
        if name not in layers:
            raise ConfigError(
                say(
                    "--freeze {name}: this model has no such layer; it has {layers}",
                    name=name,
                    layers=", ".join(layers),
                )
            )
    frozen = list({id(p): p for name in names for p in layers[name]}.values())
    if len(frozen) == len(list(model.parameters())):
        raise ConfigError(say("--freeze leaves nothing that learns; leave a layer out of it"))
    return frozen


def learning_in(model: RNNModel, names: Sequence[str]) -> list[nn.Parameter]:
    """Return the weights that learn while these layers are frozen, in the order of the model.

    Raises
    ------
    ConfigError
        As for `frozen_in`.
    """
    frozen = {id(parameter) for parameter in frozen_in(model, names)}
    return [parameter for parameter in model.parameters() if id(parameter) not in frozen]


@contextmanager
def still(model: RNNModel, names: Sequence[str]) -> Iterator[None]:
    """Compute no gradient of these layers within this context; afterwards it is as it was."""
    held = [parameter for parameter in frozen_in(model, names) if parameter.requires_grad]
    try:
        for parameter in held:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)
