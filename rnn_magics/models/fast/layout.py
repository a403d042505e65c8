"""How matrices lie in memory for the compiled functions: as panels, as tiles, with room."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnn_magics.models.fast import products
from rnn_magics.models.fast.amx import products as amx
from rnn_magics.models.fast.amx.instructions import PIECES, TERMS, TILE
from rnn_magics.models.fast.running.regions import run
from rnn_magics.models.fast.running.tape import do
from rnn_magics.models.fast.tile import PANEL_BYTES

Array = np.ndarray[Any, np.dtype[Any]]

_LINE_BYTES = 64  # of a cache line
_FEWEST_ROWS, FEWEST_TERMS = 16, 128  # with which tiles (`amx`) are worth their packing


def as_array(tensor: Tensor) -> Array:
    """Return a tensor as an array of the same memory where it is contiguous, else as a copy."""
    array: Array = tensor.numpy()
    if array.flags.c_contiguous:
        return array
    copy = np.empty(array.shape, array.dtype)
    do(np.copyto, copy, array)
    return copy


def padded(tensor: Tensor, num_columns: int) -> int:
    """Return a number of columns rounded up to whole panels."""
    width = PANEL_BYTES // tensor.element_size()
    return -(-num_columns // width) * width


def pack(weight: Tensor) -> Array:
    """Lay a matrix (num_k, num_columns) out as panels (num_panels, num_k, panel width)."""
    weight = weight.detach()
    columns = weight.t()
    in_columns = columns.is_contiguous()
    source = as_array(columns if in_columns else weight)
    num_k, num_columns = weight.shape
    width = PANEL_BYTES // source.itemsize
    number = -(-num_columns // width)
    make = np.zeros if num_columns % width else np.empty
    panels = make((number, num_k, width), source.dtype)
    kernel = products.pack_columns if in_columns else products.pack_rows
    run(kernel, number, 1, number, source, panels)
    return panels


def pack_for(num_rows: int, weight: Tensor) -> Array:
    """Lay a matrix out for products with so many rows: as panels, or as tiles (`amx`)."""
    panels = pack(weight)
    number, num_k, _ = panels.shape
    if not are_tiles(num_rows, num_k, weight):
        return panels
    tiles = np.empty((number, -(-num_k // TERMS), 2 * PIECES, TILE), np.int16)
    run(amx.split_panels, number, 1, number, panels, tiles)
    return tiles


def are_tiles(num_rows: int, num_terms: int, like: Tensor) -> bool:
    """Whether a product with so many rows and terms is one of tiles.

    The rows are all rows, not those of a thread, so that threads do not change a bit.
    """
    is_large = num_rows >= _FEWEST_ROWS and num_terms >= FEWEST_TERMS
    return is_large and like.dtype == torch.float32 and amx.is_available()


def spaced(like: Tensor, *shape: int) -> Tensor:
    """Return an uninitialized tensor (..., columns), with a cache line of room after each row.

    The tensor is read down its columns later. Rows a power of two apart would then compete for the
    same few cache lines.
    """
    return like.new_empty(*shape[:-1], shape[-1] + _LINE_BYTES // like.element_size())


def room_after(first: Tensor, num_steps: int) -> Tensor:
    """Return an uninitialized (num_steps + 1, batch, num_hiddens), its first entry `first`."""
    states = first.new_empty(num_steps + 1, *first.shape)
    do(np.copyto, states[0].numpy(), first.numpy())
    return states
