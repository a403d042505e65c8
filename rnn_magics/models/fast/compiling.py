"""How the functions of this folder are compiled: for which CPU, and with what vectors.

LLVM prefers vectors of 256 bits on Intel CPUs, whose first models with AVX-512 ran slower while
they used 512. On those of today loops are faster with 512. The preference is an attribute of a
function, so it is set for the functions of this folder, not for those of a user in the same
process. Whoever sets NUMBA_CPU_FEATURES or NUMBA_CPU_NAME decides alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit
from numba.core import config
from numba.core.codegen import get_host_cpu_features
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering, NativeLowering

from rnn_magics.models.fast.kept import Kept

IS_CHOSEN = not (config.CPU_FEATURES is None and config.CPU_NAME is None)
"""Whether the user has said for which CPU numba compiles."""


@cache
def features() -> frozenset[str]:
    """Return what numba's code may use of this CPU, by LLVM's names, such as ``avx512f``."""
    names = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    return frozenset(name[1:] for name in names.split(",") if name.startswith("+"))


# The bytes of a vector register.
VECTOR_BYTES = 64 if "avx512f" in features() else 32 if "avx2" in features() else 16


def prefer_whole_vectors(function: ir.Function) -> None:
    """Let the loops of a function use vectors as wide as the registers."""
    if VECTOR_BYTES == 64 and not IS_CHOSEN:  # noqa: PLR2004
        # llvmlite knows no attributes with a value, but writes what the set contains.
        set.add(function.attributes, f'"prefer-vector-width"="{8 * VECTOR_BYTES}"')


class _Lower(Lower):
    def setup_function(self, fndesc: Any) -> None:
        super().setup_function(fndesc)
        prefer_whole_vectors(self.function)


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(BaseNativeLowering):
    _name = "rnn_magics_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        return _Lower


class _Compiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (_Lowering if step is NativeLowering else step, words) for step, words in passes.passes
        ]
        return [passes]


OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",  # a division by zero is inf, not an exception in every loop
    "fastmath": {"contract"},  # a * b + c may be one instruction; no other rule is relaxed
    "pipeline_class": _Compiler,
}


@cache
def _source() -> str:
    # What the compiled code depends on: a function has inlined those of other files.
    files = sorted(Path(__file__).parent.rglob("*.py"))
    marks = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return hashlib.sha256(repr(marks).encode()).hexdigest()


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is called first; the result is kept on disk.

    Raises
    ------
    RuntimeError
        When numba finds no folder that it can write to.
    """
    kernel = njit(**OPTIONS)(function)
    kernel._cache = Kept(function, _source())  # noqa: SLF001  (`cache=True` takes numba's own)
    return kernel
