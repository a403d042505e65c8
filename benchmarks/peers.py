"""The libraries that the benchmarks compare with. Nothing else needs them."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any


def d2l() -> Any:
    """Return ``d2l.torch``, the code of Dive into Deep Learning, or end the script with one line.

    It imports torchvision, which nothing measured here uses. If torchvision is missing, two empty
    modules replace it.
    """
    try:
        importlib.import_module("torchvision")
    except ImportError:
        for name in ("torchvision", "torchvision.transforms"):
            sys.modules[name] = types.ModuleType(name)
        sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]
    try:
        return importlib.import_module("d2l.torch")
    except ImportError as error:
        sys.exit(f"the peer is not here ({error}); pip install --no-deps d2l==0.17.6")
