"""Files that users name: opened without waiting, looked at once open."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, Any


def open_file(path: str | Path, mode: str = "rb", encoding: str | None = None) -> IO[Any]:
    """Open a regular file.

    Raises
    ------
    OSError
        When it cannot be opened, or is no regular file; at once, whatever it is.
    """
    return open(path, mode, encoding=encoding, opener=_opened)


def _opened(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return descriptor
