"""Fits payloads into a size limit, so that a notebook stays small.

First, arrays go from float32 to 16-bit numbers, which is invisible, then to 8-bit numbers. Then
every second epoch is dropped, repeatedly. A payload that is still too large is not kept.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Literal, cast

import numpy as np

from rnn_magics.inspection.views.payload import Packed, Payload, to_json, unpack
from rnn_magics.language import say

_LARGEST = {"int16": 32767, "int8": 127}
_ROOM = 100 * " "  # for a note
_FEWEST = 2  # epochs


def fitted(payload: Payload, most_bytes: int) -> Payload | None:
    """Return a payload of at most this many bytes of JSON, or None if that is impossible.

    If the loss of precision is visible, or epochs are left out, the ``note`` of the payload says
    so.
    """
    for change in (lambda packed: packed, _to_16_bits):
        fine = cast("Payload", _each_array(payload, change))
        if json_size(fine) <= most_bytes:
            return fine
    coarse = cast("dict[str, Any]", _each_array(payload, _to_8_bits))
    notes = [say("values are to within 0.4 % of the largest")] if coarse != payload else []
    whole, thinned = coarse.get("frames", []), []
    while json_size({**coarse, "note": _ROOM}) > most_bytes:
        frames = coarse.get("frames", [])
        if len(frames) <= _FEWEST:
            return None
        coarse["frames"] = [frames[0], *frames[2:-1:2], frames[-1]]
        thinned = [say("{kept} of {whole} epochs", kept=len(coarse["frames"]), whole=len(whole))]
    return cast(
        "Payload",
        {**coarse, "note": say("kept small: {how}", how=say(", ").join([*notes, *thinned]))},
    )


def quantized(packed: Packed, dtype: Literal["int16", "int8"]) -> Packed:
    """Return an array as integers of the given type; one with non-finite values is unchanged."""
    array = unpack(packed)
    if not array.size or not np.isfinite(array).all():
        return packed
    scale = float(np.abs(array).max()) / _LARGEST[dtype] or 1.0
    whole = np.round(array / scale).astype(f"<i{np.dtype(dtype).itemsize}")
    text = base64.b64encode(whole.tobytes()).decode("ascii")
    return {"shape": packed["shape"], "dtype": dtype, "scale": scale, "base64": text}


def json_size(payload: Any) -> int:
    """Return the size of a payload as JSON, in bytes."""
    return len(to_json(payload))


def _to_16_bits(packed: Packed) -> Packed:
    return quantized(packed, "int16")


def _to_8_bits(packed: Packed) -> Packed:
    return quantized(packed, "int8")


def _each_array(thing: Any, change: Callable[[Packed], Packed]) -> Any:
    if isinstance(thing, dict):
        if "base64" in thing:
            return change(cast("Packed", thing))
        return {key: _each_array(value, change) for key, value in thing.items()}
    return [_each_array(value, change) for value in thing] if isinstance(thing, list) else thing
