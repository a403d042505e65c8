"""The view ``gates``: the gates of a cell at every token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from rnn_magics.decoding.prefix import Trained
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.payload import GatesPayload, pack
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
from rnn_magics.models.cells import Cell

LOW, HIGH = 0.1, 0.9
_NO_GATES = ("candidate", "cell")  # listed with the gates, but not in [0, 1]


@dataclass(frozen=True, repr=False)
class GatesConfig(LayerConfig):
    """The options of the view ``gates``."""


@dataclass(frozen=True, repr=False, eq=False)
class Gates(TextTrace):
    """The gates of one layer at every token.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    cell
        The name of the cell.
    layer
        The layer of the cell.
    values
        The gates by name, (num_tokens, num_hiddens) each. GRU: ``reset``, ``update``,
        ``candidate``; LSTM: ``input``, ``forget``, ``candidate``, ``output`` and the memory
        ``cell``; minGRU: ``update``, ``candidate``; minLSTM: ``forget``, ``input``,
        ``candidate``.
    low, high
        The share of tokens at which each unit of a gate is below 0.1 (closed) or above 0.9 (open),
        by the name of the gate, (num_hiddens,) each. Karpathy, Johnson and Fei-Fei (2015) count
        saturation in this way.
    """

    kind: ClassVar[str] = "gates"

    cell: str
    layer: int
    values: dict[str, Array]
    low: dict[str, Array]
    high: dict[str, Array]

    @property
    def title(self) -> str:
        """One line."""
        return say_number(
            len(self.tokens),
            "gates: {cell}, layer {layer}, {tokens} token",
            "gates: {cell}, layer {layer}, {tokens} tokens",
            cell=self.cell,
            layer=self.layer,
            tokens=len(self.tokens),
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say("The gates of the {cell} in layer {layer}", cell=self.cell, layer=self.layer)

    @property
    def caption(self) -> str:
        """How to read it."""
        signed = [name for name in self.values if name not in self.low]
        others = (
            say(" Of {names}, red is above zero and blue below.", names=say(" and ").join(signed))
            if signed
            else ""
        )
        return say(
            "Each column is a token, each row a unit. The darker, the more"
            " open a gate is: 0 is closed, 1 is open.{others}",
            others=others,
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return for each gate its mean and how much of it is saturated."""
        yield say("gate"), say("mean"), say("below {low}", low=LOW), say("above {high}", high=HIGH)
        for name, values in self.values.items():
            shares = (
                (f"{self.low[name].mean():.0%}", f"{self.high[name].mean():.0%}")
                if name in self.low
                else ("", "")
            )
            yield name, f"{values.mean():.2f}", *shares

    def to_data(self) -> GatesPayload:
        """Return what a front end draws."""
        names = list(self.values)
        return {
            **self.head(),
            "cell": self.cell,
            "layer": self.layer,
            "names": names,
            "values": [pack(values) for values in self.values.values()],
            "bounded": [name in self.low for name in names],
            "low": [pack(self.low[name]) if name in self.low else None for name in names],
            "high": [pack(self.high[name]) if name in self.high else None for name in names],
        }


def inspect_gates(run: Trained, text: str, config: GatesConfig | None = None) -> Gates:
    r"""Return the gates of a layer at every token of a text, read from a zero state.

    .. math:: g_t = \sigma(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads.
    config
        The layer.

    Raises
    ------
    InspectionError
        If the cell names no gates, there is no such layer, the text has no tokens or too many, or
        the model is bidirectional.
    """
    config = config or GatesConfig()
    reading, layer = read_text(run, text), layer_of(run.model, config.layer)
    name = run.model.config.cell
    with torch.no_grad():
        unrolled = unroll(run.model, input_vectors(run.model, reading.ids))[layer]
        before = tuple(part[:-1] for part in unrolled.states)  # (num_tokens, num_hiddens) each
        # The states are already known, so all tokens can be rows of one batch.
        gates = unrolled.cell.gates(unrolled.x, before) if names_gates(unrolled.cell) else {}
    if not gates:
        msg = say(
            "the cell {name!r} names no gates; give it a method gates(x, state), or try hidden",
            name=name,
        )
        raise InspectionError(msg)
    values = {name: to_array(gate) for name, gate in gates.items()}
    if unrolled.cell.num_states > 1:
        values["cell"] = to_array(unrolled.states[1][1:])
    bounded = {name: values[name] for name in gates if name not in _NO_GATES}
    low = {name: (gate < LOW).mean(axis=0) for name, gate in bounded.items()}
    high = {name: (gate > HIGH).mean(axis=0) for name, gate in bounded.items()}
    return Gates(reading.tokens, reading.unknown, name, layer, values, low, high)


def names_gates(cell: Cell) -> bool:
    """Whether the gates that a cell names belong to its own step.

    A cell that inherits the gates of another cell, but has its own step, would show gates that it
    does not compute.
    """
    first = next(base for base in type(cell).__mro__ if {"gates", "forward"} & vars(base).keys())
    return "gates" in vars(first)
