"""One training at a time in a folder: it is claimed, and the claim says by whom.

Two files answer two questions. Whether the claimant lives: a lock of the operating system on
``claim.lock``, which goes with the process however that ends. Who it is: ``claim.json``. That one
is made in a step that succeeds for one only, so it also holds where locks do not reach, as
between machines that share a folder over a network without a lock service. There nobody can see
whether the other lives, and the claim stands until somebody deletes the file.
"""

from __future__ import annotations

import errno
import os
import platform
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from rnn_magics import files
from rnn_magics.errors import StorageError
from rnn_magics.storage import atomic
from rnn_magics.storage.strict import Fields, dumps, loads

LOCK, CLAIM = "claim.lock", "claim.json"
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)  # of a file system
_MOST = 1 << 12  # bytes of a claim
_LOOKS, _SECONDS_BETWEEN_LOOKS = 100, 0.01
_SAME_START = 5  # seconds by which the clock may be set meanwhile


@dataclass(frozen=True)
class Claimant:
    """Who trains in a folder.

    Parameters
    ----------
    host
        The name of the machine.
    boot
        Which start of the machine it is, the same in all its containers; empty where unknown.
    process
        Its number.
    started
        When the process began, in seconds: numbers are given again.
    since
        When it claimed the folder.
    """

    host: str
    boot: str
    process: int
    started: float
    since: str

    @classmethod
    def here(cls) -> Claimant:
        """Return this process."""
        now = datetime.now(UTC).isoformat(" ", "seconds")
        began = psutil.Process().create_time()
        return cls(platform.node(), _boot(), os.getpid(), began, now)

    @property
    def is_of_this_machine(self) -> bool:
        """Whether it is, or was before a restart, a process of this machine."""
        boot = _boot()
        return self.host == platform.node() or (boot != "" and self.boot == boot)

    @property
    def is_seen(self) -> bool:
        """Whether it is a living process that can be seen from here."""
        if not self.is_of_this_machine:
            return False
        try:
            began = psutil.Process(self.process).create_time()
        except (psutil.Error, ValueError, OverflowError):
            return False
        return abs(began - self.started) < _SAME_START

    def __str__(self) -> str:
        """Return its number, its machine, and since when."""
        mine = " (this one)" if self.process == os.getpid() and self.is_seen else ""
        return f"process {self.process}{mine} on {self.host!r}, since {self.since}"


class Claim:
    """A folder that this process alone trains in, until `release` or the end of the process.

    Parameters
    ----------
    folder
        Which is there.

    Raises
    ------
    StorageError
        When somebody else has it, or may have it; when it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        lock, is_locked = _locked(folder)
        path, text = folder / CLAIM, dumps(asdict(Claimant.here())).encode()
        # Not at the exit: whoever still trains then keeps the folder until the process is gone.
        self._release = weakref.finalize(self, _let_go, lock, path, text, os.getpid())
        self._release.atexit = False
        try:
            if os.path.lexists(path):
                _require_dead(folder, is_locked=is_locked)
                atomic.write(path, text)
            elif not atomic.create(path, text):
                _require_dead(folder, is_locked=False)  # made this moment, past the lock
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let others have the folder."""
        self._release()


@contextmanager
def released_on_error(claim: Claim) -> Iterator[Claim]:
    """Let a folder go when what stands within fails."""
    try:
        yield claim
    except BaseException:  # an interrupt as well
        claim.release()
        raise


def _locked(folder: Path) -> tuple[FileLock, bool]:
    lock = FileLock(folder / LOCK, timeout=0, thread_local=False)
    for _ in range(_LOOKS):
        try:
            lock.acquire()
        except Timeout:
            who = _claimant(folder)
            if who is not None and (who.is_seen or not who.is_of_this_machine):
                break
            # It has the lock and is about to say who it is; what stands there is of another.
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        except (OSError, NotImplementedError) as error:
            if not isinstance(error, OSError) or error.errno in _NO_LOCKS:
                return lock, False
            msg = f"cannot claim {str(folder)!r} for a training: {error.strerror or error}"
            raise StorageError(msg) from None
        else:
            return lock, True
    msg = (
        f"{str(folder)!r} is in use by {_claimant(folder) or 'another process'}: wait for the end"
        " of its training, or take another folder"
    )
    raise StorageError(msg)


def _require_dead(folder: Path, *, is_locked: bool) -> None:
    who = _claimant(folder)
    if who is not None and is_locked and who.is_of_this_machine and not who.is_seen:
        return  # it went without letting go
    msg = (
        f"{str(folder)!r} is claimed by {who or 'somebody who cannot be read'}, and whether that"
        f" still trains cannot be seen from here; if not, delete {str(folder / CLAIM)!r}"
    )
    raise StorageError(msg)


def _claimant(folder: Path) -> Claimant | None:
    try:
        with files.open_file(folder / CLAIM) as file:
            said = Fields(loads(file.read(_MOST).decode()), "the claim")
        since = datetime.fromisoformat(said.text("since")).isoformat(" ", "seconds")
        host, boot, number = said.text("host"), said.text("boot"), said.count("process")
        return Claimant(host, boot, number, said.seconds("started"), since)
    except (OSError, ValueError, StorageError):
        return None


def _let_go(lock: FileLock, path: Path, text: bytes, process: int) -> None:
    if os.getpid() != process:  # in a child, whose copy of the claim is none
        return
    # In this order: whoever gets the lock finds no claim. Only ours: the folder may have moved.
    with suppress(OSError), files.open_file(path) as file:
        if file.read(_MOST) == text:
            path.unlink()
    lock.release()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
