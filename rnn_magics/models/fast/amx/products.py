"""The products: which rows and columns are multiplied with which tiles, and in which order.

`instructions` has the instructions, and says what is multiplied and how exact it is.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache
from typing import Any

import numpy as np

from rnn_magics.models.fast.amx.instructions import (
    COLUMNS,
    LEFT,
    PIECES,
    ROWS_OF_TILE,
    TERMS,
    TILE,
    add_square,
    add_tiles,
    begin_tiles,
    end_tiles,
    split_32,
    split_pair,
    split_square,
)
from rnn_magics.models.fast.compiling import VECTOR_BYTES, compiled, features
from rnn_magics.models.fast.tile import at, begin_of

_K_BLOCK = 128  # terms of a transposed product at a time, so that their tiles stay in the cache
_ARCH_PRCTL, _REQUEST, _TILE_DATA = 158, 0x1023, 18  # Linux on x86-64: ask to use the tiles


@cache
def is_available() -> bool:
    """Whether this CPU has the unit and the system lets this process use it."""
    if VECTOR_BYTES != 64 or "amx-bf16" not in features():  # noqa: PLR2004
        return False
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    call = ctypes.CDLL(None).syscall
    return bool(call(_ARCH_PRCTL, _REQUEST, _TILE_DATA) == 0)


@compiled
def _room_for(num_tiles: int) -> Any:
    # Tiles are loaded many times as fast if their rows are cache lines. Functions are given the
    # array, not a pointer: it is freed after the last line that names it.
    room = np.empty(num_tiles * TILE + 32, np.int16)
    skipped = (-room.ctypes.data % 64) // 2
    return room[skipped : skipped + num_tiles * TILE]


@compiled
def split_panels(panels: Any, tiles: Any, first: int, last: int) -> None:
    """Write the panels first..last - 1 of `pack`, (num_panels, num_k, 32), as tiles.

    Tiles of 32 terms lie together, those of the first piece first: (num_panels, num_k / 32 rounded
    up, 6, 512).
    """
    for p in range(first, last):
        _split_panel(panels[p], tiles[p])


@compiled
def _split_panel(rows: Any, tiles: Any) -> None:
    # rows: (num_k, 32 or more), of which 32 are taken
    num_k, nothing = len(rows), np.zeros(COLUMNS, np.float32)
    for block in range(len(tiles)):
        target = begin_of(tiles[block])
        for pair in range(ROWS_OF_TILE):
            k = TERMS * block + 2 * pair
            even = begin_of(rows[k]) if k < num_k else begin_of(nothing)
            odd = begin_of(rows[k + 1]) if k + 1 < num_k else begin_of(nothing)
            split_pair(even, odd, at(target, TERMS * pair))


@compiled
def _split_rows(rows: Any, room: Any) -> None:
    # Writes the tiles of a left factor of at most 16 rows, (num_rows, num_k).
    left = begin_of(room)
    num_k = rows.shape[1]
    whole = num_k // TERMS
    rest = np.zeros(TERMS, np.float32)
    for b in range(len(rows)):
        row = begin_of(rows[b])
        for block in range(whole):
            split_32(at(row, TERMS * block), at(left, LEFT * block + TERMS * b))
        if whole * TERMS < num_k:
            for k in range(whole * TERMS, num_k):
                rest[k - whole * TERMS] = rows[b, k]
            split_32(begin_of(rest), at(left, LEFT * whole + TERMS * b))


@compiled
def _multiply(room: Any, tiles: Any, num_blocks: int, sums: Any, saved: Any) -> None:
    # Adds the product of the left factor in a room to sums, (at most 16, num_panels * 32).
    left, row = begin_of(room), sums.strides[0]
    begin_tiles(begin_of(saved), len(sums))
    for p in range(len(tiles)):
        add_tiles(left, begin_of(tiles[p]), num_blocks, at(begin_of(sums), p * COLUMNS), row)
    end_tiles(begin_of(saved))


@compiled
def _multiply_squares(room: Any, tiles: Any, num_blocks: int, sums: Any, saved: Any) -> None:
    # The same for 32 rows.
    left, row = begin_of(room), sums.strides[0]
    begin_tiles(begin_of(saved), ROWS_OF_TILE)
    for p in range(len(tiles)):
        add_square(left, begin_of(tiles[p]), num_blocks, at(begin_of(sums), p * COLUMNS), row)
    end_tiles(begin_of(saved))


@compiled
def add_tile_product(rows: Any, tiles: Any, sums: Any) -> None:
    """Add ``rows @ W`` to `sums`, as `add_matrix_product` does.

    Parameters
    ----------
    rows
        Shape (num_rows, num_k).
    tiles
        W as `split_panels` writes it.
    sums
        Shape (num_rows, num_panels * 32).
    """
    saved, room = np.empty(128, np.uint8), _room_for(PIECES * tiles.shape[1])
    for first in range(0, len(rows), ROWS_OF_TILE):
        block = rows[first : first + ROWS_OF_TILE]
        _split_rows(block, room)
        _multiply(room, tiles, tiles.shape[1], sums[first : first + ROWS_OF_TILE], saved)


@compiled
def add_transposed_tile_product(left: Any, right: Any, result: Any, first: int, last: int) -> None:
    """Add ``left[:, first:last].T @ right`` to ``result[first:last]``.

    Parameters
    ----------
    left
        Shape (num_k, num_columns), with 16 more numbers after each row.
    right
        Shape (num_k, width), the width a multiple of 32.
    result
        Shape (num_columns, width).
    """
    num_panels, num_blocks = right.shape[1] // COLUMNS, _K_BLOCK // TERMS
    saved, room = np.empty(128, np.uint8), _room_for(2 * PIECES * num_blocks)
    panels = _room_for(2 * PIECES * num_blocks * num_panels)
    tiles = panels.reshape(num_panels, num_blocks, 2 * PIECES, TILE)
    rest, row = np.zeros((TERMS, ROWS_OF_TILE), np.float32), left.strides[0] // left.itemsize
    for begin in range(0, len(left), _K_BLOCK):
        size = min(_K_BLOCK, len(left) - begin)
        blocks = -(-size // TERMS)
        for p in range(num_panels):
            part = right[begin : begin + size, p * COLUMNS : (p + 1) * COLUMNS]
            _split_panel(part, tiles[p, :blocks])
        for column in range(first, last, 2 * ROWS_OF_TILE):
            for part in range(2):
                begin_part = column + part * ROWS_OF_TILE
                end = min(last, begin_part + ROWS_OF_TILE)
                for block in range(blocks if begin_part < end else 0):
                    k, place = begin + TERMS * block, LEFT * (part * blocks + block)
                    if k + TERMS <= len(left):
                        source = at(begin_of(left[k]), begin_part)
                        split_square(source, row, at(begin_of(room), place))
                    else:
                        rest[:] = 0
                        rest[: len(left) - k, : end - begin_part] = left[k:, begin_part:end]
                        split_square(begin_of(rest), ROWS_OF_TILE, at(begin_of(room), place))
            end = min(last, column + 2 * ROWS_OF_TILE)
            if end == column + 2 * ROWS_OF_TILE:
                _multiply_squares(room, tiles, blocks, result[column:end], saved)
            else:
                for begin_part in range(column, end, ROWS_OF_TILE):
                    part_room = room[LEFT * blocks * ((begin_part - column) // ROWS_OF_TILE) :]
                    part_end = min(end, begin_part + ROWS_OF_TILE)
                    _multiply(part_room, tiles, blocks, result[begin_part:part_end], saved)
