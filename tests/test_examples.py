"""The examples: every notebook runs without an error, every script prints what the magics give.

The quickstart trains for a minute or two on two quiet cores; here, both forms of it stop early. The
Chinese lessons have the code of the English ones, but for what it says and for cells of their own;
that is held here, so their training is cut short, and what it reaches is held in English.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.tasks import TaskReport
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.tasks.stream import TaskConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

FOLDER = Path(__file__).parent.parent / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SCRIPTS = sorted(FOLDER.glob("*.py"))
CHINESE = sorted((FOLDER / "zh").glob("*.ipynb"))
QUICKSTART = "01_quickstart.ipynb"
SECONDS = 600
SHORTER = {
    "--epochs 4": "--epochs 1 --max-tokens 150000",
    "epochs=4": "epochs=1, max_tokens=150_000",
}
OTHER_TEXT = {"04_text_and_zipf.ipynb": {"cell-15", "cell-28"}}  # cells about a Chinese text instead
GATES_AT_LEAST, WITHOUT_AT_MOST = 0.95, 0.7  # of the answers of `task:copy`; a guess has 0.25
PERPLEXITY = re.compile(r"^(training|held-out) perplexity (\d+\.\d+)", re.MULTILINE)

pytestmark = pytest.mark.timeout(2 * SECONDS + 100)


def shortened(code: str) -> str:
    (long,) = (words for words in SHORTER if words in code)
    return code.replace(long, SHORTER[long])


@cache  # the quickstart is asked for twice
def execute(path: Path) -> list[dict[str, Any]]:
    """Run a notebook, whose file stays as it is, in an empty folder; return all outputs."""
    notebook = nbformat.read(path, as_version=4)
    if path.name == QUICKSTART:
        (training,) = (cell for cell in notebook.cells if "%train_rnn --" in cell.source)
        training.source = shortened(training.source)
    if path in CHINESE:
        for cell in notebook.cells:
            cell.source = re.sub(r"--epochs \d+", "--epochs 1 --max-tokens 3000", cell.source)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            allow_errors=True,  # so that all outputs can be looked at below
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def named(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def streamed(outputs: list[dict[str, Any]], name: str) -> str:
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == name)


def perplexities(text: str) -> dict[str, str]:
    return dict(PERPLEXITY.findall(text))


@pytest.fixture(autouse=True)
def _one_thread_and_this_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


def test_there_are_examples() -> None:
    assert QUICKSTART in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", [*NOTEBOOKS, *CHINESE], ids=named)
def test_a_notebook_is_saved_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [c.source for c in notebook.cells if c.get("outputs") or c.get("execution_count")] == []


@pytest.mark.parametrize("path", [*NOTEBOOKS, *CHINESE], ids=named)
def test_a_notebook_runs_without_an_error(path: Path) -> None:
    outputs = execute(path)
    assert [o["traceback"] for o in outputs if o["output_type"] == "error"] == []
    errors = streamed(outputs, "stderr")
    assert "Traceback" not in errors
    assert "UsageError" not in errors
    assert any(o["output_type"] in ("execute_result", "display_data") for o in outputs)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_prints_what_its_notebook_gives(path: Path, tmp_path: Path) -> None:
    short = tmp_path / path.name
    short.write_text(shortened(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(short)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = perplexities(done.stdout)
    assert set(printed) == {"training", "held-out"}
    outputs = execute(FOLDER / QUICKSTART)
    assert perplexities(streamed(outputs, "stdout")) == printed


def without_words(code: str) -> str:
    """Return code without what stands in quotes, which may be in another language."""
    return re.sub(r"""\"\"\".*?\"\"\"|"[^"\n]*"|#.*""", "", code, flags=re.DOTALL)


@pytest.mark.parametrize("path", CHINESE, ids=named)
def test_a_chinese_lesson_has_the_code_of_the_english_one(path: Path) -> None:
    def code(path: Path) -> dict[str, str]:
        cells = nbformat.read(path, as_version=4).cells
        return {c.id: without_words(c.source) for c in cells if c.cell_type == "code"}

    english, chinese = code(FOLDER / path.name), code(path)
    ours = {name for name in chinese if name.startswith("zh-")}
    other = OTHER_TEXT.get(path.name, set())
    assert chinese.keys() - ours == english.keys()
    assert [name for name in english if name not in other and chinese[name] != english[name]] == []
    assert all(chinese[name] != english[name] for name in other)


def test_the_chinese_script_has_the_code_of_the_english_one() -> None:
    (script,) = SCRIPTS
    chinese = (FOLDER / "zh" / script.name).read_text(encoding="utf-8")
    assert without_words(chinese) == without_words(script.read_text(encoding="utf-8"))


COPIES = "07_gru_lstm_deep_bidirectional.ipynb"


def test_gates_win_where_something_must_be_remembered() -> None:
    # What the prose of the lesson says of its figures.
    printed = streamed(execute(FOLDER / COPIES), "stdout")
    by_cell = {
        cell: [int(share) / 100 for share in re.findall(r"(\d+)%", shares)]
        for cell, shares in re.findall(r"^(rnn|gru|lstm) +((?: +\d+%)+)$", printed, re.MULTILINE)
    }
    assert by_cell.keys() == {"rnn", "gru", "lstm"}
    for cell in ("gru", "lstm"):
        assert min(by_cell[cell]) >= GATES_AT_LEAST
    assert min(by_cell["rnn"][:2]) >= GATES_AT_LEAST  # near by
    assert max(by_cell["rnn"][-2:]) <= WITHOUT_AT_MOST  # far away
    (alone, other) = re.findall(r"perplexity at (?:positions .*: at most|the last .*:) (.+)", printed)
    assert float(alone) < 1.1 < 10 < float(other)


@pytest.mark.parametrize(("cell", "gated"), [("rnn", False), ("gru", True), ("lstm", True)])
def test_gates_win_with_another_seed(cell: str, gated: bool) -> None:
    # The settings of the lesson, whose seed is 0; seed 2 gave the same when it was tried.
    corpus = task_corpus("copy", TaskConfig(length=2, symbols=4, delay=10, examples=2500))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 16, 34))
    config = TrainConfig(epochs=30, lr=0.02, seed=1, device="cpu", threads=1)
    report = evaluate_text(train(batches, ModelConfig(cell, num_hiddens=64), config), corpus).further
    assert isinstance(report, TaskReport)
    reached = report.accuracy
    assert reached >= GATES_AT_LEAST if gated else reached <= WITHOUT_AT_MOST
