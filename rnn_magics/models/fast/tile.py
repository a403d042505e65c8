"""The matrix product below the compiled recurrences: a tile of the result is kept in registers.

A compiler does not keep a two-dimensional tile of a product in registers on its own. So the
innermost loop is written in the language of the compiler, as `numba.extending.intrinsic` allows. It
is the loop of Goto and van de Geijn (2008), "Anatomy of high-performance matrix multiplication":
for every k, a few elements of A, each broadcast to a vector, are multiplied by a few vectors of B
and added to a tile of C. B is packed so that its vectors lie in the order in which they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from rnn_magics.models.fast.compiling import VECTOR_BYTES

# The registers in a row of a tile. Eight rows of two registers leave room for the elements
# of A and B on AVX-512 (32 registers); six rows do on AVX2 (16 registers), and have enough sums
# that no addition waits for the one before it.
VECTORS = 4 if VECTOR_BYTES == 16 else 2  # noqa: PLR2004
ROWS = {64: 8, 32: 6}.get(VECTOR_BYTES, 4)
PANEL_BYTES = VECTORS * VECTOR_BYTES
MOST_PANELS = 8 // VECTORS
"""Panels at once in a single row: enough sums that no addition waits for the one before it."""

_INT = ir.IntType(64)  # a call of it makes a constant
_ELEMENTS = {types.float32: (ir.FloatType(), 4), types.float64: (ir.DoubleType(), 8)}


def _write_tile(
    builder: ir.IRBuilder, rows: int, panels: int, element: ir.Type, size: int, args: Any
) -> None:
    # Emits the loop over k for a tile that is `rows` rows high and `panels` panels wide.
    a, a_row, a_k, b, b_panel, num_k, c, c_row = args
    vectors = panels * VECTORS  # in a row of the tile
    lanes = VECTOR_BYTES // size
    vector = ir.VectorType(element, lanes)
    first_lane, all_lanes = ir.Constant(ir.IntType(32), 0), ir.VectorType(ir.IntType(32), lanes)
    nothing = ir.Constant(vector, ir.Undefined)

    def offset(stride: Any, count: int, beside: int = 0) -> Any:
        return builder.add(builder.mul(stride, _INT(count)), _INT(beside))

    def vector_at(pointer: Any, place: Any) -> Any:
        return builder.bitcast(builder.gep(pointer, [place]), vector.as_pointer())

    def load(pointer: Any) -> Any:
        value = builder.load(pointer)
        value.align = size
        return value

    def spread(value: Any) -> Any:
        one = builder.insert_element(nothing, value, first_lane)
        return builder.shuffle_vector(one, nothing, ir.Constant(all_lanes, [0] * lanes))

    places = [offset(c_row, r, j * lanes) for r in range(rows) for j in range(vectors)]
    begin = [load(vector_at(c, place)) for place in places]
    before = builder.block
    loop = builder.append_basic_block("k")
    after = builder.append_basic_block("done")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(_INT)
    sums = [builder.phi(vector) for _ in places]
    row_of_b = offset(k, VECTORS * lanes)
    row = [
        load(vector_at(b, builder.add(row_of_b, offset(b_panel, panel, j * lanes))))
        for panel in range(panels)
        for j in range(VECTORS)
    ]
    column_of_a = builder.mul(k, a_k)
    results = []
    for r in range(rows):
        x = spread(load(builder.gep(a, [builder.add(offset(a_row, r), column_of_a)])))
        for y, total in zip(row, sums[r * vectors :], strict=False):
            product = builder.fmul(x, y, flags=("contract",))
            results.append(builder.fadd(product, total, flags=("contract",)))
    k_next = builder.add(k, _INT(1))
    for value, first, later in [(k, _INT(0), k_next), *zip(sums, begin, results, strict=True)]:
        value.add_incoming(first, before)
        value.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed("<", k_next, num_k), loop, after)

    builder.position_at_end(after)
    for place, result in zip(places, results, strict=True):
        builder.store(result, vector_at(c, place)).align = size


def _make_tile(rows: int, panels: int = 1) -> Callable[..., None]:
    """Return the function that adds A B to `rows` rows of C, so many panels of columns wide."""

    @intrinsic
    def tile(
        typing: Any,
        a: Any,
        a_row: Any,
        a_k: Any,
        b: Any,
        b_panel: Any,
        num_k: Any,
        c: Any,
        c_row: Any,
    ) -> Any:
        def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
            _write_tile(builder, rows, panels, *_ELEMENTS[a.dtype], args)
            return context.get_dummy_value()

        whole = types.intp
        return types.void(a, whole, whole, a, whole, whole, a, whole), codegen

    return tile  # type: ignore[no-any-return]


_tile_full = _make_tile(ROWS)
_tile_4 = _make_tile(4)
_tile_1 = _make_tile(1)
_tile_1_2 = _make_tile(1, 2)
_tile_1_3 = _make_tile(1, min(3, MOST_PANELS))
_tile_1_4 = _make_tile(1, min(4, MOST_PANELS))


@intrinsic
def begin_of(_typing: Any, array: Any) -> Any:
    """Return a pointer to the first element of an array."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def at(_typing: Any, pointer: Any, offset: Any) -> Any:
    """Return a pointer to the element `offset` elements after a pointer."""

    def codegen(_context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.intp), codegen


