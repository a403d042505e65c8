"""Files that users name: opened at once whatever they are, and only regular files."""

from __future__ import annotations

import os
import re
import socket
import stat
import sys
from pathlib import Path

import pytest

from rnn_magics import files
from rnn_magics.errors import ConfigError, CorpusError, StorageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files as POSIX has them")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with one of each kind in it."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"\r\nwords")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
    Path("loop").symlink_to("loop")
    Path("to-file").symlink_to("file")
    Path("to-pipe").symlink_to("pipe")
    Path("to-nothing").symlink_to("nothing")
    return tmp_path


REFUSED = {
    "pipe": "it is a named pipe, not a file",
    "to-pipe": "it is a named pipe, not a file",
    "socket": "it is a socket, not a file",
    "folder": "it is a folder, not a file",
    "/dev/zero": "it is a device, not a file",
}
UNREACHABLE = {
    "loop": "its symbolic links lead in a circle",
    "loop/file": "its symbolic links lead in a circle",
    "x" * 300: "its name is too long for the file system",
    "a\0b": "it holds a character that no name can hold",
    "a\ud800b": "it holds a character that no name can hold",
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("mode", ["rb", "r+b", "a+b"])
@pytest.mark.parametrize("path", [*REFUSED, *UNREACHABLE])
def test_only_a_regular_file_is_opened(path: str, mode: str) -> None:
    said = {**REFUSED, **UNREACHABLE}[path]
    with (
        pytest.raises(StorageError, match=f"^no: {re.escape(said)}$"),
        files.in_one_line(StorageError, "no"),
        files.open_file(path, mode),
    ):
        pass


@pytest.mark.usefixtures("folder")
def test_a_pipe_that_somebody_writes_to_is_refused_as_well() -> None:
    ours = os.open("pipe", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(ours, b"text")
        for mode in ("rb", "wb"):
            with pytest.raises(files.NotAFileError):
                files.open_file("pipe", mode)
        assert os.read(ours, 9) == b"text"
    finally:
        os.close(ours)


@pytest.mark.usefixtures("folder")
def test_what_is_refused_does_not_stay_open() -> None:
    there = len(list(Path("/dev/fd").iterdir()))
    for path in REFUSED:
        with pytest.raises(OSError, match=r"it is a .*, not a file"):
            files.open_file(path)
    assert len(list(Path("/dev/fd").iterdir())) == there


@pytest.mark.usefixtures("folder")
def test_a_file_is_read_and_written_as_ever() -> None:
    assert files.read_bytes("file") == files.read_bytes("to-file") == b"\r\nwords"
    with files.open_file("file", "r", "ascii") as file:
        assert file.read() == "\nwords"
        assert not os.get_inheritable(file.fileno())
    with files.open_file("new", "a+b") as file:
        file.write(b"line")
    assert files.read_bytes("new") == b"line"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(Path("new").stat().st_mode) == 0o666 & ~umask


@pytest.mark.usefixtures("folder")
def test_a_path_is_expanded_and_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path.cwd()))
    assert files.user_path("~/file", StorageError) == Path.cwd() / "file"
    for path in ("nothing", "to-nothing", "file/below", "nowhere/file", *REFUSED):
        assert files.user_path(path, StorageError) == Path(path)
    for path, said in UNREACHABLE.items():
        with pytest.raises(CorpusError, match=re.escape(said)):
            files.user_path(path, CorpusError)


def test_a_working_folder_that_was_deleted_is_called_so(folder: Path) -> None:
    os.chdir("folder")
    Path(folder / "folder").rmdir()
    for path in ("file", ".", "below/file"):
        with pytest.raises(StorageError, match="the working folder is not there any more"):
            files.require_writable(files.user_path(path, StorageError))
    assert files.user_path(folder / "file", StorageError) == folder / "file"
    with pytest.raises(StorageError, match="there is no such file or folder"):  # noqa: SIM117
        with files.in_one_line(StorageError, "no"):
            files.read_bytes(folder / "nothing")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("path", ["folder", "new", "new/er/run", "folder/run"])
def test_a_folder_that_can_be_made_is_not_made(path: str) -> None:
    there = sorted(Path().rglob("*"))
    files.require_place_for_folder(Path(path))
    assert sorted(Path().rglob("*")) == there


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("file", "'file' is not a folder"),
        ("file/run", "'file' is not a folder"),
        ("pipe", "'pipe' is not a folder"),
        ("to-nothing", "'to-nothing' is a link that leads nowhere"),
        ("to-nothing/run", "'to-nothing' is a link that leads nowhere"),
        ("new/" + "x" * 300, "its name is too long for the file system"),
        ("/proc/run", "the file system is read-only|permission denied"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused(
    path: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path.startswith("/"):  # root may write anywhere, or so it is told
        monkeypatch.setattr(os, "access", lambda *_: False)
    with (
        pytest.raises(StorageError, match=f"^no: ({said})$"),
        files.in_one_line(StorageError, "no"),
    ):
        files.require_place_for_folder(Path(path))


def test_errors_of_ours_pass_and_others_are_named() -> None:
    with pytest.raises(ConfigError, match=r"^mine$"), files.in_one_line(StorageError, "no"):
        raise ConfigError("mine")  # noqa: EM101  (also a ValueError)
    for error, said in [
        (PermissionError(13, os.strerror(13), "x"), "no: permission denied"),
        (OSError(5, os.strerror(5)), "no: Input/output error"),
        (OSError("odd"), "no: odd"),
        (OSError(), "no: OSError"),
    ]:
        with pytest.raises(StorageError) as caught, files.in_one_line(StorageError, "no"):
            raise error
        assert str(caught.value) == said


def test_a_long_path_is_shown_short() -> None:
    assert files.shown("a\nb") == r"'a\nb'"
    assert len(files.shown("x" * 5000)) < 150
