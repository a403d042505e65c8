"""The recurrences compiled for the CPU at hand (with numba, the optional extra ``fast``).

Read `scans` for the recurrences, `products` for their matrix products, `tile` for the innermost
loop and `functions` for what torch sees.
"""

from __future__ import annotations

from functools import cache


@cache
def is_available() -> bool:
    """Whether numba is installed and loads."""
    try:
        import numba  # noqa: F401, PLC0415  (optional, and a second to import)
    except ImportError:  # also when it is there but does not go with this numpy
        return False
    return True