@intrinsic
def element_bytes(_typing: Any, pointer: Any) -> Any:
    """Return the bytes of an element."""

    def codegen(_context: Any, _builder: ir.IRBuilder, _signature: Any, _args: Any) -> Any:
        return _INT(_ELEMENTS[pointer.dtype][1])

    return types.intp(pointer), codegen


@njit(nogil=True)
def add_product(
    num_rows: int, a: Any, a_row: int, a_k: int, b: Any, num_k: int, c: Any, c_row: int
) -> int:
    """Add the product of A and one panel of B to rows of C, a few at a time.

    Parameters
    ----------
    num_rows, num_k
        The number of rows of A and C, and the number of columns of A.
    a, a_row, a_k
        A pointer to A, and its strides between rows and along k, in elements.
    b
        A pointer to a packed panel, (num_k, panel width).
    c, c_row
        A pointer to C, which is a panel wide, and its stride between rows.

    Returns
    -------
    int
        The number of rows that are done; those left are fewer than four, for `add_row_product`.
    """
    r = 0
    # Of six rows: two more, or three, are with them two tiles of four rows.
    while r + ROWS <= num_rows and not (ROWS < 8 <= num_rows - r < ROWS + 4):  # noqa: PLR2004
        _tile_full(at(a, r * a_row), a_row, a_k, b, 0, num_k, at(c, r * c_row), c_row)
        r += ROWS
    while r + 4 <= num_rows:
        _tile_4(at(a, r * a_row), a_row, a_k, b, 0, num_k, at(c, r * c_row), c_row)
        r += 4
    return r


@njit(nogil=True)
def add_row_product(
    a: Any,
    a_k: int,
    b: Any,
    b_panel: int,
    num_panels: int,
    num_k: int,
    c: Any,
    backwards: bool = False,  # noqa: FBT001, FBT002  (numba knows no keywords alone)
) -> None:
    """Add the product of one row of A and some panels of B to a row of C.

    A single row has few sums, and each addition waits for the one before it. So it takes several
    panels at once. Every sum is the same, to the last bit, as that of `add_product`.

    Parameters
    ----------
    a, a_k, num_k, c
        As in `add_product`; C is as wide as all panels.
    b, b_panel, num_panels
        A pointer to the first panel, the distance to the next in elements, and their number.
    backwards
        Whether the last panels come first.
    """
    num_groups = -(-num_panels // MOST_PANELS)
    for group in range(num_groups):
        p = (num_groups - 1 - group if backwards else group) * MOST_PANELS
        first, sums = at(b, p * b_panel), at(c, p * PANEL_BYTES // element_bytes(c))
        left = min(num_panels - p, MOST_PANELS)
        if left == 4:  # noqa: PLR2004
            _tile_1_4(a, 0, a_k, first, b_panel, num_k, sums, 0)
        elif left == 3:  # noqa: PLR2004
            _tile_1_3(a, 0, a_k, first, b_panel, num_k, sums, 0)
        elif left == 2:  # noqa: PLR2004
            _tile_1_2(a, 0, a_k, first, b_panel, num_k, sums, 0)
        else:
            _tile_1(a, 0, a_k, first, b_panel, num_k, sums, 0)
