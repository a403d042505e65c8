"""An intervention: units of a gate or of the state are changed at some places of a text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.unrolled import layer_of
from rnn_magics.language import say
from rnn_magics.models.cells import Cell
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.options import check_choice

KINDS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "set": lambda values, to: to.expand_as(values),
    "add": torch.add,
    "scale": torch.mul,
    "clamp": lambda values, bound: torch.minimum(torch.maximum(values, -bound), bound),
}
"""``change(values, value)`` returns changed values, (batch, num_units); `value` is (num_units,) or
a scalar."""


@dataclass(frozen=True)
class Intervention:
    """A change of units at places of a text.

    Parameters
    ----------
    part
        ``h``, the hidden state; ``c``, the memory of an LSTM; or a gate of the cell by its name.
    units
        The units that are changed.
    do
        A name of `KINDS`: ``set`` to the value, ``add`` it, ``scale`` by it, or ``clamp`` to
        [-value, value].
    value
        The number, or one for each unit.
    layer
        The layer, from 0; None for the top one.
    first, last
        The places [first, last) at which it acts, from 0; to the end if `last` is None.
    """

    part: str
    units: Sequence[int]
    do: str = "set"
    value: float | Sequence[float] = 0.0
    layer: int | None = None
    first: int = 0
    last: int | None = None

    def is_at(self, place: int) -> bool:
        """Whether it acts at a place."""
        return self.first <= place and (self.last is None or place < self.last)

    def applied(self, values: Tensor) -> Tensor:
        """Return values with its units changed, (batch, num_hiddens)."""
        changed = values.clone()
        units = torch.tensor([*self.units], device=values.device)
        value = torch.as_tensor(self.value, dtype=values.dtype, device=values.device)
        changed[:, units] = KINDS[self.do](values[:, units], value)
        return changed


def parts_of(cell: Cell) -> tuple[str, ...]:
    """Return the names of the parts of a cell's state: ``h``, ``c``, then by number."""
    return ("h", "c", *(f"state {place}" for place in range(2, cell.num_states)))[: cell.num_states]


def checked(
    model: RNNModel, changes: Sequence[Intervention], num_places: int
) -> list[Intervention]:
    """Return interventions with their layers named, if the model has what they change.

    Raises
    ------
    InspectionError
        If there is no such layer, part, unit or place, or a value is not finite.
    ConfigError
        If there is no such kind of change.
    """
    return [_checked(model, change, num_places) for change in changes]


def _checked(model: RNNModel, change: Intervention, num_places: int) -> Intervention:
    check_choice("do", change.do, KINDS)
    layer = layer_of(model, change.layer)
    cell = model.rnn.cells[layer]
    known = (*parts_of(cell), *_gates(cell))
    if change.part not in known:
        msg = say(
            "a {cell} has no {part!r}; it has {known}",
            cell=model.config.cell,
            part=change.part,
            known=", ".join(known),
        )
        raise InspectionError(msg)
    for unit in change.units:
        require_unit(layer, unit, cell.num_hiddens)
    if not change.units:
        msg = say("an intervention needs at least one unit")
        raise InspectionError(msg)
    values = [*change.value] if isinstance(change.value, Sequence) else [change.value]
    if len(values) not in (1, len(change.units)):
        msg = say(
            "{units} units need one value, or one each, not {values}",
            units=len(change.units),
            values=len(values),
        )
        raise InspectionError(msg)
    if unreal := [value for value in values if not math.isfinite(value)]:
        msg = say("a unit can only be changed by a finite number, not {value}", value=unreal[0])
        raise InspectionError(msg)
    if not 0 <= change.first < num_places:
        msg = no_place(change.first, num_places)
        raise InspectionError(msg)
    if change.last is not None and change.last <= change.first:
        msg = say(
            "the places {first} to {last} hold no token; last is beyond the end",
            first=change.first,
            last=change.last,
        )
        raise InspectionError(msg)
    return replace(change, layer=layer)


def require_unit(layer: int, unit: int, num_hiddens: int) -> None:
    """Refuse a unit that a layer does not have.

    Raises
    ------
    InspectionError
        If there is no such unit.
    """
    if not 0 <= unit < num_hiddens:
        msg = say(
            "layer {layer} has no unit {unit}: its units are 0 to {last}",
            layer=layer,
            unit=unit,
            last=num_hiddens - 1,
        )
        raise InspectionError(msg)


def no_place(place: int, num_places: int) -> str:
    """Say that a text has no such place."""
    return say(
        "the text has no place {place}: its places are 0 to {last}",
        place=place,
        last=num_places - 1,
    )


def _gates(cell: Cell) -> tuple[str, ...]:
    # The gates that the cell passes through `touch`; others cannot be changed.
    seen: list[str] = []

    def hear(name: str, values: Tensor) -> Tensor:
        seen.append(name)
        return values

    zeros = cell.weight_ih.new_zeros(1, cell.num_hiddens)
    with touching(cell, hear), torch.no_grad():
        cell(cell.weight_ih.new_zeros(1, cell.weight_ih.shape[0]), (zeros,) * cell.num_states)
    return tuple(name for name in seen if name not in parts_of(cell))


class touching:  # noqa: N801  (used like a function)
    """While it lasts, a cell passes its gates through a function.

    Parameters
    ----------
    cell
        The cell; nobody else may step it meanwhile.
    function
        Takes the name of a gate and its values, and returns the values to go on with.
    """

    def __init__(self, cell: Cell, function: Callable[[str, Tensor], Tensor]) -> None:
        self._cell, self._function = cell, function

    def __enter__(self) -> None:
        """Begin."""
        self._cell.touch = self._function  # type: ignore[method-assign, assignment]

    def __exit__(self, *_: object) -> None:
        """End."""
        del self._cell.touch
