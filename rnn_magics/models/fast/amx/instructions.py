"""The instructions of the matrix unit of recent Intel CPUs (AMX), for products in float32.

The unit multiplies bfloat16 numbers and adds the products in float32, many times as fast as vector
instructions. A float32 number is exactly the sum of three bfloat16 numbers of 8 bits each,
``x = x1 + x2 + x3``. Of the nine products of two such sums, the six largest are computed; the
others are below the last bit. So the error is that of a product in float32 or less (Henry, Tang
and Heinecke 2019, "Leveraging the bfloat16 artificial intelligence datatype for higher-precision
computations").

The unit has eight tile registers of up to 16 rows of 64 bytes. The left factor lies in memory as
tiles of 16 rows and 32 terms (`split_rows`, `split_columns`). The right factor lies as tiles of 32
terms and 16 columns, in which each two terms of a column are neighbours.
"""

# ruff: noqa: ARG001  (numba counts the arguments of an intrinsic; their values come in a tuple)

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

TERMS, ROWS_OF_TILE = 32, 16
PIECES = 3  # bfloat16 numbers in a float32 number
TILE = 512  # bfloat16 numbers in a tile
LEFT = PIECES * TILE  # numbers in the tiles of 32 terms of a left factor, 16 rows
COLUMNS = 32  # of a panel, two tiles wide
_BYTE, _HALF, _WORD, _INT = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_BYTES = _BYTE.as_pointer()
_LANES = 16  # of a vector of 512 bits
_LINE = _INT(64)  # bytes of a row of a tile
_WORDS = ir.VectorType(_WORD, _LANES)
_FLOATS = ir.VectorType(ir.FloatType(), _LANES)
# Registers; 0 and 1 have the sums of 16 rows, 0 to 3 those of 32.
_LEFT_TILES, _RIGHT_TILE = (4, 5, 6), 7
_TWO_LEFT, _TWO_RIGHT = (4, 5), (6, 7)


def _call(builder: ir.IRBuilder, name: str, *given: Any) -> None:
    kinds = [value.type for value in given]
    signature = ir.FunctionType(ir.VoidType(), kinds)
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.x86.{name}")
    builder.call(function, given)


def _bytes_at(builder: ir.IRBuilder, pointer: Any, offset: Any) -> Any:
    return builder.gep(builder.bitcast(pointer, _BYTES), [offset])


@intrinsic
def begin_tiles(_typing: Any, saved: Any, num_rows: Any) -> Any:
    """Set the registers up for left factors of so many rows, at most 16; `saved` has 128 bytes.

    Other code of this thread may have set them up before. It finds them so after `end_tiles`.
    """

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        _call(builder, "sttilecfg", builder.bitcast(args[0], _BYTES))
        config = _bytes_at(builder, args[0], _INT(64))
        for place in range(64):
            builder.store(_BYTE(1 if place == 0 else 0), builder.gep(config, [_INT(place)]))
        rows = builder.trunc(args[1], _BYTE)
        for tile in range(8):
            height = _BYTE(ROWS_OF_TILE) if tile == _RIGHT_TILE else rows
            builder.store(_BYTE(64), builder.gep(config, [_INT(16 + 2 * tile)]))
            builder.store(height, builder.gep(config, [_INT(48 + tile)]))
        _call(builder, "ldtilecfg", config)
        return context.get_dummy_value()

    return types.void(saved, types.intp), codegen


@intrinsic
def end_tiles(_typing: Any, saved: Any) -> Any:
    """Leave the registers as `begin_tiles` found them; what they held is lost."""

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        _call(builder, "ldtilecfg", builder.bitcast(args[0], _BYTES))
        return context.get_dummy_value()

    return types.void(saved), codegen


