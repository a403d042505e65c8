"""A real IPython in a real terminal: every line fits, none comes twice, the verdict comes first."""

from __future__ import annotations

import os
import re
import select
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

COLUMNS = 64
PATIENCE = 300  # seconds; a first run may compile
TEXT = (
    "the time traveller for so it will be convenient to speak of him\n"
    "was expounding a recondite matter to us his grey eyes shone and\n"
) * 6
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")
BOLD = "\x1b[1m"


class Terminal:
    """IPython behind a pseudo terminal of 64 columns."""

    def __init__(self, folder: Path, colours: str) -> None:
        options = ("--simple-prompt", "--no-banner", f"--colors={colours}")
        command = [sys.executable, "-m", "IPython", *options, "--HistoryManager.enabled=False"]
        own = {"IPYTHONDIR": str(folder), "TERM": "xterm", "OMP_NUM_THREADS": "1"}
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | own
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execve(command[0], command, environment)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        self._cells = 0
        self._read()

    def run(self, line: str) -> str:
        """Type a line, and return what is written until the next prompt."""
        os.write(self._end, line.encode() + b"\n")
        return self._read()

    def end(self) -> None:
        os.write(self._end, b"exit\n")
        os.close(self._end)
        os.waitpid(self._pid, 0)

    def _read(self) -> str:
        self._cells += 1
        prompt = f"In [{self._cells}]: "
        found = b""
        until = time.monotonic() + PATIENCE
        while not (text := found.decode(errors="replace")).endswith(prompt):
            ready, _, _ = select.select([self._end], [], [], max(until - time.monotonic(), 0))
            assert ready, f"no {prompt!r} after {text!r}"
            found += os.read(self._end, 1 << 16)
        return text.removesuffix(prompt).replace("\r\n", "\n")


def lines_of(written: str) -> list[str]:
    """Return the lines that stay: of one that was rewritten, what was written last."""
    shown = (line.rpartition("\r")[2] for line in ESCAPE.sub("", written).split("\n"))
    return [line.rstrip() for line in shown if line.strip()]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "text.txt").write_text(TEXT)
    made = Terminal(folder, "NoColor")
    for line in ("%load_ext rnn_magics", "%corpus text.txt --valid 0.3", "%vocab"):
        made.run(line)
    made.run("%sample --batch-size 4 --num-steps 8")
    yield made
    made.end()


@pytest.fixture(scope="module")
def trained(terminal: Terminal) -> list[str]:
    return lines_of(terminal.run("it = %train_rnn --num-hiddens 8 --epochs 2"))[1:]


def test_a_run_ends_with_its_verdict_and_then_what_it_rests_on(trained: list[str]) -> None:
    begins = (
        "epoch  train ppl",
        "  1/2",
        "held-out perplexity ",
        "Held-out perplexity ",
        "Training perplexity ",
        "  uniform ",
        "(Perplexity) ^",
        "Held-out: exp of the mean",
        "Training: exp of the mean",
    )
    places = [next(i for i, li in enumerate(trained) if li.startswith(b)) for b in begins]
    assert places == sorted(places)


def test_every_line_fits_and_none_comes_twice(trained: list[str]) -> None:
    assert [line for line in trained if len(line) > COLUMNS] == []
    told = [line for line in trained if "|" not in line and len(line) > COLUMNS // 2]
    assert sorted(set(told)) == sorted(told)


@pytest.mark.parametrize(
    "line",
    ["%rnn", "%rnn doctor", "%rnn compare", "%evaluate_rnn text.txt text.txt", "%vocab --zipf"],
)
def test_tables_fit(terminal: Terminal, trained: list[str], line: str) -> None:
    assert trained != []
    shown = lines_of(terminal.run(line))[1:]
    tables = [each for each in shown if "  " in each.strip()]
    assert tables != []
    assert [each for each in tables if len(each) > COLUMNS] == []


WORDS = [
    "it",
    "%baseline --order 1-3",
    "%evaluate_rnn",
    "%rnn compare",
    *(
        f"%inspect_rnn {view}"
        for view in ("units", "batches", "probe --feature next_space", "ablate")
    ),
    *(f"%inspect_rnn {view} 'the time'" for view in ("hidden", "gates", "surprise", "gradient")),
    *(f"%generate 'the t' --length 40{option}" for option in (" --surprise", " --novelty")),
]


@pytest.mark.parametrize("line", WORDS)
def test_every_line_of_a_result_fits_and_none_comes_twice(
    terminal: Terminal, trained: list[str], line: str
) -> None:
    assert trained != []
    shown = lines_of(terminal.run(line))[1:]
    assert len(shown) > 1
    assert [each for each in shown if len(each) > COLUMNS] == []
    told = [each for each in shown if len(each) > COLUMNS // 2 and "  " not in each.strip()]
    told = [each for each in told if re.search(r"\w", each)]  # no axes
    assert sorted(set(told)) == sorted(told)
    assert not re.fullmatch(r"Out\[\d+\]: ?", shown[-1])  # a prompt with nothing behind it


def test_the_verdict_comes_first(terminal: Terminal, trained: list[str]) -> None:
    assert trained != []
    first, *_ = lines_of(terminal.run("%baseline --order 1-3"))[2:]
    assert first.startswith("the best is the 3-gram: held-out perplexity ")
    compared = lines_of(terminal.run("%rnn compare"))
    assert any(re.match(r"gru-1 +1,\d+", each) for each in compared)  # a row, also where it is cut


def test_a_text_is_shown_once_and_coloured_nowhere(terminal: Terminal, trained: list[str]) -> None:
    assert trained != []
    for option in ("", " --surprise"):
        written = terminal.run(f'%generate "the t" --length 40{option}')
        assert "\x1b[1m" not in written
        assert written.count("\nthe t") == 1
        assert written.count("40 tokens of perplexity") == 1


def test_where_there_are_colours_the_prefix_is_bold(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    terminal = Terminal(tmp_path, "Linux")
    for line in ("%load_ext rnn_magics", "%corpus text.txt", "%vocab"):
        terminal.run(line)
    terminal.run("%sample --batch-size 4 --num-steps 8")
    terminal.run("%train_rnn --num-hiddens 8 --epochs 1 --no-baseline")
    assert f"{BOLD}the t\x1b[0m" in terminal.run('%generate "the t" --length 20')
    terminal.end()
