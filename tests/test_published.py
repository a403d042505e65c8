"""The scripts of benchmarks/published run, on tiny made-up data."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TEXT
from tests.models.kneser_ney import marked, of_sentences

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "benchmarks" / "published"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Penn Treebank, a Time Machine and a Shakespeare, all made of three lines."""
    for part in ("train", "valid", "test"):
        (tmp_path / f"ptb.{part}.txt").write_text(TEXT * (8 if part == "train" else 1))
    (tmp_path / "timemachine.txt").write_text(TEXT * 28)
    (tmp_path / "tinyshakespeare.txt").write_text(TEXT * 20)
    return tmp_path


def table(script: str, *arguments: object) -> list[list[str]]:
    """Run a script and return the rows of the table that it prints, the head left out."""
    words = [sys.executable, str(SCRIPTS / f"{script}.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def test_the_recipes_of_the_second_edition(folder: Path) -> None:
    rows = table("d2l_second_edition", folder, "--epochs", 1, "--seeds", 0, "--recipes", "d2l-rnn")
    assert [row[:2] for row in rows] == [["d2l-rnn", "1.2 to 1.4"]]
    assert float(rows[0][2]) > 1


def test_the_class_api_scores_held_out_windows_in_both_ways(folder: Path) -> None:
    ((name, published, ours, theirs),) = table(
        "d2l_class_api", folder, "--epochs", 1, "--seeds", 0, "--models", "gru"
    )
    assert (name, published) == ("gru", "6.31 to 6.96")
    assert 1 < float(ours) <= float(theirs)  # the mean of exps is never below exp of the mean


def test_kneser_ney_counts_the_lines_as_sentences(folder: Path) -> None:
    rows = table("kneser_ney", folder)
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    lines = [line.split() for line in TEXT.splitlines()]
    vocab_size = len({word for line in lines for word in line}) + 1  # <unk>
    for order, row in enumerate(rows, start=1):
        reference = of_sentences(lines * 8, vocab_size, order)
        logs = [math.log(prob) for line in lines for prob in reference.probs(marked(line))]
        assert float(row[2]) == pytest.approx(math.exp(-sum(logs) / len(logs)), abs=0.006)


def test_a_training_of_zaremba_goes_on_where_it_stopped(folder: Path) -> None:
    whole = table("zaremba", folder, "small", "--epochs", 2)
    state = folder / "state.pt"
    parts = [
        table("zaremba", folder, "small", "--epochs", epochs, "--state", state) for epochs in (1, 2)
    ]
    assert [row[0] for row in whole] == ["1", "2"]
    assert parts[0] + parts[1] == whole


def test_the_minutes_of_nanogpt(folder: Path) -> None:
    ((*_, ours, published),) = table("nanogpt", folder, "--minutes", 0.01)
    assert float(ours) > 0
    assert published.startswith("1.88")


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPTS / "kneser_ney.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"ptb.train.txt is not in {tmp_path}\n"


@pytest.mark.parametrize(
    ("script", "named"),
    [
        (path.stem, named)
        for path in sorted(SCRIPTS.glob("*.py"))
        if path.stem != "common"
        for named in (True, False)
        if named or not path.stem.startswith("d2l")  # these two download their text then
    ],
)
def test_data_that_is_not_there_is_named_in_one_line(
    tmp_path: Path, script: str, *, named: bool
) -> None:
    words = [sys.executable, str(SCRIPTS / f"{script}.py"), *[str(tmp_path)] * named]
    words += ["small"] * (script == "zaremba")
    environment = {k: v for k, v in os.environ.items() if k != "RNN_MAGICS_DATA"}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert (f" is not in {tmp_path}" if named else "name the folder of the data") in line