@intrinsic
def add_tiles(_typing: Any, left: Any, right: Any, num_blocks: Any, sums: Any, row: Any) -> Any:
    """Add the product of a left factor and a panel to sums, whose rows are `row` bytes apart."""

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        left, right, num_blocks, sums, row = args

        for half in (0, 1):
            _load_tile(builder, half, sums, _INT(64 * half), row)
        with _each_block(builder, num_blocks) as block:
            of_left = builder.mul(block, _INT(2 * LEFT))
            of_right = builder.mul(block, _INT(4 * LEFT))
            for piece, tile in enumerate(_LEFT_TILES):
                _load_tile(builder, tile, left, builder.add(of_left, _INT(2 * TILE * piece)))
            for piece in range(PIECES):
                for half in (0, 1):
                    place = builder.add(of_right, _INT(2 * TILE * (2 * piece + half)))
                    _load_tile(builder, _RIGHT_TILE, right, place)
                    for tile in _LEFT_TILES[: PIECES - piece]:
                        _multiply_tiles(builder, half, tile, _RIGHT_TILE)
        for half in (0, 1):
            place = _bytes_at(builder, sums, _INT(64 * half))
            _call(builder, "tilestored64", _BYTE(half), place, row)
        return context.get_dummy_value()

    return types.void(left, right, types.intp, sums, types.intp), codegen


@intrinsic
def add_square(_typing: Any, left: Any, right: Any, num_blocks: Any, sums: Any, row: Any) -> Any:
    """Do the same for 32 rows; the tiles of the last 16 follow those of the first.

    Every sum has the same order as in `add_tiles`.
    """

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        left, right, num_blocks, sums, row = args
        lower = builder.mul(num_blocks, _INT(2 * LEFT))
        corners = [
            builder.add(builder.mul(row, _INT(16 * below)), _INT(64 * half))
            for below in (0, 1)
            for half in (0, 1)
        ]
        for tile, corner in enumerate(corners):
            _load_tile(builder, tile, sums, corner, row)
        with _each_block(builder, num_blocks) as block:
            of_left = builder.mul(block, _INT(2 * LEFT))
            of_right = builder.mul(block, _INT(4 * LEFT))
            for piece in range(PIECES):
                for half, tile in enumerate(_TWO_RIGHT):
                    place = builder.add(of_right, _INT(2 * TILE * (2 * piece + half)))
                    _load_tile(builder, tile, right, place)
                for other in range(PIECES - piece):
                    place = builder.add(of_left, _INT(2 * TILE * other))
                    for tile, part in zip(_TWO_LEFT, (_INT(0), lower), strict=True):
                        _load_tile(builder, tile, left, builder.add(place, part))
                    for tile in range(4):
                        below, half = divmod(tile, 2)
                        _multiply_tiles(builder, tile, _TWO_LEFT[below], _TWO_RIGHT[half])
        for tile, corner in enumerate(corners):
            _call(builder, "tilestored64", _BYTE(tile), _bytes_at(builder, sums, corner), row)
        return context.get_dummy_value()

    return types.void(left, right, types.intp, sums, types.intp), codegen


def _load_tile(
    builder: ir.IRBuilder, tile: int, pointer: Any, offset: Any, stride: Any = _LINE
) -> None:
    _call(builder, "tileloadd64", _BYTE(tile), _bytes_at(builder, pointer, offset), stride)


def _multiply_tiles(builder: ir.IRBuilder, sums: int, left: int, right: int) -> None:
    _call(builder, "tdpbf16ps", _BYTE(sums), _BYTE(left), _BYTE(right))


@contextmanager
def _each_block(builder: ir.IRBuilder, number: Any) -> Iterator[Any]:
    # A loop, at least once through, over the blocks of 32 terms.
    before = builder.block
    loop, after = (builder.append_basic_block(name) for name in ("terms", "done"))
    builder.branch(loop)
    builder.position_at_end(loop)
    block = builder.phi(_INT)
    yield block
    following = builder.add(block, _INT(1))
    block.add_incoming(_INT(0), before)
    block.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", following, number), loop, after)
    builder.position_at_end(after)


def _vector(number: int) -> ir.Constant:
    return ir.Constant(_WORDS, [number] * _LANES)


