"""Torture of paths: every magic that takes a path gets all kinds of them. Prints table rows.

    python benchmarks/torture/paths.py [--quick]

The paths are pipes, devices, sockets, sparse files, circular links, names that no file can have,
and folders that are deleted or closed. `tests/hostile_paths.py` makes them and tries each line in a
fresh folder. A row is ``| what | count | held |``, and what did not hold is written to stderr. This
takes about 20 seconds, so `--quick` changes nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "a file of a terabyte that is a hole": ("hole",),
    "names that no file can have": ("300", "5000", "NUL", "encoded", "no name", "home"),
    "what may not be read or written": ("may not", "kernel"),
    "links, and folders that are gone": ("link", "below", "nothing", "deleted"),
    "what is no plain file": ("pipe", "device", "socket", "folder"),
}


def row_of(kind: str) -> str:
    """Return the row that a kind of path belongs to: the first one that has a word of it."""
    return next(row for row, words in KINDS.items() if any(word in kind for word in words))


def main() -> int:
    """Print the rows; return 1 if one did not hold."""
    command = [sys.executable, "-m", "tests.hostile_paths"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    tried, held = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for line in done.stdout.splitlines():
        if line.startswith("["):
            kind, magic, good, said = json.loads(line)
            tried[row_of(kind)] += 1
            held[row_of(kind)] += good
            if not good:
                print(kind, magic, said, sep=" | ", file=sys.stderr)
    print("| what | count | held |\n|---|---:|---:|")
    for row, count in tried.items():
        what = f"{row}, as paths of every magic: an answer or one line, nothing lost"
        print(f"| {what} | {count:,} | {held[row]:,} |")
    return 0 if done.returncode == 0 and tried == held and all(tried.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
