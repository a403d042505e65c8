"""Groups of units that are held together: single ones, neighbours, whole layers, those named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rnn_magics.errors import InspectionError
from rnn_magics.inspection.interventions.changes import require_unit
from rnn_magics.inspection.views.unrolled import layer_of
from rnn_magics.language import marked, say, say_number
from rnn_magics.models.rnn_model import RNNModel

LAYERS = "layers"
_NUMBER = re.compile(r"[0-9]+")
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_TOLD = {
    "unit": marked("unit {name} of layer {layer}"),
    "units": marked("units {name} of layer {layer}"),
    "layer": marked("layer {layer}"),
}


@dataclass(frozen=True)
class Group:
    """Units of one layer.

    Parameters
    ----------
    kind
        ``unit`` for one alone, ``units`` for several, ``layer`` for all of a layer.
    layer
        The layer.
    units
        The units, in rising order.
    """

    kind: str
    layer: int
    units: tuple[int, ...]

    @property
    def name(self) -> str:
        """What tells it from others of its kind, e.g. ``17`` or ``0-7,12``."""
        return str(self.layer) if self.kind == "layer" else _ranges(self.units)

    def __str__(self) -> str:
        """Say what it is, e.g. ``units 0-7 of layer 1``."""
        return say(_TOLD[self.kind], name=self.name, layer=self.layer)


def groups_of(model: RNNModel, spelled: str | None, layer: int | None) -> list[Group]:
    """Return the groups that are meant.

    Parameters
    ----------
    model
        The model.
    spelled
        None for every unit alone; a number of groups of neighbours; ``layers``; or groups of units
        with spaces between them, each such as ``3,17`` or ``0-7``.
    layer
        The layer; None for the top one.

    Raises
    ------
    InspectionError
        If this is none of them, or there is no such layer or unit.
    """
    size = model.config.num_hiddens
    if spelled == LAYERS:
        if layer is not None:
            msg = say("groups of whole layers take no layer; leave one of the two out")
            raise InspectionError(msg)
        whole = tuple(range(size))
        return [Group("layer", index, whole) for index in range(model.config.num_layers)]
    layer = layer_of(model, layer)
    if spelled is None:
        return [Group("unit", layer, (unit,)) for unit in range(size)]
    if _NUMBER.fullmatch(spelled):
        number = int(spelled)
        if not 1 <= number <= size:
            msg = say_number(
                size,
                "{size} unit makes 1 group, not {number}",
                "{size} units make 1 to {size} groups, not {number}",
                size=size,
                number=spelled,
            )
            raise InspectionError(msg)
        parts = np.array_split(np.arange(size), number)
        return [Group("units", layer, tuple(part.tolist())) for part in parts]
    return [Group("units", layer, _units(spelled, words, layer, size)) for words in _named(spelled)]


def _named(spelled: str) -> list[str]:
    if words := spelled.split():
        return words
    raise InspectionError(_no_group(spelled))


def _units(spelled: str, words: str, layer: int, size: int) -> tuple[int, ...]:
    units: set[int] = set()
    for word in words.split(","):
        found = _RANGE.fullmatch(word)
        first, last = (0, -1) if found is None else (int(found[1]), int(found[2] or found[1]))
        if last < first:
            raise InspectionError(_no_group(spelled))
        for end in (first, last):
            require_unit(layer, end, size)
        units.update(range(first, last + 1))
    return tuple(sorted(units))


def _no_group(spelled: str) -> str:
    return say(
        "groups are a number of groups, {layers}, or units such as '0-7,12 20-30', not {groups!r}",
        layers=LAYERS,
        groups=spelled,
    )


def _ranges(units: Iterable[int]) -> str:
    found: list[list[int]] = []
    for unit in units:
        if found and found[-1][-1] == unit - 1:
            found[-1][1:] = [unit]
        else:
            found.append([unit])
    return ",".join("-".join(map(str, ends)) for ends in found)
