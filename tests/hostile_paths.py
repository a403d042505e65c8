"""Paths that mean no good, given to every magic that takes one; for the tests and `make torture`.

    python -m tests.hostile_paths

Prints a line of JSON for each attempt: the kind of path, the line, whether it held, what was said.
It holds when there is an answer or one line of ours, in time and memory, and what was there is as
it was. To be run as a program of its own, since what it is about blocks a process for ever or takes
all of its memory.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import os
import resource
import shutil
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from rnn_magics.files import GONE
from rnn_magics.notebook.extension import MAGICS
from rnn_magics.options import describe
from rnn_magics.sweeps.space import Space
from tests.fuzz import parser_of

SECONDS = 30  # of one attempt: what takes longer hangs
SPARE_BYTES = 2 << 30  # that an attempt may take
NOBODY = 65534
TEXT = "the time traveller for so it will be convenient to speak of him\n" * 9
TRAIN = "--num-hiddens 4 --epochs 1 --no-baseline --threads 1"
TRY = "--num-hiddens 3,4 --epochs 1 --no-baseline --threads 1 --search grid --trials 1"

WORDS = {
    *((magic, "name") for magic in ("corpus", "evaluate_rnn", "train_rnn", "load_rnn")),
    *((magic, "run") for magic in ("generate", "save_rnn", "inspect_rnn", "evaluate_rnn")),
    *(
        (magic, word)
        for magic in ("corpus", "evaluate_rnn")
        for word in ("data", "encoding", "sha256")
    ),
    *(("train_rnn", word) for word in ("every", "device")),
    *(("sweep", field.name) for field in describe(Space)),
    *(("sweep", word) for word in ("budget", "save_every")),
    *(("generate", word) for word in ("prefix", "stop")),
    *(("inspect_rnn", word) for word in ("text", "target", "span")),
    ("baseline", "order"),
}
"""Arguments that take any word and are no paths. A new one stands here, or is attacked."""

LINES: dict[tuple[str, str], list[str]] = {
    ("corpus", "source"): ["%corpus $path", "%corpus python_docs $path"],
    ("evaluate_rnn", "source"): ["%evaluate_rnn $path"],
    ("save_rnn", "path"): ["%save_rnn $path", "%save_rnn $path --force"],
    ("load_rnn", "path"): ["%load_rnn $path", "%load_rnn $path --epoch 1"],
    ("inspect_rnn", "epochs"): ["%inspect_rnn hidden the --epochs $path"],
    ("train_rnn", "folder"): [f"%train_rnn {TRAIN} --checkpoint $path"],
    ("train_rnn", "resume"): ["%train_rnn --resume $path"],
    ("sweep", "place"): ["%sweep list $path", "%sweep load $path"],
    ("sweep", "folder"): [f"%sweep {TRY} --folder $path"],
    ("rnn", "names"): ["%rnn runs $path", "%rnn code kept $path"],
}
"""How a line with a path is written; where nothing stands here, it is `%magic --flag PATH`."""

UNTYPED = [
    "%corpus --max-tokens 5000",
    "%save_rnn",
    "%save_rnn --run long",
    "%rnn runs",
    "%rnn code kept",
    "%rnn",
    f"%train_rnn {TRAIN}",
    "%train_rnn --resume last",
    f"%sweep {TRY}",
    "%sweep list",
    "%sweep --resume last",
    "%generate the --length 3",
]
"""Lines that may look at the working folder though no path is typed."""


def word_arguments() -> Iterator[tuple[str, argparse.Action]]:
    """Yield the arguments of all magics that take any word, with their magics."""
    for magic in MAGICS:
        for action in parser_of(magic).actions:
            if action.nargs != 0:
                with contextlib.suppress(argparse.ArgumentTypeError):
                    if (action.type or str)("/any word") == "/any word":  # type: ignore[operator]
                        yield magic, action


def lines() -> list[str]:
    """Return lines that give `$path` to every argument that may be a path."""
    found = []
    for magic, action in word_arguments():
        if (magic, action.dest) not in WORDS:
            flag = f" {action.option_strings[0]}" if action.option_strings else ""
            found += LINES.get((magic, action.dest), [f"%{magic}{flag} $path"])
    return found


# What the path leads to. Each takes an empty working folder with a copy of `kept`, the folder of
# a run, and returns the path.


def _pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return "pipe"


def _socket(folder: Path) -> str:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")  # of the working folder, since such a name must be short
    return str(folder / "socket")


def _device(folder: Path) -> str:
    try:
        os.mknod(folder / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))  # what /dev/zero is
    except PermissionError:
        return "/dev/zero"
    return "device"


def _link(to: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        os.mkfifo(folder / "pipe")
        (folder / "link").symlink_to(to)
        return "link"

    return make


def _closed(folder: Path) -> str:
    (folder / "closed").write_text(TEXT)
    (folder / "closed").chmod(0)
    return "closed"


def _behind_closed_doors(folder: Path) -> str:
    (folder / "closed").mkdir()
    (folder / "closed" / "file").write_text(TEXT)
    (folder / "closed").chmod(0)
    return "closed/file"


def _adrift(folder: Path) -> str:
    (folder / "gone").mkdir()
    os.chdir("gone")
    (folder / "gone").rmdir()
    return "file"


def _hole(folder: Path) -> str:
    shutil.copy(next(Path("kept").glob("step-*")), "hole")
    os.truncate("hole", 1 << 40)  # takes no room on the disk
    return str(folder / "hole")


def _in_run(name: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        run = folder / "kept"
        for place in list(run.glob(name)):
            place.unlink()
            os.mkfifo(place)
        return "kept"

    return make


def _swept(folder: Path) -> str:
    left = folder / ".rnn_magics-0a.tmp"
    os.mkfifo(left)
    os.utime(left, (0, 0))
    return "file"


PATHS: dict[str, Callable[[Path], str]] = {
    "nothing": lambda _: "nothing",
    "no name": lambda _: "",
    "a named pipe": _pipe,
    "a device": _device,
    "a socket": _socket,
    "a folder": str,
    "a name of 300 letters": lambda _: "x" * 300,
    "a name of 300 letters in no folder": lambda _: "nowhere/" + "x" * 300,
    "a path of 5000 letters": lambda _: "x/" * 2500,
    "a name with a NUL": lambda _: "a\0b",
    "a name that cannot be encoded": lambda _: "a\ud800b",
    "the home of nobody": lambda _: "~nobody-of-that-name/file",
    "below a file": lambda _: "text/file",
    "a link to nothing": _link("nothing"),
    "a link into no folder": _link("nowhere/file"),
    "a link to itself": _link("link"),
    "a link to a pipe": _link("pipe"),
    "a link to a folder": _link("."),
    "a file that may not be read": _closed,
    "a folder that may not be entered": _behind_closed_doors,
    "a file of the kernel": lambda _: "/proc/self/file",
    "a folder of the kernel": lambda _: "/sys/kernel",
    "a working folder that was deleted": _adrift,
    "a model with a hole of a terabyte": _hole,
    "a run whose history is a pipe": _in_run("history.jsonl"),
    "a run whose description is a pipe": _in_run("run.json"),
    "a run whose checkpoints are pipes": _in_run("step-*"),
    "a run whose epochs are pipes": _in_run("epoch-*"),
    "beside a pipe that looks like a file half written": _swept,
}
_AS_NOBODY = ("a file that may not be read", "a folder that may not be entered")


class _Hung(BaseException):
    pass


class Attacked:
    """A shell that is given the lines, each in a fresh folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.chmod(0o777)
        os.chdir(top)
        config = Config()
        config.HistoryManager.enabled = False
        self.shell = InteractiveShell.instance(config=config)
        for cell in (
            "%load_ext rnn_magics",
            "%config RNNMagics.figures = False",
            "%config RNNMagics.progress = False",
            f"text = {TEXT!r}",
            "%corpus --data text",
            "%vocab",
            "%sample --batch-size 2 --num-steps 4",
            f"%train_rnn {TRAIN} --name {'long' * 75}",
            f"%train_rnn {TRAIN} --name kept --checkpoint kept",
        ):
            self.shell.run_cell(cell, silent=True).raise_error()
        self.session: Any = self.shell._rnn_magics_session
        self.before = dict(vars(self.session))
        long, kept = self.session.runs.values()
        self.runs = {"long": long, "kept": kept}
        os.umask(0)

    def attempt(self, kind: str, line: str) -> tuple[bool, str]:
        """Return whether a line holds against a kind of path, and what was said."""
        folder = Path(tempfile.mkdtemp(dir=self.top))
        folder.chmod(0o777)
        os.chdir(folder)
        shutil.copytree(self.top / "kept", "kept")
        (folder / "text").write_text(TEXT)
        try:
            self.shell.user_ns["path"] = PATHS[kind](folder)
            self._begin_anew()
            there = _everything(folder)
            said = self._run(line, as_nobody=kind in _AS_NOBODY)
            left = _everything(folder)
            changed = [name for name, what in there.items() if left.get(name) != what]
        finally:
            os.chdir(self.top)
            shutil.rmtree(folder)
        said = f"{said}; changed: {changed}" if changed else said
        return said.startswith(("answer", "refused: ")) and not changed, said

    def _begin_anew(self) -> None:
        for name, value in self.before.items():
            setattr(self.session, name, value)
        self.session.runs.clear()
        self.session.runs.update(self.runs)

    def _run(self, line: str, *, as_nobody: bool) -> str:
        faulthandler.dump_traceback_later(2 * SECONDS, exit=True)
        signal.alarm(SECONDS)
        if as_nobody and os.geteuid() == 0:  # who may do anything
            os.seteuid(NOBODY)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                done = self.shell.run_cell(line, silent=True)
        except _Hung:
            return "hung"
        finally:
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
            if as_nobody and os.getuid() == 0:
                os.seteuid(0)
        error = done.error_in_exec or done.error_before_exec
        if error is None:
            return "answer"
        said = str(error)
        ours = isinstance(error, UsageError) and said and len(said.splitlines()) == 1
        # The compiler itself asks for the working folder; elsewhere we are to have better words.
        last_wall = "out of memory" in said or (
            "operating system refused" in said and GONE not in said
        )
        fine = ours and not last_wall and len(said) < 500  # one can read it
        return f"refused: {said}" if fine else f"{type(error).__name__}: {said}"


def _everything(folder: Path) -> dict[str, tuple[int, int]]:
    # What no line may replace: all that is no regular file, and a text.
    seen = {path: path.lstat() for path in [*folder.iterdir(), *(folder / "kept").iterdir()]}
    return {
        path.name: (found.st_mode, found.st_ino)
        for path, found in seen.items()
        if not stat.S_ISREG(found.st_mode) or path.name == "text"
    }


def main() -> None:
    """Attempt everything."""
    torch.set_num_threads(1)

    def hang(*_: object) -> None:
        raise _Hung

    signal.signal(signal.SIGALRM, hang)
    with tempfile.TemporaryDirectory(prefix="paths-") as top:
        attacked = Attacked(Path(top))
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        most = held + SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        typed = [(kind, line) for kind in PATHS for line in lines()]
        for kind, line in [*typed, *(("a working folder that was deleted", u) for u in UNTYPED)]:
            held_up, said = attacked.attempt(kind, line)
            sys.stdout.write(f"{json.dumps([kind, line, held_up, said])}\n")
            sys.stdout.flush()
        os.chdir("/")


if __name__ == "__main__":
    sys.exit(main())
