"""What `make release-check` looks for is found where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import release_check
from tools.release_check import (
    LESSONS,
    MOST_BYTES,
    CheckError,
    asked_for,
    lowest,
    missing_lessons,
    said,
    strays_of_sdist,
    strays_of_wheel,
    too_large,
)

ROOT = Path(__file__).parents[1]
WHEEL = [
    "rnn_magics/__init__.py",
    "rnn_magics/py.typed",
    "rnn_magics-0.2.0.data/data/share/jupyter/labextensions/rnn-magics/package.json",
    "rnn_magics-0.2.0.data/data/share/jupyter/labextensions/rnn-magics/lessons/figures/gates.svg",
    "rnn_magics-0.2.0.dist-info/licenses/LICENSE",
]


def test_a_file_that_is_neither_tracked_nor_built_is_found() -> None:
    tracked = {"README.md", "rnn_magics/__init__.py"}
    names = [*tracked, "PKG-INFO", "rnn_magics/handout/static/page.js"]
    assert strays_of_sdist(names, tracked) == []
    assert strays_of_sdist([*names, "rnn_magics/notes.txt"], tracked) == ["rnn_magics/notes.txt"]


@pytest.mark.parametrize(
    "stray",
    [
        "tests/test_it.py",
        "rnn_magics/models/fast/__pycache__/tile.py",
        "rnn_magics/models/fast/tile.nbi",
        "rnn_magics/.DS_Store.py",
        "rnn_magics/notebook/notes.txt",
    ],
)
def test_a_file_that_is_no_part_of_a_wheel_is_found(stray: str) -> None:
    assert strays_of_wheel([*WHEEL, stray]) == [stray]


def test_what_is_too_large_is_found() -> None:
    assert too_large({"a.whl": MOST_BYTES}) == []
    assert too_large({"a.whl": MOST_BYTES + 1}) == ["a.whl: 1,500,001 bytes, more than 1,500,000"]


def test_the_launcher_asks_for_the_examples() -> None:
    assert asked_for() == {
        path.name for path in (ROOT / "examples").iterdir() if path.suffix in (".ipynb", ".py")
    }


def test_a_lesson_that_is_not_shipped_is_found() -> None:
    shipped = [f"rnn_magics-0.2.0.data/data/{LESSONS}/{name}" for name in asked_for()]
    assert missing_lessons(shipped) == set()
    assert missing_lessons(shipped[1:]) == {shipped[0].rpartition("/")[2]}


def test_the_lowest_versions_are_the_bounds() -> None:
    assert lowest(["numpy>=1.26", "ipykernel>=6.29,!=7.0.*", "torch>=2.10"]) == [
        "numpy==1.26",
        "ipykernel==6.29",
    ]


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(CheckError, match="No module named"):
        said([release_check.sys.executable, "-m", "no_such_module_here"])


def test_without_a_python_nothing_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(release_check.pythons(["python-of-nobody"])) == []
    assert capsys.readouterr().out == "  python-of-nobody: not on this machine\n"


def test_a_python_that_pyenv_keeps_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "versions" / "0.1.2" / "bin" / "python0.1"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(release_check.sys.executable)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    version = ".".join(map(str, release_check.sys.version_info[:3]))
    assert list(release_check.pythons(["python0.1"])) == [(version, str(kept))]
    assert capsys.readouterr().out == ""
