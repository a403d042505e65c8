"""Everything limited to AVX2, as on a CPU without AVX-512: ours, torch, and what torch calls.

Each library reads its limit when it is imported, so the script runs again in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys

import torch
from llvmlite import binding

from rnn_magics.models.fast.compiling import VECTOR_BYTES

_BEYOND = ("avx512", "avx10", "amx", "evex")
LIMITED = (
    "Limited to AVX2 (`--avx2`): the compiled functions, torch's own kernels, oneDNN and oneMKL."
    " The clock and the caches are those of this CPU."
)


def environment() -> dict[str, str]:
    """Return the variables that limit every library to AVX2."""
    features = binding.get_host_cpu_features()
    wanted = {name: on and not name.startswith(_BEYOND) for name, on in features.items()}
    return {
        "NUMBA_CPU_FEATURES": ",".join("-+"[on] + name for name, on in sorted(wanted.items())),
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # on other CPUs than Intel's it uses no more anyway
    }


def has_more() -> bool:
    """Whether this CPU has wider vectors than those of AVX2, or a matrix unit, used or not."""
    features = binding.get_host_cpu_features()
    return any(on and name.startswith(_BEYOND) for name, on in features.items())


def is_limited() -> bool:
    """Whether this process uses AVX2 and no more, by what numba and torch say of themselves."""
    return VECTOR_BYTES == 32 and torch.backends.cpu.get_cpu_capability() == "AVX2"


def limited(words: list[str]) -> None:
    """Run a script limited to AVX2 and end with its status, or return if this is that process.

    Parameters
    ----------
    words
        The script and its arguments.

    Raises
    ------
    SystemExit
        With the status of the script; with one line where the limit does not hold.
    """
    if all(os.environ.get(name) == value for name, value in environment().items()):
        if not is_limited():
            sys.exit("this process is not limited to AVX2")
        return
    done = subprocess.run([sys.executable, *words], env=os.environ | environment(), check=False)  # noqa: S603
    sys.exit(done.returncode)
