"""Python processes of our own, started anew, and what is said to them over their pipes.

They are not forked, since a fork has no threads of torch, and hangs where CUDA was used. Nobody
else writes into these pipes, so their pickles are our own.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

_SIZE = struct.Struct("<Q")
_PACKAGE = Path(__file__).parents[3]
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What says to the libraries of a process how many threads they may use."""


def python_process(module: str, *arguments: str, threads: int) -> subprocess.Popen[bytes]:
    """Start a module of this package in a process of its own.

    Parameters
    ----------
    module, *arguments
        The module, and what follows it on the command line.
    threads
        How many threads its libraries may use.
    """
    paths = [str(_PACKAGE), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            **dict.fromkeys(THREADS, str(threads)),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        },
    )


def own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes of this process, from and to the one that started it."""
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed is no message
    return sys.stdin.buffer, told


def send(pipe: IO[bytes], message: Any) -> None:
    """Write a message.

    Raises
    ------
    OSError
        If nobody reads it any more.
    """
    data = pickle.dumps(message)
    pipe.write(_SIZE.pack(len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read a message; None if the other process has ended."""
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    data = pipe.read(size)
    return None if len(data) < size else pickle.loads(data)  # noqa: S301  (our own process)
