"""Paths that mean no good, given to every magic that takes one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.storage import model_file
from rnn_magics.training import loop
from tests import hostile_paths

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

ROOT = Path(__file__).parents[2]
MINUTES = 10  # until what hangs in spite of all is killed
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files as Linux has them")


@pytest.fixture(scope="module")
def attempts() -> list[tuple[str, str, bool, str]]:
    """What came of every attempt; of those that a hang cut off, nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_paths"],
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


@pytest.mark.parametrize("kind", hostile_paths.PATHS)
def test_a_path_ends_in_an_answer_or_in_one_line(
    attempts: list[tuple[str, str, bool, str]], kind: str
) -> None:
    of_kind = {line: (held, said) for its, line, held, said in attempts if its == kind}
    assert set(of_kind) >= set(hostile_paths.lines())
    assert {line: said for line, (held, said) in of_kind.items() if not held} == {}


def test_every_line_without_a_path_was_tried_in_a_folder_that_is_gone(
    attempts: list[tuple[str, str, bool, str]],
) -> None:
    tried = {line for kind, line, *_ in attempts if kind == "a working folder that was deleted"}
    assert tried >= set(hostile_paths.UNTYPED)


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        ("a named pipe", "%corpus $path", "'pipe' cannot be read: it is a named pipe, not a file"),
        ("a named pipe", "%evaluate_rnn $path", "it is a named pipe, not a file"),
        ("a named pipe", "%save_rnn $path --force", "cannot write 'pipe': it is a named pipe"),
        ("a named pipe", "%rnn code kept $path", "cannot write 'pipe': it is a named pipe"),
        ("a link to a pipe", "%load_rnn $path", "it is a named pipe, not a file"),
        ("a device", "%corpus $path", "it is a device, not a file"),
        ("a device", "%save_rnn $path --force", "it is a device, not a file"),
        ("a socket", "%corpus $path", "it is a socket, not a file"),
        ("a socket", "%save_rnn $path --force", "it is a socket, not a file"),
        ("a folder", "%rnn code kept $path", "it is a folder, not a file"),
        ("a name of 300 letters", "%save_rnn $path", "its name is too long for the file system"),
        ("a name of 300 letters", "%rnn runs $path", "its name is too long for the file system"),
        ("a name with a NUL", "%load_rnn $path", r"'a\x00b': it holds a character that no name"),
        ("a link to itself", "%load_rnn $path", "its symbolic links lead in a circle"),
        ("below a file", "%save_rnn $path", "part of the path is a file, not a folder"),
        ("a link into no folder", "%save_rnn $path", "does not exist; create it first"),
        ("a folder that may not be entered", "%load_rnn $path", "permission denied"),
        ("a working folder that was deleted", "%save_rnn", "the working folder is not there any"),
        ("a working folder that was deleted", "%corpus $path", "the working folder is not there"),
        ("a model with a hole of a terabyte", "%load_rnn $path", "it is damaged: it should have "),
        ("a run whose epochs are pipes", "%load_rnn $path --epoch 1", "it is a named pipe"),
    ],
)
def test_the_line_says_what_is_there(
    attempts: list[tuple[str, str, bool, str]], kind: str, line: str, said: str
) -> None:
    found = [words for its, its_line, _, words in attempts if (its, its_line) == (kind, line)]
    assert found
    assert said in found[0]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("nothing", "%save_rnn $path"),
        ("a folder", "%save_rnn $path"),
        ("a link to nothing", "%save_rnn $path"),
        ("a link to a folder", "%save_rnn $path"),
        ("nothing", "%rnn code kept $path"),
        ("a run whose history is a pipe", "%rnn runs $path"),
        ("a working folder that was deleted", "%corpus --max-tokens 5000"),
    ],
)
def test_what_can_be_done_is_done(
    attempts: list[tuple[str, str, bool, str]], kind: str, line: str
) -> None:
    said = [words for its, its_line, _, words in attempts if (its, its_line) == (kind, line)]
    assert said
    assert set(said) == {"answer"}


def test_a_new_argument_is_attacked_unless_it_takes_no_path() -> None:
    arguments = {(magic, action.dest) for magic, action in hostile_paths.word_arguments()}
    assert arguments >= hostile_paths.WORDS
    assert set(hostile_paths.LINES) <= arguments - hostile_paths.WORDS
    magics = {line.split()[0][1:] for line in hostile_paths.lines()}
    assert magics >= {magic for magic, _ in arguments - hostile_paths.WORDS}


BAD = ["x" * 300, "nowhere/" + "x" * 300, "a\0b", "file/run", "link", "link/run"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "file").write_text("a text")
    (tmp_path / "link").symlink_to("link")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def never(*_: Any, **__: Any) -> None:
    msg = "work has begun"
    raise AssertionError(msg)


@pytest.mark.parametrize("path", BAD)
def test_the_folder_of_a_run_is_looked_at_before_a_model_is_made(
    prepared: Notebook, folder: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(loop, "begin", never)
    prepared.variables["path"] = path
    before = sorted(folder.iterdir())
    said = prepared.refused("%train_rnn --checkpoint $path")
    # A control character keeps it from being a name at all, whatever path it would be.
    assert (r"\x00" if "\0" in path else path[:9]) in said
    assert sorted(folder.iterdir()) == before
    with pytest.raises(AssertionError, match="work has begun"):
        prepared.run("%train_rnn --checkpoint good")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("path", [*BAD, "file"])
def test_the_place_of_a_model_is_looked_at_before_it_is_packed(
    trained: Notebook, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(model_file, "packed", never)
    trained.variables["path"] = path
    assert path[:9].replace("\0", r"\x00") in trained.refused("%save_rnn $path")
    with pytest.raises(AssertionError, match="work has begun"):
        trained.run("%save_rnn good")


def test_what_the_system_refuses_is_one_line_wherever_it_does(
    trained: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(30, "Read-only file system", "a\nb")

    monkeypatch.setattr(type(trained.session), "require_run", refuse)
    assert trained.refused("%generate the") == (
        r"the operating system refused %generate ('a\nb'): the file system is read-only"
    )
