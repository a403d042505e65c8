"""The recurrences, compiled by numba for this CPU.

`scans` has the recurrences, `products` their matrix products, `tile` the innermost loop, and
`functions` the interface to torch.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rnn_magics.interrupts import whole_imports


@cache
@whole_imports()
def is_available() -> bool:
    """Whether numba can be imported and finds a folder for its cache."""
    try:
        from rnn_magics.models.fast import functions  # noqa: F401, PLC0415  (tried, not used)
    except (ImportError, RuntimeError):  # wrong version of numpy; every folder is read-only
        return False
    return True


def is_kept(kernel: Any) -> bool:
    """Whether a function is compiled, by this session or an earlier one."""
    return bool(kernel.signatures) or kernel._cache.has(kernel)  # noqa: SLF001
