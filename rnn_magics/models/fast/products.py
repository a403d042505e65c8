"""Matrix products, made of tiles, and the sums that go with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_magics.models.fast.amx.instructions import COLUMNS, TERMS
from rnn_magics.models.fast.amx.products import add_tile_product, add_transposed_tile_product
from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.tile import (
    PANEL_BYTES,
    ROWS,
    add_product,
    add_row_product,
    at,
    begin_of,
)

# Terms of a sum at a time: a panel of them fills the smallest first-level caches. With fewer there
# would be more passes over the sums; those of 16 rows of a large LSTM are 256 KiB.
_TERMS_AT_ONCE = 32768 // PANEL_BYTES
_K_BLOCK = 256  # terms of a transposed product at a time, so that their packed panels stay there
_COLUMNS = 64 // ROWS * ROWS  # of the left factor of a transposed product at a time
_WIDE = 256  # columns of its result from which the left factor is worth a copy


@compiled
def add_matrix_product(rows: Any, panels: Any, sums: Any, backwards: bool = False) -> None:  # noqa: FBT001, FBT002
    """Add ``rows @ W`` to `sums`.

    Parameters
    ----------
    rows
        Shape (num_rows, num_k).
    panels
        W as `pack` lays it out, (num_panels, num_k, panel width), or, as tiles, `split_panels`.
    sums
        Shape (num_rows, num_panels * panel width).
    backwards
        Whether single rows take the last panels first.
    """
    if panels.ndim == 4:  # noqa: PLR2004  (the compiler knows which)
        add_tile_product(rows, panels, sums)
    else:
        _add_panel_product(rows, panels, sums, backwards)


@compiled
def width_of(panels: Any) -> Any:
    """Return the width of sums of products with packed weights."""
    width = COLUMNS if panels.ndim == 4 else panels.shape[2]  # noqa: PLR2004
    return panels.shape[0] * width


@compiled
def _add_panel_product(rows: Any, panels: Any, sums: Any, backwards: bool) -> None:  # noqa: FBT001
    num_panels, num_k, width = panels.shape
    row_a, row_c = rows.strides[0] // rows.itemsize, sums.shape[1]
    for k in range(0, num_k, _TERMS_AT_ONCE):
        size = min(_TERMS_AT_ONCE, num_k - k)
        a, done = at(begin_of(rows), k), 0
        for p in range(num_panels):
            b, c = begin_of(panels[p, k:]), at(begin_of(sums), p * width)
            done = add_product(len(rows), a, row_a, 1, b, size, c, row_c)
        b, step = begin_of(panels[0, k:]), panels.strides[0] // panels.itemsize
        for r in range(done, len(rows)):
            c = at(begin_of(sums), r * row_c)
            add_row_product(at(a, r * row_a), 1, b, step, num_panels, size, c, backwards)


@compiled
def add_transposed_products(
    left: Any, right: Any, result: Any, other: Any, other_result: Any, first: int, last: int
) -> None:
    """Add ``left[:, first:last].T @ right`` to ``result[first:last]``; the same for `other`.

    Some columns of the left factor stay in the second-level cache while a panel of a right factor
    stays in the first. Both right factors are handled in one pass, since loading the left one from
    memory is slow.

    Parameters
    ----------
    left
        Shape (num_k, num_columns). It is read down its columns: in place, or, since the rows of a
        wide one lie on as many pages of memory, from a copy of a block, where enough panels are
        multiplied with that. Rows a multiple of 4096 bytes apart would compete for the same few
        cache lines.
    right, other
        Shapes (num_k, width) and (num_k, width of the other); `other` may be empty.
    result, other_result
        Shapes (num_columns, width rounded up to whole panels); empty if `other` is.
    """
    panels, other_panels = _room(right, result), _room(other, other_result)
    copies = np.empty((_K_BLOCK, 64), left.dtype)
    is_wide = result.shape[1] + other_result.shape[1] >= _WIDE
    for begin in range(0, len(left), _K_BLOCK):
        rows = left[begin : begin + _K_BLOCK]
        pack_rows(right[begin : begin + len(rows)], panels, 0, len(panels))
        pack_rows(other[begin : begin + len(rows)], other_panels, 0, len(other_panels))
        for column in range(first, last, _COLUMNS):
            end = min(last, column + _COLUMNS)
            block, at_column = rows, column
            if is_wide:
                block, at_column = copies[: len(rows)], 0
                _copy_columns(rows, block, column, end)
            _add_columns(block, at_column, panels, result, column, end)
            _add_columns(block, at_column, other_panels, other_result, column, end)


@compiled
def _room(right: Any, result: Any) -> Any:
    # Zeros for the panels of one block of terms.
    width = PANEL_BYTES // right.itemsize
    return np.zeros((result.shape[1] // width, _K_BLOCK, width), right.dtype)


@compiled
def _copy_columns(rows: Any, copies: Any, first: int, last: int) -> None:
    for k in range(len(rows)):
        copy, source = copies[k], rows[k, first:last]
        for j in range(len(source)):
            copy[j] = source[j]


@compiled
def _add_columns(
    rows: Any, at_column: int, panels: Any, result: Any, first: int, last: int
) -> None:
    # The columns first..last - 1 of the left factor are those of `rows` from `at_column` on.
    row_a, row_c = rows.strides[0] // rows.itemsize, result.shape[1]
    for p in range(len(panels)):
        b, c = begin_of(panels[p]), at(begin_of(result), p * panels.shape[2])
        for column in range(first, last, ROWS):
            a, number = at(begin_of(rows), at_column + column - first), min(ROWS, last - column)
            done = add_product(number, a, 1, row_a, b, len(rows), at(c, column * row_c), row_c)
            for r in range(done, number):
                sums = at(c, (column + r) * row_c)
                add_row_product(at(a, r), row_a, b, 0, 1, len(rows), sums)


@compiled
def pack_rows(rows: Any, panels: Any, first: int, last: int) -> None:
    """Pack a matrix, (num_k, num_columns), into the panels first..last - 1."""
    width = panels.shape[2]
    for k in range(len(rows)):
        for p in range(first, last):
            line, source = panels[p, k], rows[k, p * width : (p + 1) * width]
            for j in range(len(source)):
                line[j] = source[j]


@compiled
def pack_columns(columns: Any, panels: Any, first: int, last: int) -> None:
    """Pack a matrix that is stored transposed, (num_columns, num_k), as `pack_rows` does."""
    width = panels.shape[2]
    for p in range(first, last):
        part = columns[p * width : (p + 1) * width]
        for k in range(columns.shape[1]):
            line = panels[p, k]
            for j in range(len(part)):
                line[j] = part[j, k]


@compiled
def add_rows(values: Any, total: Any, first: int, last: int) -> None:
    """Add the columns first..last - 1 of all rows of `values` to `total`."""
    sums = total[first:last]
    for i in range(len(values)):
        value = values[i, first:last]
        for j in range(len(sums)):
            sums[j] += value[j]


@compiled
def scatter_rows(values: Any, places: Any, table: Any, first: int, last: int) -> None:
    """Add each row of `values` to the row of `table` that it was looked up in.

    Parameters
    ----------
    values
        Shape (num_rows, num_columns), of which columns first..last - 1 are added.
    places
        Shape (num_rows,).
    table
        Shape (num_tokens, num_columns).
    """
    for i in range(len(places)):
        row, value = table[places[i], first:last], values[i, first:last]
        for j in range(len(row)):
            row[j] += value[j]


@compiled
def fill_rows(sums: Any, row: Any) -> None:
    """Copy `row` to the beginning of every row of `sums`, which may be wider."""
    for b in range(len(sums)):
        total = sums[b]
        for j in range(len(row)):
            total[j] = row[j]


@compiled
def linear_rows(inputs: Any, panels: Any, bias: Any, outputs: Any, first: int, last: int) -> None:
    """Fill the rows first..last - 1 of `outputs` with those of ``inputs @ W + bias``.

    The inputs may have more columns than W has rows, if W is in panels or fills its tiles.
    """
    num_terms = panels.shape[1] * (TERMS if panels.ndim == 4 else 1)  # noqa: PLR2004
    rows = inputs[first:last, : min(num_terms, inputs.shape[1])]
    width = width_of(panels)
    whole = width == outputs.shape[1]  # then the sums need no array of their own
    sums = outputs[first:last] if whole else np.zeros((last - first, width), inputs.dtype)
    fill_rows(sums, bias)
    add_matrix_product(rows, panels, sums)
    if whole:
        return
    for b in range(last - first):
        total, output = sums[b], outputs[first + b]
        for j in range(len(output)):
            output[j] = total[j]


@compiled
def linear_columns(
    inputs: Any, d_outputs: Any, d_weight: Any, d_bias: Any, first: int, last: int
) -> None:
    """Fill the rows first..last - 1 of the gradients of a linear layer's weight and bias.

    Parameters
    ----------
    inputs, d_outputs
        Shapes (num_rows, num_inputs) and (num_rows, num_outputs).
    d_weight, d_bias
        Shapes (num_outputs, num_inputs rounded up to whole panels) and (num_outputs,).
    """
    d_weight[first:last] = 0
    d_bias[first:last] = 0
    nothing = np.empty((0, 0), inputs.dtype)
    add_transposed_products(d_outputs, inputs, d_weight, nothing, nothing, first, last)
    add_rows(d_outputs, d_bias, first, last)


@compiled
def scan_columns(
    d_x: Any,
    d_hn: Any,
    before: Any,
    inputs: Any,
    places: Any,
    d_weight_hh: Any,
    d_bias: Any,
    d_bias_n: Any,
    d_weight_ih: Any,
    d_table: Any,
    tiles: Any,
    first: int,
    last: int,
) -> None:
    """Fill the columns first..last - 1 of the gradients that a scan sums over steps and rows.

    Parameters
    ----------
    d_x
        The gradient of the input products, (num_steps * batch, num_columns or more).
    d_hn
        The gradient that the recurrent weights of the last columns receive in place of `d_x`,
        (num_steps * batch, as many columns as d_bias_n, or more).
    before
        The hidden state before each step, (num_steps * batch, num_hiddens).
    inputs, d_weight_ih
        If vectors were multiplied: (num_steps * batch, input_size) and (num_columns, input_size
        rounded up to whole panels); else empty.
    places, d_table
        If tokens were looked up: (num_steps * batch,) and (num_tokens, num_columns); else empty.
    d_weight_hh, d_bias, d_bias_n
        Shapes (num_columns, num_hiddens rounded up to whole panels), (num_columns,) and
        (num_hiddens,) or, if `d_x` serves all columns, (0,).
    tiles
        Of one dimension, and empty, to multiply tiles; else of two. Their widths must be whole.
    """
    split = len(d_bias) - len(d_bias_n)
    d_weight_hh[first:last] = 0
    d_bias[first:last] = 0
    add_rows(d_x, d_bias, first, last)
    if len(inputs):
        d_weight_ih[first:last] = 0
    if first < split:
        end = min(last, split)
        if tiles.ndim == 1:
            add_transposed_tile_product(d_x, before, d_weight_hh, first, end)
            if len(inputs):
                add_transposed_tile_product(d_x, inputs, d_weight_ih, first, end)
        else:
            add_transposed_products(d_x, before, d_weight_hh, inputs, d_weight_ih, first, end)
    if last > split:
        begin, end = max(first, split) - split, last - split
        d_bias_n[begin:end] = 0
        add_rows(d_hn, d_bias_n, begin, end)
        nothing = np.empty((0, 0), d_x.dtype)
        d_weight_n = d_weight_hh[split:]
        if tiles.ndim == 1:
            add_transposed_tile_product(d_hn, before, d_weight_n, begin, end)
        else:
            add_transposed_products(d_hn, before, d_weight_n, nothing, nothing, begin, end)
        if len(inputs):
            begin = max(first, split)
            if tiles.ndim == 1:
                add_transposed_tile_product(d_x, inputs, d_weight_ih, begin, last)
            else:
                add_transposed_products(d_x, inputs, d_weight_ih, nothing, nothing, begin, last)
    if len(places):
        d_table[:, first:last] = 0
        scatter_rows(d_x, places, d_table, first, last)
