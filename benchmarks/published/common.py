"""What the scripts here share: the folder of the data, and the lines above a table."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
from pathlib import Path

import torch

import rnn_magics


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the folder of the data and the number of threads."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "folder",
        nargs="?",
        default=os.environ.get("RNN_MAGICS_DATA"),
        help="that holds the data (default: what RNN_MAGICS_DATA names)",
    )
    made.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    return made


def read(folder: str | None, name: str) -> str:
    """Return the text of a file of the folder; end the script with one line if it is not there."""
    if folder is None:
        sys.exit("name the folder of the data, as an argument or in RNN_MAGICS_DATA")
    path = Path(folder) / name
    if not path.is_file():
        sys.exit(f"{name} is not in {folder}")
    return path.read_text(encoding="utf-8")


def time_machine(folder: str | None) -> str:
    """Return The Time Machine from the folder; without a folder, download it once."""
    if folder is not None:
        return read(folder, "timemachine.txt")
    return rnn_magics.Corpus.load("time_machine").data


def print_head(*facts: str) -> None:
    """Print the date, the versions and everything else that a figure depends on."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    words = (
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}",
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
        f"rnn_magics {rnn_magics.__version__}",
        f"{torch.get_num_threads()} threads of {os.cpu_count()} cores (load {load} at the start)",
        *facts,
    )
    print(", ".join(words) + "\n", flush=True)


def print_row(*cells: object) -> None:
    """Print a row of a table in Markdown."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_table_head(*cells: str) -> None:
    """Print the first two rows of a table in Markdown."""
    print_row(*cells)
    print_row(*("---" for _ in cells))
