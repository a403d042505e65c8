"""The recurrences compiled by numba for the CPU at hand.

Read `scans` for the recurrences, `products` for their matrix products, `tile` for the innermost
loop and `functions` for what torch sees.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from rnn_magics.interrupts import whole_imports


@cache
@whole_imports()
def is_available() -> bool:
    """Whether numba loads, and finds a place to keep what it compiles."""
    try:
        from rnn_magics.models.fast import functions  # noqa: F401, PLC0415  (tried, not used)
    except (ImportError, RuntimeError):  # it does not go with this numpy; every folder is read-only
        return False
    return True


def is_kept(kernel: Any) -> bool:
    """Whether a function is compiled, in this session or by an earlier one."""
    folder = Path(kernel._cache.cache_path)  # noqa: SLF001  (numba has no other way to ask)
    return bool(kernel.signatures or any(folder.glob(f"*.{kernel.__name__}-*.nbi")))
