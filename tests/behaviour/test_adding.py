"""Adding something: CONTRIBUTING.md is followed to the letter, in a notebook and in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.behaviour.added import ADDED, Added, assert_known
from tests.recipes import ROOT, Block, recipes

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

IN_A_NOTEBOOK = [section for section in ADDED if section != "A magic"]  # IPython registers those


def module_of(file: str) -> Any:
    return import_module(file.removesuffix(".py").replace("/", "."))


def register(notebook: Notebook, blocks: list[Block]) -> None:
    """Do what a reader does in cells: write what the blocks write, and assign the entries."""
    (line,) = (block for block in blocks if block.how == "in")
    scope = {**vars(module_of(line.file)), "__name__": "__main__"}
    for block in blocks:
        if block is not line and not block.text.startswith("from rnn_magics.inspection.views."):
            exec(compile(block.text, "a cell", "exec", dont_inherit=True), scope)
    mine = {name: thing for name, thing in scope.items() if is_of_a_cell(thing)}
    notebook.variables.update(mine)
    vars(module_of(line.file))[line.place].update(eval(f"{{{line.text}}}", scope))


def is_of_a_cell(thing: Any) -> bool:
    return getattr(thing, "__module__", "") == "__main__"


@pytest.mark.parametrize("section", IN_A_NOTEBOOK)
def test_what_a_notebook_registers_is_known(trained: Notebook, section: str) -> None:
    register(trained, recipes()[section])
    assert_known(trained, ADDED[section])


def test_the_words_of_a_view_without_a_drawing_are_shown(
    trained: Notebook, shown: list[dict[str, Any]]
) -> None:
    register(trained, recipes()["A view of a model"])
    trained.run("%config RNNMagics.figures = True")
    trained.run("%config RNNMagics.live = True")
    trace = trained.run('%inspect_rnn norms "the time"')
    assert shown == []
    assert trained.rich(trace)["text/plain"].startswith("norms: 8 tokens\n't' ")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, its tests and its documents, with every recipe followed."""
    copy = tmp_path_factory.mktemp("copy")
    unwanted = shutil.ignore_patterns("node_modules", "lib", ".yarn", "images")
    for name in ("rnn_magics", "tests", "labextension", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
    for path in (*ROOT.glob("*.md"), ROOT / "pyproject.toml"):
        shutil.copy(path, copy)
    for block in (block for blocks in recipes().values() for block in blocks):
        block.apply(copy)
    return copy


def run_in(copy: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(copy), *sys.path[1:]])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_a_copy_of_the_package_has_is_known(copy: Path) -> None:
    said = run_in(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/behaviour/added.py")
    assert f"{len(ADDED) + 1} passed" in said


def test_the_tests_of_all_entries_take_in_what_was_added(copy: Path) -> None:
    # Each of these files tests every entry by itself, or that there is a line for each.
    files = ("magics/test_inspect_rnn.py", "panel/test_forms.py", "test_extension.py")
    where = ["tests/contract", "tests/behaviour/test_explain_all.py"]
    where += [f"tests/notebook/{file}" for file in files]
    names = [added.name.removeprefix("%") for added in ADDED.values()]
    which = " or ".join([*names, "test_every_magic_is_here", "test_there_is_a_line"])
    said = run_in(copy, "pytest", "-q", "-p", "no:cacheprovider", *where, "-k", which)
    passed = re.search(r"(\d+) passed", said)
    assert passed
    assert int(passed[1]) >= len(ADDED)


def test_the_house_holds_with_what_was_added(copy: Path) -> None:
    rules = "floor or arrows or dozen or 400 or import_each_other or as_they_are_declared"
    run_in(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_house.py", "-k", rules)


def test_what_the_document_shows_is_formatted_and_linted(copy: Path) -> None:
    files = sorted(
        {b.file for blocks in recipes().values() for b in blocks if b.file[-3:] == ".py"}
    )
    run_in(copy, "ruff", "check", "--no-cache", *files)
    run_in(copy, "ruff", "format", "--no-cache", "--check", *files)


def test_a_recipe_without_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("CELLS = {\n}\n")
    Block("a.py", "in", "CELLS", '    "mine": 1,\n').apply(tmp_path)
    assert (tmp_path / "a.py").read_text() == 'CELLS = {\n    "mine": 1,\n}\n'
    with pytest.raises(AssertionError, match=r"a.py has no line that begins with 'OTHERS'"):
        Block("a.py", "in", "OTHERS", "").apply(tmp_path)
    with pytest.raises(AssertionError, match=r"a.py is there already"):
        Block("a.py", "", "", "").apply(tmp_path)


def test_what_is_not_registered_is_not_known(trained: Notebook) -> None:
    with pytest.raises(AssertionError):
        assert_known(trained, Added("mgu", "%train_rnn --cell mgu --epochs 1", "cell", (), "Run"))
