"""A file is the older one or the newer one, whatever happens."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.errors import StorageError
from rnn_magics.storage import atomic


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write(path, b"one")
    atomic.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["file"]


def test_the_permissions_of_a_new_file_are_those_of_any(tmp_path: Path) -> None:
    atomic.write(tmp_path / "ours", b"")
    (tmp_path / "any").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o444])
def test_the_permissions_of_an_older_file_stay(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    atomic.write(path, b"two")
    assert path.stat().st_mode & 0o777 == mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "target", tmp_path / "link"
    link.symlink_to(target)
    atomic.write(link, b"one")  # it points to nothing yet
    atomic.write(link, b"two")
    assert link.is_symlink()
    assert target.read_bytes() == b"two"
    assert names(tmp_path / "there") == ["target"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_what_breaks_off_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def broken(*_args: Any) -> None:
        raise error

    path = tmp_path / "file"
    atomic.write(path, b"one")
    if step == "replace":
        monkeypatch.setattr(Path, "replace", broken)
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", broken)
    else:
        monkeypatch.setattr(atomic, "_lock", broken)
    with pytest.raises((StorageError, KeyboardInterrupt)) as caught:
        atomic.write(path, b"two")
    if isinstance(caught.value, StorageError):
        assert "MB do not fit (No space left on device); nothing was changed" in str(caught.value)
    monkeypatch.undo()
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["file"]


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    old, fresh, other = (
        tmp_path / name for name in (".rnn_magics-0a.tmp", ".rnn_magics-0b.tmp", ".other-0c.tmp")
    )
    for left in (old, fresh, other):
        left.touch()
    for left in (old, other):
        os.utime(left, (0, 0))
    atomic.write(path, b"one")
    assert names(tmp_path) == [".other-0c.tmp", ".rnn_magics-0b.tmp", "file"]


@pytest.mark.skipif(sys.platform == "win32", reason="nobody can remove an open file there")
def test_what_another_process_is_writing_is_not_swept(tmp_path: Path) -> None:
    written = tmp_path / ".rnn_magics-0a.tmp"
    program = (
        "import os, sys; from rnn_magics.storage import atomic;"
        f"d = os.open({str(written)!r}, os.O_CREAT | os.O_WRONLY); atomic._lock(d);"
        f"os.utime({str(written)!r}, (0, 0)); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        atomic.sweep(tmp_path)
        assert written.exists()
        other.kill()
    atomic.sweep(tmp_path)
    assert not written.exists()


@pytest.mark.parametrize("name", ["nowhere/file", "x" * 300, "a\x00b"])
def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot write") as caught:
        atomic.write(tmp_path / name, b"")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        atomic.write(tmp_path / "folder", b"")
    assert names(tmp_path) == ["folder"]


def test_lines_are_added_behind_what_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    atomic.append(path, "one")
    atomic.append(path, "two")
    with path.open("a") as file:
        file.write("thr")
    atomic.append(path, "four")
    assert path.read_text() == "one\ntwo\nthr\nfour\n"
