"""Files that appear complete or not at all.

The bytes are written to a temporary file in the same folder. Only when they have reached the disk
is the file renamed; until then an older file of that name stays in place.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rnn_magics import files
from rnn_magics.errors import StorageError
from rnn_magics.language import say

_PREFIX, _SUFFIX = ".rnn_magics-", ".tmp"
_BINARY = getattr(os, "O_BINARY", 0)
_FRESH_SECONDS = 60  # a younger temporary file may not be locked yet, or no longer
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def user_path(path: str | Path) -> Path:
    """Expand ``~`` in a path that a user typed.

    Raises
    ------
    StorageError
        When no file can exist at that path, see `rnn_magics.files.user_path`.
    """
    return files.user_path(path, StorageError)


def require_target(path: Path) -> Path:
    """Return the file that writing to a path would create or replace, following its links.

    Raises
    ------
    StorageError
        When the target exists and is not a regular file, or cannot be created.
    """
    with _one_line_errors(path, 0):
        target = Path(os.path.realpath(path))
        files.require_file(target)
        files.require_writable(target.parent)
        return target


def write(path: Path, data: bytes) -> None:
    """Write a file completely or not at all.

    A symbolic link is kept, and its target is written. An older file keeps its permissions. A
    folder, a pipe, a socket or a device is never replaced. Temporary files that a killed process
    left in the folder are removed.

    Raises
    ------
    StorageError
        When the file cannot be written; an older file is then unchanged.
    """
    target = require_target(path)
    with _one_line_errors(path, len(data)):
        sweep(target.parent)
        temporary = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        try:
            _write_to_disk(temporary, data, _mode_of(target))
            temporary.replace(target)
        except BaseException:  # also an interrupt
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)


def create(path: Path, data: bytes) -> bool:
    """Write a file unless that name is taken; of several processes that try, one succeeds.

    Returns
    -------
    bool
        Whether it was written.

    Raises
    ------
    StorageError
        When it cannot be written.
    """
    with _one_line_errors(path, len(data)):
        temporary = path.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        try:
            _write_to_disk(temporary, data, None)
            _link(temporary, path, data)
        except FileExistsError:
            return False
        finally:
            with suppress(OSError):
                temporary.unlink()
        return True


def _link(temporary: Path, path: Path, data: bytes) -> None:
    # A hard link never replaces an existing file, and its content is complete.
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: others may see the file incomplete
        _write_to_disk(path, data, None)


def append(path: Path, line: str) -> None:
    """Append a line to a file that only grows; after a line that was cut short, start a new one.

    Raises
    ------
    StorageError
        When it cannot be written.
    """
    data = line.encode() + b"\n"
    with _one_line_errors(path, len(data)), files.open_file(path, "a+b") as file:
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            data = data if file.read(1) == b"\n" else b"\n" + data
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    for left in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _FRESH_SECONDS and not _is_written(left):
                left.unlink()


def _write_to_disk(path: Path, data: bytes, mode: int | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        _lock(descriptor)
        if mode is not None:
            path.chmod(mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _lock(descriptor: int) -> None:
    # The lock lasts as long as the process lives and the file is open.
    if sys.platform != "win32":  # Windows never removes an open file
        import fcntl  # noqa: PLC0415  (not on Windows)

        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_written(temporary: Path) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl  # noqa: PLC0415  (not on Windows)

    with files.open_file(temporary) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _mode_of(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    # Writes the new name to the disk, too. Windows cannot open a folder.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # not supported by the file system
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _one_line_errors(path: Path, size: int) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = files.reason(error)
        if getattr(error, "errno", None) in _NO_ROOM:
            reason = say("{size:,.1f} MB do not fit ({reason})", size=size / 1e6, reason=reason)
        raise StorageError(
            say(
                "cannot write {path}: {reason}; nothing was changed",
                path=files.shown(path),
                reason=reason,
            )
        ) from None
