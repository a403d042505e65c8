"""Compiles the cells in another process before they are needed.

    python -m rnn_magics.models.fast.ahead gru lstm

Compiling takes some 15 seconds a cell, once on a machine. A process of its own does it while a
reader still looks at the text, and leaves the result on the disk, from which any other process
loads it. Training that comes too early waits for its cell, which takes no longer than compiling it.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache

from rnn_magics.models.forked import is_forked

LIKELY = ("gru", "lstm", "rnn")
"""The cells, the default one first."""
_NICENESS = 5  # it yields to whatever the reader does


class Ahead:
    """A process that compiles cells, and how far it is.

    Parameters
    ----------
    start
        Starts a process that compiles cells: it writes a line with the name of each before and one
        after, and ends.
    """

    def __init__(self, start: Callable[[Sequence[str]], subprocess.Popen[str]]) -> None:
        self._start = start
        self._process: subprocess.Popen[str] | None = None
        self._cell = ""
        self._moved = threading.Condition()

    @property
    def making(self) -> str:
        """The cell that is being compiled now; empty if none is, and in a forked process.

        A fork has no thread that follows the process, so it would wait forever.
        """
        return "" if is_forked() else self._cell

    def begin(self, cells: Iterable[str]) -> None:
        """Start compiling, if that has not been started; where no process can be, do nothing."""
        cells = tuple(cells)
        if self._process is not None or not cells:
            return
        with suppress(OSError):
            self._process = self._start(cells)
            threading.Thread(target=self._follow, name="ahead", daemon=True).start()
            atexit.register(self._process.kill)

    def wait(self, cell: str) -> None:
        """Wait for a cell that is being compiled; do nothing for another."""
        if self.making == cell:  # asked first, since a fork may have copied a lock that is held
            with self._moved:
                self._moved.wait_for(lambda: self._cell != cell)

    def _follow(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        with process:
            for line in process.stdout:
                self._move("" if self._cell else line.strip())
            self._move("")  # also if it was killed
        atexit.unregister(process.kill)

    def _move(self, cell: str) -> None:
        with self._moved:
            self._cell = cell
            self._moved.notify_all()


@cache
def ahead() -> Ahead:
    """Return the one process that compiles ahead for this one; it may not run."""
    return Ahead(_start)


def _start(cells: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", __name__, *cells]
    return subprocess.Popen(  # noqa: S603  (our own module)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def main(cells: Sequence[str]) -> None:
    """Compile each cell, and say when it begins and ends."""
    import torch  # noqa: PLC0415  (slow)

    from rnn_magics.models.engines import compile_cell, is_compiled  # noqa: PLC0415  (imports torch)

    for cell in cells:
        if not is_compiled(cell):
            sys.stdout.write(f"{cell}\n")
            sys.stdout.flush()
            compile_cell(cell, torch.float32)
            sys.stdout.write(f"{cell}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    main(sys.argv[1:])
