"""The examples: every notebook runs without an error, every script prints what the magics give.

The quickstart trains for a minute or two on two quiet cores; here, both forms of it stop early.
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

FOLDER = Path(__file__).parent.parent / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SCRIPTS = sorted(FOLDER.glob("*.py"))
QUICKSTART = "01_quickstart.ipynb"
SECONDS = 600
SHORTER = {
    "--epochs 4": "--epochs 1 --max-tokens 150000",
    "epochs=4": "epochs=1, max_tokens=150_000",
}
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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_saved_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [c.source for c in notebook.cells if c.get("outputs") or c.get("execution_count")] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
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
