"""Parallel regions that compiled code enters without the interpreter's lock.

After each operation, torch's threads stay awake for a while and wait for the next one. A second set
of threads would compete with them for the cores. So if torch runs on GNU OpenMP, as its wheels for
Linux do, its own threads take the work, through the entry point that compilers call for
``#pragma omp parallel``.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rnn_magics.models.fast.compiling import prefer_whole_vectors

_ENTRY = "GOMP_parallel"
_INT, _BYTES = ir.IntType(64), ir.IntType(8).as_pointer()
_NEXT, _FAILED, _PARTS, _SIZE, _GRAIN, _GIVEN = range(6)  # fields that the threads share


@cache
def is_available() -> bool:
    """Whether torch runs on GNU OpenMP; registers its entry point for numba's code."""
    try:
        entry = getattr(ctypes.CDLL(None), _ENTRY)
    except (AttributeError, OSError, TypeError):  # another system or another OpenMP
        return False
    llvmlite.binding.add_symbol(_ENTRY, ctypes.cast(entry, ctypes.c_void_p).value)
    return True


@intrinsic
def in_parallel(
    typing: Any, kernel: Any, given: Any, size: Any, grain: Any, parts: Any, threads: Any
) -> Any:
    """Call ``kernel(*given, first, last)`` for parts of ``range(size)`` on several threads.

    Parameters
    ----------
    kernel
        A compiled function whose parts are independent.
    given
        Its first arguments, a tuple.
    size, grain
        The length of the range, at least 1; the length of every part but the last is a multiple of
        `grain`.
    parts
        The number of parts; a thread that is free takes the next one.
    threads
        The number of threads.

    Returns
    -------
    int
        1 if a part raised an exception, which itself is lost; else 0.
    """
    part_types = (*given.types, types.intp, types.intp)
    signature = kernel.get_call_type(typing, part_types, {})

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, values: Any) -> Any:
        _, packed, size, grain, parts, threads = values
        packed = _without_owners(context, builder, given, packed)
        shared_type = ir.LiteralStructType([_INT] * _GIVEN + [packed.type])
        shared = cgutils.alloca_once(builder, shared_type)
        for place, value in enumerate((_INT(0), _INT(0), parts, size, grain, packed)):
            builder.store(value, cgutils.gep_inbounds(builder, shared, 0, place))
        body_type = ir.FunctionType(ir.VoidType(), [_BYTES])
        name = builder.module.get_unique_name("part")
        body = ir.Function(builder.module, body_type, name=name)
        body.linkage = "internal"
        prefer_whole_vectors(body)
        _write_body(context, body, shared_type, kernel, signature)
        entry_type = ir.FunctionType(
            ir.VoidType(), [body_type.as_pointer(), _BYTES, ir.IntType(32), ir.IntType(32)]
        )
        entry = cgutils.get_or_insert_function(builder.module, entry_type, _ENTRY)
        number = builder.trunc(threads, ir.IntType(32))
        builder.call(entry, [body, builder.bitcast(shared, _BYTES), number, ir.IntType(32)(0)])
        return builder.load(cgutils.gep_inbounds(builder, shared, 0, _FAILED))

    whole = types.intp
    return whole(kernel, given, whole, whole, whole, whole), codegen


def _without_owners(context: Any, builder: ir.IRBuilder, given: Any, value: Any) -> Any:
    # The same arrays, of which numba does not count the views. Each slice would be counted with its
    # owner, and the threads would wait for each other to count. The caller keeps the arrays alive.
    if isinstance(given, types.Array):
        array = context.make_array(given)(context, builder, value=value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        return array._getvalue()  # noqa: SLF001  (as numba's own functions do)
    if isinstance(given, types.BaseTuple):
        for place, kind in enumerate(given.types):
            part = builder.extract_value(value, place)
            part = _without_owners(context, builder, kind, part)
            value = builder.insert_value(value, part, place)
    return value


def _write_body(
    context: Any, body: ir.Function, shared_type: ir.Type, kernel: Any, signature: Any
) -> None:
    # The loop of each thread: take the next part until none is left.
    builder = ir.IRBuilder(body.append_basic_block("begin"))
    shared = builder.bitcast(body.args[0], shared_type.as_pointer())

    def place(index: int) -> Any:
        return cgutils.gep_inbounds(builder, shared, 0, index)

    parts, size, grain, given = (
        builder.load(place(index)) for index in (_PARTS, _SIZE, _GRAIN, _GIVEN)
    )
    grains = builder.sdiv(builder.add(size, builder.sub(grain, _INT(1))), grain)

    def bound(part: Any) -> Any:
        begin = builder.mul(grain, builder.sdiv(builder.mul(grains, part), parts))
        return builder.select(builder.icmp_signed("<", begin, size), begin, size)

    take, work, done = (body.append_basic_block(name) for name in ("take", "work", "done"))
    builder.branch(take)
    builder.position_at_end(take)
    part = builder.atomic_rmw("add", place(_NEXT), _INT(1), "monotonic")
    builder.cbranch(builder.icmp_signed("<", part, parts), work, done)
    builder.position_at_end(work)
    arguments = [
        *cgutils.unpack_tuple(builder, given),
        bound(part),
        bound(builder.add(part, _INT(1))),
    ]
    compiled = kernel.dispatcher.get_compile_result(signature)
    context.active_code_library.add_linking_library(compiled.library)
    status, _ = context.call_internal_no_propagate(builder, compiled.fndesc, signature, arguments)
    with builder.if_then(status.is_error):
        builder.store(_INT(1), place(_FAILED))
    builder.branch(take)
    builder.position_at_end(done)
    builder.ret_void()
