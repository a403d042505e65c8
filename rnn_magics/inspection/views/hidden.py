"""The view ``hidden``: the state of every layer after every token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from rnn_magics.decoding.prefix import Trained
from rnn_magics.inspection.views.ordering import UNIT_ORDERS
from rnn_magics.inspection.views.payload import HiddenPayload, pack
from rnn_magics.inspection.views.trace import TextTrace
from rnn_magics.inspection.views.unrolled import (
    Array,
    LayerConfig,
    input_vectors,
    layer_of,
    read_text,
    to_array,
    unroll,
)
from rnn_magics.language import say, say_number
from rnn_magics.options import AT_LEAST_ONE, option
from rnn_magics.results import quoted

_SHOWN_UNITS = 4
_NUM_UNITS = 32


@dataclass(frozen=True, repr=False)
class HiddenConfig(LayerConfig):
    """The options of the view ``hidden``."""

    order: str = option("variance", "order of the units", choices=lambda: list(UNIT_ORDERS))
    num_units: int = option(
        _NUM_UNITS, "number of units shown, the first in that order", within=AT_LEAST_ONE
    )


@dataclass(frozen=True, repr=False, eq=False)
class Hidden(TextTrace):
    """The state of every layer after every token.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    states
        The outputs h, (num_layers, num_tokens, num_hiddens).
    memory
        The memory c of an LSTM, of the same shape; None for other cells.
    layer
        The layer shown.
    order
        A name of `UNIT_ORDERS`.
    units
        The units shown, in that order.
    """

    kind: ClassVar[str] = "hidden"

    states: Array
    memory: Array | None
    layer: int
    order: str
    units: Array

    @property
    def shown(self) -> Array:
        """The states of the shown layer and units, (num_tokens, num_units)."""
        shown: Array = self.states[self.layer][:, self.units]
        return shown

    @property
    def title(self) -> str:
        """One line."""
        num_layers, num_tokens, num_hiddens = self.states.shape
        return say_number(
            num_tokens,
            "hidden: {num_tokens} token x {units} of {num_hiddens} units, layer {layer} of 0 to"
            " {last}, by {order}",
            "hidden: {num_tokens} tokens x {units} of {num_hiddens} units,"
            " layer {layer} of 0 to {last}, by {order}",
            num_tokens=num_tokens,
            units=len(self.units),
            num_hiddens=num_hiddens,
            layer=self.layer,
            last=num_layers - 1,
            order=self.order,
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say("The hidden state after each token")

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "Each column is a token, each row a unit, by its number. Red is"
            " above zero, blue below; the darker, the farther from it."
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return for each token the units that are farthest from zero."""
        yield say("token"), say("strongest units")
        for token, state in zip(self.tokens, self.shown, strict=True):
            strongest = np.argsort(-np.abs(state), kind="stable")[:_SHOWN_UNITS]
            told = "  ".join(f"{self.units[u]}: {state[u]:+.2f}" for u in strongest)
            yield quoted(token), told

    def to_data(self) -> HiddenPayload:
        """Return what a front end draws."""
        parts = {"h": self.states} if self.memory is None else {"h": self.states, "c": self.memory}
        layer = self.states[self.layer]
        return {
            **self.head(),
            "parts": list(parts),
            "states": [pack(part) for part in parts.values()],
            "layer": self.layer,
            "orders": {name: sort(layer).tolist() for name, sort in UNIT_ORDERS.items()},
            "order": self.order,
            "units": self.units.tolist(),
        }


def inspect_hidden(run: Trained, text: str, config: HiddenConfig | None = None) -> Hidden:
    r"""Return the state of every layer after every token of a text, read from a zero state.

    .. math:: h^l_t = f(h^{l-1}_t, h^l_{t-1}), \quad h^l_0 = 0

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads.
    config
        The layer and units shown. The result always has all states.

    Raises
    ------
    InspectionError
        If there is no such layer, the text has no tokens or too many, or the model is
        bidirectional.
    """
    config = config or HiddenConfig()
    reading, layer = read_text(run, text), layer_of(run.model, config.layer)
    with torch.no_grad():
        layers = unroll(run.model, input_vectors(run.model, reading.ids))
    parts = [
        to_array(torch.stack([layer.states[part][1:] for layer in layers]))
        for part in range(run.model.rnn.num_states)
    ]
    units = UNIT_ORDERS[config.order](parts[0][layer])[: config.num_units]
    memory = parts[1] if len(parts) > 1 else None
    return Hidden(reading.tokens, reading.unknown, parts[0], memory, layer, config.order, units)
