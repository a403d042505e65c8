"""The site: every line of a how-to page runs; what has been executed is not run again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
HOW_TO = sorted((ROOT / "docs/howto").glob("[!i]*.md"))
# What the lines of other pages begin with; the gallery is executed as the site is built.
BEFORE = {
    ROOT / "docs/format.md": """
from rnn_magics import *
corpus = Corpus.from_text("wells and time " * 90)
batches = make_batches(corpus, Vocab.from_corpus(corpus))
run = train(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1))
"""
}


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the language and the body of each block of a page, also one inside of a list."""
    text = path.read_text(encoding="utf-8")
    block = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for indent, language, body in block.findall(text):
        yield language, "\n".join(line.removeprefix(indent) for line in body.splitlines())


def test_every_page_with_lines_is_run_somewhere() -> None:
    with_lines = {path for path in (ROOT / "docs").rglob("*.md") if lines_of(path)}
    elsewhere = {"architecture", "index", "install"}  # tests/test_docs.py, the quickstart, `make`
    assert {p.stem for p in with_lines - {*HOW_TO, *BEFORE}} == elsewhere


def lines_of(path: Path) -> list[str]:
    return [body for language, body in blocks(path) if language in ("", "python")]


@pytest.mark.parametrize("path", [*HOW_TO, *BEFORE], ids=lambda path: path.stem)
def test_every_line_of_a_page_runs(path: Path, tmp_path: Path) -> None:
    cells = [BEFORE.get(path, ""), *lines_of(path)]
    assert len(cells) > 1
    runner = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "for cell in sys.stdin.read().split('\\0'):\n"
        "    shell.run_cell(cell).raise_error()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", runner],
        input="\0".join(cells),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "UsageError" not in done.stderr


def executed() -> Any:
    """Return the extension of the site that takes executed notebooks."""
    spec = spec_from_file_location("executed", ROOT / "docs/extensions/executed.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notebook_of(*codes: str, count: int | None = None, error: bool = False) -> Any:
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )  # type: ignore[no-untyped-call]
    for place, code in enumerate(codes):
        cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
        if count is not None:
            cell.execution_count = count + place
            cell.metadata["execution"] = {"iopub.status.idle": f"2026-11-30T12:00:0{place}Z"}
        if error:
            cell.outputs = [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])]  # type: ignore[no-untyped-call]
        made.cells.append(cell)
    return made


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # jupyter-cache leaves its database open
def test_a_notebook_that_has_been_executed_is_taken_for_its_code(tmp_path: Path) -> None:
    get_cache = pytest.importorskip("jupyter_cache").get_cache
    module, cache = executed(), tmp_path / "cache"
    kept = {
        "zh/good": notebook_of("1", "2", count=1),
        "failed": notebook_of("3", count=1, error=True),
        "not run": notebook_of("4"),
        "out of order": notebook_of("5", count=7),
    }
    for name, notebook in kept.items():
        path = tmp_path / "kept" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    taken = module.take(tmp_path / "kept", cache)
    assert [path.stem for path in taken] == ["good"]
    found = get_cache(str(cache))
    assert found.match_cache_notebook(notebook_of("1", "2")).uri.endswith("good.ipynb")
    for other in (notebook_of("1", "3"), *list(kept.values())[1:]):
        with pytest.raises(KeyError):
            found.match_cache_notebook(other)
