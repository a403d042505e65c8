"""Torture of a notebook's objects: what hostile classes do to %corpus and to $name.

    python benchmarks/torture/objects.py            the full counts
    python benchmarks/torture/objects.py --quick    small counts

Prints rows of a table: ``| what | count | held |``; everything passed if both numbers are equal.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from IPython.core.error import UsageError  # noqa: E402
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402
from traitlets.config import Config  # noqa: E402

from rnn_magics.foreign import kind_of  # noqa: E402
from rnn_magics.text import given  # noqa: E402
from tests.hostile_objects import hostile  # noqa: E402

Row = tuple[str, int, int]  # what, count, held
FEW = 300  # elements of an endless iterator
LINES = {
    "%corpus --data n": "%corpus --data n: a corpus or one line",
    "%corpus --data n --as-tokens": "%corpus --data n --as-tokens: the same",
    "%corpus --data text --name $n": "$n on a line: its text or one line",
    "%inspect_rnn hidden $n": "$n as the text of a view: a view or one line",
    "%evaluate_rnn $n": "$n as a source of %evaluate_rnn: a score or one line",
}


def notebook() -> InteractiveShell:
    """Return a shell with a trained model and a text."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    for cell in (
        "%load_ext rnn_magics",
        "%config RNNMagics.figures = False",
        "%config RNNMagics.progress = False",
        "text = 'the time traveller came back ' * 9",
        "_corpus = %corpus --data text --valid 0.2",
        "_vocab = %vocab",
        "_batches = %sample --batch-size 2 --num-steps 4",
        "_run = %train_rnn --epochs 1 --num-hiddens 4",
    ):
        with contextlib.redirect_stdout(io.StringIO()):
            shell.run_cell(cell, silent=True).raise_error()
    return shell


def objects(shell: InteractiveShell, line: str, count: int) -> tuple[int, int]:
    """Return how many objects a line was given, and how many of them had an allowed outcome."""
    good = 0
    session: Any = shell._rnn_magics_session  # noqa: SLF001  # type: ignore[attr-defined]
    corpus = session.corpus
    given.MOST = FEW
    name, _, rest = line.partition(" ")
    for seed in range(count):
        draw = random.Random(seed)  # noqa: S311  (no secret)
        shell.user_ns["n"] = hostile(
            lambda options, draw=draw: options[draw.randrange(len(options))]
        )
        session.corpus = corpus
        try:
            found = shell.run_line_magic(name.removeprefix("%"), rest)
            held = repr(found).replace("\n", "").isprintable()
        except UsageError as error:
            held = str(error).isprintable() and len(str(error)) < 2500
            held &= session.corpus is corpus
        except BaseException as error:  # noqa: BLE001  (the finding)
            held = False
            place = traceback.extract_tb(error.__traceback__)[-1]
            print(f"# {kind_of(error)} at {place}", file=sys.stderr)
        good += held
        if not held:
            print(f"# {line}, seed {seed} did not hold", file=sys.stderr)
    return count, good


def main() -> int:
    """Print the rows; return 1 if one did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    every, shell = True, notebook()
    print("| what | count | held |\n|---|---:|---:|")
    for line, what in LINES.items():
        count, held = objects(shell, line, 100 if quick else 1000)
        print(f"| objects of hostile classes, {what} | {count:,} | {held:,} |", flush=True)
        every &= held == count
    return 0 if every else 1


if __name__ == "__main__":
    sys.exit(main())
