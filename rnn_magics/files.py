"""Files that users name: opened without waiting, looked at once open, refused in one line.

A name says little about what it leads to, and what it leads to may change. So whatever is opened
is opened without waiting for anybody, and then the open file is asked what it is: only a regular
file is read or written. A named pipe would wait for ever, ``/dev/zero`` would never end.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rnn_magics.errors import RNNMagicsError

_FLAGS = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY")  # no waiting, no heirs, no terminal taken over
_KINDS = {
    stat.S_IFDIR: "it is a folder, not a file",
    stat.S_IFIFO: "it is a named pipe, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
}
_MOST_SHOWN = 120  # characters of a path in a message
GONE = "the working folder is not there any more; %cd DIR goes to another"
_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.ENAMETOOLONG: "its name is too long for the file system",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: _KINDS[stat.S_IFDIR],
    errno.EEXIST: "there is a file of that name",
    errno.EAGAIN: "it has nothing to read by now",
}


class NotAFileError(OSError):
    """What was opened is no regular file."""


def open_file(path: str | Path, mode: str = "rb", encoding: str | None = None) -> IO[Any]:
    """Open a regular file.

    Parameters
    ----------
    path
        Of the file.
    mode, encoding
        As for `open`.

    Raises
    ------
    OSError
        When it cannot be opened, or is no regular file; at once, whatever it is.
    ValueError
        When no file can have that name.
    """
    return open(path, mode, encoding=encoding, opener=_opened)


def read_bytes(path: str | Path) -> bytes:
    """Return what a regular file holds.

    Raises
    ------
    OSError
        When it cannot be read, or is no regular file.
    ValueError
        When no file can have that name.
    """
    with open_file(path) as file:
        data: bytes | None = file.read()
    if data is None:  # some files of the kernel's own say so when they would have to wait
        raise BlockingIOError(errno.EAGAIN, "", str(path))
    return data


def require_file(path: Path) -> None:
    """Refuse what is there and is no regular file.

    Raises
    ------
    OSError
        When it is none, or cannot be looked at.
    ValueError
        When no file can have that name.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    _require_regular(mode, path)


def _opened(path: str, flags: int) -> int:
    for flag in _FLAGS:
        flags |= getattr(os, flag, 0)  # Windows has none of them
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a pipe that nobody reads
            _require_regular(os.stat(path).st_mode, path)  # noqa: PTH116  (a name)
        raise
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(mode: int, path: str | Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, _KINDS[stat.S_IFDIR], str(path))
    if not stat.S_ISREG(mode):
        what = _KINDS.get(stat.S_IFMT(mode), "it is no file")
        raise NotAFileError(errno.EINVAL, what, str(path))


def user_path(path: str | Path, kind: type[RNNMagicsError]) -> Path:
    """Return a path as a user types it, ``~`` for the home folder; see `reachable`.

    Raises
    ------
    RNNMagicsError
        Of the given kind, as `reachable` does; and when the path begins with the home folder of
        somebody who is not known here.
    """
    try:
        expanded = Path(path).expanduser()
    except RuntimeError:
        msg = f"{shown(path)}: there is no such user here, so no such home folder"
        raise kind(msg) from None
    return reachable(expanded, kind)


def reachable(path: Path, kind: type[RNNMagicsError]) -> Path:
    """Return a path, once it has been found that something is, or could be, there.

    Parameters
    ----------
    path
        Of a file or folder, which need not be there.
    kind
        Of the error.

    Raises
    ------
    RNNMagicsError
        Of the given kind, when no file can have that name, its links lead in a circle, it may
        not be looked at, or it is relative to a working folder that is not there any more.
    """
    with in_one_line(kind, shown(path)):
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
        if not path.is_absolute():
            os.getcwd()  # noqa: PTH109  (asked for its error)
    return path


def require_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be made, before there is work for it.

    What only the attempt would tell is left to the attempt.

    Raises
    ------
    OSError
        Which says why.
    """
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError as error:
        if _is_adrift(folder):
            raise
        words = f"the folder {shown(folder)} is not there; make it first"
        if folder.is_symlink():
            words = f"{shown(folder)} is a link that leads nowhere"
        raise FileNotFoundError(errno.ENOENT, words, str(folder)) from error
    if not stat.S_ISDIR(mode):
        words = f"{shown(folder)} is no folder"
        raise NotADirectoryError(errno.ENOTDIR, words, str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
        raise OSError(number, os.strerror(number), str(folder))


def require_place_for_folder(path: Path) -> None:
    """Refuse a folder that is not there and cannot be made, or cannot be written to.

    Nothing is made.

    Raises
    ------
    OSError
        Which says why.
    ValueError
        When no folder can have that name.
    """
    there = path
    while not _exists(there) and there != there.parent:
        there = there.parent
    require_writable(there)
    # A name is measured where it would stand: in a folder that is not there, it is not.
    most = os.pathconf(there, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255
    if any(len(os.fsencode(name)) > most for name in path.relative_to(there).parts):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def reason(error: OSError | ValueError) -> str:
    """Say in a few words why a path was refused: ours where we have some, else the system's."""
    if not isinstance(error, OSError):  # of Python itself, before the system is asked
        return "it holds a character that no name can hold"
    if isinstance(error, FileNotFoundError) and _is_adrift(error.filename):
        return GONE
    said, number = error.strerror or "", error.errno or 0
    if said in ("", os.strerror(number)):  # what is no word of the system is one of ours
        said = _REASONS.get(number, said)
    return said or str(error) or type(error).__name__


@contextmanager
def in_one_line(kind: type[RNNMagicsError], doing: str, *awaited: type[OSError]) -> Iterator[None]:
    """Turn what the system says of a path into an error of ours.

    Parameters
    ----------
    kind
        Of the error.
    doing
        Begins the message, e.g. ``cannot make 'runs'``.
    *awaited
        Errors that pass as they are, for somebody waits for them.

    Raises
    ------
    RNNMagicsError
        Of the given kind, in one line.
    """
    passing: tuple[type[Exception], ...] = (RNNMagicsError, *awaited)
    try:
        yield
    except passing:
        raise
    except (OSError, ValueError) as error:
        msg = f"{doing}: {reason(error)}"
        raise kind(msg) from None


def shown(path: object) -> str:
    """Return a path for a message: quoted, on one line, and not longer than one can read."""
    text = str(path)
    half = _MOST_SHOWN // 2
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:half]}...{text[-half:]}")


def _is_adrift(path: str | Path | None) -> bool:
    # Whether a path means nothing because the folder in which the process works was removed.
    if path is not None and Path(path).is_absolute():
        return False
    try:
        os.getcwd()  # noqa: PTH109  (asked for its error)
    except OSError:
        return True
    return False
