"""Run scripts in processes that know torch alone, forked from one that has imported it.

Most of what such a process does is to import torch, so this is done once. As a program, this file
is the process that waits: it reads the script, the folder that it works in and the file for what
it prints, and writes the status with which it ended.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Runs = Callable[[Path, Path], str]
"""Runs a script in a folder, and returns what it has printed."""


@contextmanager
def fresh_torch(name: str) -> Iterator[Runs]:
    """Run scripts each in a process of its own, in which our package cannot be imported.

    Parameters
    ----------
    name
        A variable of the scripts, which is printed in the end.
    """
    command = [sys.executable, "-X", "utf8", "-W", "error", "-I", __file__, name]
    pipe, environment = subprocess.PIPE, {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, encoding="utf-8", env=environment
    ) as waiting:
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        told, tells = waiting.stdin, waiting.stdout

        def run(script: Path, folder: Path) -> str:
            printed = folder / "printed.txt"
            print(json.dumps([str(script), str(folder), str(printed)]), file=told, flush=True)
            status = int(tells.readline())
            found = printed.read_text(encoding="utf-8")
            assert status == 0, found
            return found

        yield run


def wait(name: str) -> None:
    import torch

    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports as much again
    sys.modules["rnn_magics"] = None  # type: ignore[assignment]
    for line in sys.stdin:
        script, folder, printed = json.loads(line)
        child = os.fork()
        if child == 0:
            run_here(script, folder, printed, name)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def run_here(script: str, folder: str, printed: str, name: str) -> None:
    status = 1
    try:
        os.chdir(folder)
        file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, sys.stdout.fileno())
        os.dup2(file, sys.stderr.fileno())
        sys.stdout.write(f"{runpy.run_path(script)[name]!r}\n")
        status = 0
    except BaseException:  # noqa: BLE001  (as where a program ends)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    wait(*sys.argv[1:])
