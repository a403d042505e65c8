"""Files that users name: opened without blocking, checked once open, refused in one line.

A name says little about what it leads to, and what it leads to may change. So every path is opened
without blocking, and the open file is then asked what it is: only a regular file is read or
written. A named pipe would block for ever, and ``/dev/zero`` would never end.
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
from rnn_magics.language import marked, say

_FLAGS = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY")  # do not block, inherit, or take over a terminal
_KINDS = {
    stat.S_IFDIR: marked("it is a folder, not a file"),
    stat.S_IFIFO: marked("it is a named pipe, not a file"),
    stat.S_IFSOCK: marked("it is a socket, not a file"),
    stat.S_IFCHR: marked("it is a device, not a file"),
    stat.S_IFBLK: marked("it is a device, not a file"),
}
_MOST_SHOWN = 120  # characters of a path in a message
GONE = marked("the working folder is not there any more; change to another with %cd DIR")
_REASONS = {
    errno.EACCES: marked("permission denied"),
    errno.EPERM: marked("permission denied"),
    errno.EROFS: marked("the file system is read-only"),
    errno.ELOOP: marked("its symbolic links lead in a circle"),
    errno.ENAMETOOLONG: marked("its name is too long for the file system"),
    errno.ENOENT: marked("there is no such file or folder"),
    errno.ENOTDIR: marked("part of the path is a file, not a folder"),
    errno.EISDIR: _KINDS[stat.S_IFDIR],
    errno.EEXIST: marked("a file of that name already exists"),
    errno.EAGAIN: marked("it has nothing to read yet"),
}


class NotAFileError(OSError):
    """A path was opened that is not a regular file."""


def open_file(path: str | Path, mode: str = "rb", encoding: str | None = None) -> IO[Any]:
    """Open a regular file.

    Parameters
    ----------
    path
        The file to open.
    mode, encoding
        As for `open`.

    Raises
    ------
    OSError
        When the path cannot be opened or is not a regular file. It is raised at once and never
        blocks.
    ValueError
        When no file can have that name.
    """
    return open(path, mode, encoding=encoding, opener=_opened)


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    OSError
        When it cannot be read, or is not a regular file.
    ValueError
        When no file can have that name.
    """
    with open_file(path) as file:
        data: bytes | None = file.read()
    if data is None:  # what a special file of the kernel returns instead of blocking
        raise BlockingIOError(errno.EAGAIN, "", str(path))
    return data


def require_file(path: Path) -> None:
    """Refuse a path that exists but is not a regular file.

    Raises
    ------
    OSError
        When it is not a regular file, or cannot be examined.
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
        if error.errno == errno.ENXIO:  # a socket, or a pipe that nobody reads from
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
        raise IsADirectoryError(errno.EISDIR, say(_KINDS[stat.S_IFDIR]), str(path))
    if not stat.S_ISREG(mode):
        what = say(_KINDS.get(stat.S_IFMT(mode), marked("it is not a file")))
        raise NotAFileError(errno.EINVAL, what, str(path))


def user_path(path: str | Path, kind: type[RNNMagicsError]) -> Path:
    """Expand ``~`` in a path that a user typed, and check it as `reachable` does.

    Raises
    ------
    RNNMagicsError
        Of the given kind, as for `reachable`; also when the path begins with the home folder of
        an unknown user.
    """
    try:
        expanded = Path(path).expanduser()
    except RuntimeError:
        raise kind(
            say(
                "{path}: this system has no user of that name; type the whole path",
                path=shown(path),
            )
        ) from None
    return reachable(expanded, kind)


def reachable(path: Path, kind: type[RNNMagicsError]) -> Path:
    """Return a path after checking that a file or folder exists, or could exist, there.

    Parameters
    ----------
    path
        A file or folder, which need not exist.
    kind
        The class of the error.

    Raises
    ------
    RNNMagicsError
        Of the given kind, when no file can have that name, its links lead in a circle,
        permission is denied, or it is relative to a working folder that was deleted.
    """
    with in_one_line(kind, shown(path)):
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
        if not path.is_absolute():
            os.getcwd()  # noqa: PTH109  (called for its error)
    return path


def require_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before any work is done for it.

    Faults that only an attempt to write reveals are left to that attempt.

    Raises
    ------
    OSError
        With the reason.
    """
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError as error:
        if _is_adrift(folder):
            raise
        words = say("the folder {folder} does not exist; create it first", folder=shown(folder))
        if folder.is_symlink():
            words = say("{folder} is a link that leads nowhere", folder=shown(folder))
        raise FileNotFoundError(errno.ENOENT, words, str(folder)) from error
    if not stat.S_ISDIR(mode):
        words = say("{folder} is not a folder", folder=shown(folder))
        raise NotADirectoryError(errno.ENOTDIR, words, str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
        raise OSError(number, os.strerror(number), str(folder))


def require_place_for_folder(path: Path) -> None:
    """Refuse a folder that cannot be created, or that exists and cannot be written to.

    Nothing is created.

    Raises
    ------
    OSError
        With the reason.
    ValueError
        When no folder can have that name.
    """
    there = path
    while not _exists(there) and there != there.parent:
        there = there.parent
    require_writable(there)
    # The file system of the nearest existing folder sets the limit on the length of a name.
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
    """Say in a few words why a path was refused: in ours if we have any, else in the system's."""
    if not isinstance(error, OSError):  # Python refuses the name before it asks the system
        return say("it holds a character that no name can hold")
    if isinstance(error, FileNotFoundError) and _is_adrift(error.filename):
        return say(GONE)
    said, number = error.strerror or "", error.errno or 0
    if said in ("", os.strerror(number)):  # any other text is already one of ours
        said = say(_REASONS[number]) if number in _REASONS else said
    return said or str(error) or type(error).__name__


@contextmanager
def in_one_line(kind: type[RNNMagicsError], doing: str, *awaited: type[OSError]) -> Iterator[None]:
    """Turn an error of the system about a path into one of ours.

    Parameters
    ----------
    kind
        The class of our error.
    doing
        How the message begins, e.g. ``cannot make 'runs'``.
    *awaited
        Errors that pass unchanged, because the caller handles them.

    Raises
    ------
    RNNMagicsError
        Of the given kind, with a message of one line.
    """
    passing: tuple[type[Exception], ...] = (RNNMagicsError, *awaited)
    try:
        yield
    except passing:
        raise
    except (OSError, ValueError) as error:
        raise kind(say("{doing}: {reason}", doing=doing, reason=reason(error))) from None


def shown(path: object) -> str:
    """Return a path for a message: quoted, on one line, and shortened if it is long."""
    text = str(path)
    half = _MOST_SHOWN // 2
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:half]}...{text[-half:]}")


def _is_adrift(path: str | Path | None) -> bool:
    # Whether a path means nothing because the working folder of this process was deleted.
    if path is not None and Path(path).is_absolute():
        return False
    try:
        os.getcwd()  # noqa: PTH109  (called for its error)
    except OSError:
        return True
    return False