def _load(builder: ir.IRBuilder, pointer: Any, offset: int = 0) -> Any:
    place = builder.gep(pointer, [_INT(offset)])
    value = builder.load(builder.bitcast(place, _FLOATS.as_pointer()))
    value.align = 4
    return value


def _store(builder: ir.IRBuilder, value: Any, pointer: Any, offset: int) -> None:
    place = builder.bitcast(builder.gep(pointer, [_INT(offset)]), value.type.as_pointer())
    builder.store(value, place).align = 2


def _pieces(builder: ir.IRBuilder, value: Any) -> list[Any]:
    # The three bfloat16 numbers of each of 16 float32 numbers, in the upper halves of words.
    results = []
    for _ in range(PIECES):
        bits = builder.bitcast(value, _WORDS)
        exponent = builder.and_(bits, _vector(0x7F800000))
        # The largest are cut off, since rounded up they would be infinite; what is none stays none.
        is_rounded = builder.icmp_unsigned("<", exponent, _vector(0x7F000000))
        rounded = builder.select(is_rounded, builder.add(bits, _vector(0x8000)), bits)
        piece = builder.and_(rounded, _vector(0xFFFF0000))
        results.append(piece)
        value = builder.fsub(value, builder.bitcast(piece, _FLOATS))  # exact
    return results


def _pairs(builder: ir.IRBuilder, even: Any, odd: Any) -> list[Any]:
    # For each piece the words of which `even` is the lower and `odd` the upper half.
    both = zip(_pieces(builder, even), _pieces(builder, odd), strict=True)
    return [builder.or_(builder.lshr(low, _vector(16)), high) for low, high in both]


@intrinsic
def split_32(_typing: Any, source: Any, target: Any) -> Any:
    """Write the pieces of 32 numbers into a row of each of three tiles."""

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        halves = ir.VectorType(_HALF, _LANES)
        for half in (0, 1):
            for place, piece in enumerate(_pieces(builder, _load(builder, args[0], 16 * half))):
                words = builder.trunc(builder.lshr(piece, _vector(16)), halves)
                _store(builder, words, args[1], TILE * place + 16 * half)
        return context.get_dummy_value()

    return types.void(source, target), codegen


@intrinsic
def split_pair(_typing: Any, even: Any, odd: Any, target: Any) -> Any:
    """Write the pieces of 32 columns of two terms into a row of each of six tiles."""

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        for half in (0, 1):
            two = (_load(builder, source, 16 * half) for source in args[:2])
            for place, words in enumerate(_pairs(builder, *two)):
                _store(builder, words, args[2], TILE * (2 * place + half))
        return context.get_dummy_value()

    return types.void(even, odd, target), codegen


def _transposed(builder: ir.IRBuilder, rows: list[Any]) -> list[Any]:
    # Exchanges halves of each two vectors, then quarters, and so on.
    rows = [*rows]
    for size in (8, 4, 2, 1):
        for i in range(_LANES):
            if not i & size:
                a, b = rows[i], rows[i + size]
                low = [_LANES + k - size if k & size else k for k in range(_LANES)]
                high = [_LANES + k if k & size else k + size for k in range(_LANES)]
                rows[i], rows[i + size] = (
                    builder.shuffle_vector(a, b, ir.Constant(_WORDS, mask)) for mask in (low, high)
                )
    return rows


@intrinsic
def split_square(_typing: Any, source: Any, row: Any, target: Any) -> Any:
    """Write 32 terms of 16 columns, rows `row` numbers apart, as 16 rows of three tiles."""

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        source, row, target = args
        found: list[list[Any]] = []
        for pair in range(_LANES):
            places = (builder.mul(row, _INT(2 * pair + k)) for k in (0, 1))
            two = (_load(builder, builder.gep(source, [place])) for place in places)
            found.append(_pairs(builder, *two))
        for piece in range(PIECES):
            lines = _transposed(builder, [words[piece] for words in found])
            for place, line in enumerate(lines):
                _store(builder, line, target, TILE * piece + TERMS * place)
        return context.get_dummy_value()

    return types.void(source, types.intp, target), codegen
