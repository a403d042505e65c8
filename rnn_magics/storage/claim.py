"""A folder is used by one training at a time: the training claims it, and the claim says who it is.

Two files answer two questions. Is the claimant alive? ``claim.lock`` has a lock of the operating
system, which ends with the process, however that ends. Who is it? ``claim.json`` says so. It is
created in a step that succeeds for one process only, so it also works where locks do not: between
machines that share a folder over a network without a lock service. There nobody can see whether the
other process lives, and the claim stands until somebody deletes the file.
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
from rnn_magics.language import marked, say
from rnn_magics.storage import atomic
from rnn_magics.storage.strict import Fields, dumps, loads

LOCK, CLAIM = "claim.lock", "claim.json"
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)  # of a file system
_MOST = 1 << 12  # bytes of a claim
_LOOKS, _SECONDS_BETWEEN_LOOKS = 100, 0.01
_SAME_START = 5  # seconds by which the clock may have been adjusted since


@dataclass(frozen=True)
class Claimant:
    """The process that trains in a folder.

    Parameters
    ----------
    host
        The name of the machine.
    boot
        Identifies the boot of the machine, the same in all its containers; empty if unknown.
    process
        The number of the process.
    started
        When the process began, in seconds, since the system reuses numbers.
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
        """Whether it is a process of this machine, or was one before a restart."""
        boot = _boot()
        return self.host == platform.node() or (boot != "" and self.boot == boot)

    @property
    def is_seen(self) -> bool:
        """Whether it is alive and visible from this process."""
        if not self.is_of_this_machine:
            return False
        try:
            process = psutil.Process(self.process)
            began, status = process.create_time(), process.status()
        except (psutil.Error, ValueError, OverflowError):
            return False
        has_ended = status in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return not has_ended and abs(began - self.started) < _SAME_START

    def __str__(self) -> str:
        """Return its number, its machine, and the time of the claim."""
        text = (
            marked("process {process} (this one) on {host!r}, since {since}")
            if self.process == os.getpid() and self.is_seen
            else marked("process {process} on {host!r}, since {since}")
        )
        return say(text, process=self.process, host=self.host, since=self.since)


class Claim:
    """The right to train in a folder, until `release` or the end of the process.

    Parameters
    ----------
    folder
        The folder, which must exist.

    Raises
    ------
    StorageError
        When another process uses the folder or may use it, or it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        lock, is_locked = _locked(folder)
        path, text = folder / CLAIM, dumps(asdict(Claimant.here())).encode()
        # Not at exit: a thread that still trains keeps the folder until the process has ended.
        self._release = weakref.finalize(self, _let_go, lock, path, text, os.getpid())
        self._release.atexit = False
        try:
            if os.path.lexists(path):
                _require_dead(folder, is_locked=is_locked)
                atomic.write(path, text)
            elif not atomic.create(path, text):
                _require_dead(folder, is_locked=False)  # created just now, in spite of the lock
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give up the folder, so that others can use it."""
        self._release()


def forget_dead(folder: Path) -> None:
    """Delete the claim of a process that is known to have ended, although on another machine.

    That of a living process of this machine stays. Call it only where somebody else, such as the
    cluster that ran the process, says that it has ended.
    """
    who = _claimant(folder)
    if who is not None and not who.is_seen:
        for name in (CLAIM, LOCK):  # a lock of a machine that is gone may stay, too
            with suppress(OSError):
                (folder / name).unlink()


@contextmanager
def released_on_error(claim: Claim) -> Iterator[Claim]:
    """Release a folder if the body fails."""
    try:
        yield claim
    except BaseException:  # also an interrupt
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
            # The process with the lock has not yet written its claim; the file is an older one.
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        except (OSError, NotImplementedError) as error:
            if not isinstance(error, OSError) or error.errno in _NO_LOCKS:
                return lock, False
            raise StorageError(
                say(
                    "cannot lock {folder!r} for a training: {error}; keep the run in another"
                    " folder",
                    folder=str(folder),
                    error=error.strerror or error,
                )
            ) from None
        else:
            return lock, True
    raise StorageError(
        say(
            "{folder!r} is in use by {who}; wait until its training ends, or use another folder",
            folder=str(folder),
            who=_claimant(folder) or say("another process"),
        )
    )


def _require_dead(folder: Path, *, is_locked: bool) -> None:
    for _ in range(_LOOKS):
        who = _claimant(folder)
        if who is None or not is_locked or not who.is_of_this_machine:
            break
        if not who.is_seen:
            return  # it ended without a release
        # Its lock is free. A process that ends loses its files first, and is seen a while longer.
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    raise StorageError(
        say(
            "{folder!r} is claimed by {who}, and it cannot be seen from here whether that is still"
            " training; if it is not, delete {claim!r}",
            folder=str(folder),
            who=who or say("an unknown process"),
            claim=str(folder / CLAIM),
        )
    )


def _claimant(folder: Path) -> Claimant | None:
    try:
        with files.open_file(folder / CLAIM) as file:
            said = Fields(loads(file.read(_MOST).decode()), say("the claim"))
        since = datetime.fromisoformat(said.text("since")).isoformat(" ", "seconds")
        host, boot, number = said.text("host"), said.text("boot"), said.count("process")
        return Claimant(host, boot, number, said.seconds("started"), since)
    except (OSError, ValueError, StorageError):
        return None


def _let_go(lock: FileLock, path: Path, text: bytes, process: int) -> None:
    if os.getpid() != process:  # in a forked child, which does not own the claim
        return
    # In this order, so that the next owner of the lock finds no claim. The content is compared,
    # since the folder may have been replaced.
    with suppress(OSError), files.open_file(path) as file:
        if file.read(_MOST) == text:
            path.unlink()
    lock.release()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
