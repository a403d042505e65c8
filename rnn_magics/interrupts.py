"""Interrupts that wait until an import has ended, and imports that somebody else's cut short.

Python cannot undo half an import. Where an interrupt ends one, the package is gone from
`sys.modules` while its submodules stay, and the next import of it finds them and fails. So an
interrupt that arrives in the middle of an import waits for its end. The signal handler tells by the
stack, so no list says what is imported, where, or by whom.
"""

from __future__ import annotations

import _thread
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader
from types import FrameType, ModuleType
from typing import Any

_IMPORT = "<frozen importlib._bootstrap>"  # the file of every frame that imports
_COMPILER = "numba"  # has frames on the stack only while it compiles
_SECONDS_BETWEEN_TRIES = 0.02


@contextmanager
def whole_imports() -> Iterator[None]:
    """Let an interrupt wait while the body imports or compiles; it strikes right after.

    Also a decorator. Imports that were cut short before are forgotten first. Outside of the main
    thread, where no interrupt arrives, the body just runs.
    """
    usual = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(usual) or isinstance(usual, _Waiting):
        yield
        return
    waiting = _Waiting(usual, sys._getframe(2))  # noqa: SLF001  (whose body it is, past contextlib)
    try:
        signal.signal(signal.SIGINT, waiting)
        forget_half_imports()
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is waiting:
            signal.signal(signal.SIGINT, usual)
        came = waiting.end()
    if came:
        raise KeyboardInterrupt


def half_imports() -> list[str]:
    """Return the packages of which only submodules are there: their import ended half-way."""
    parents = {name.rpartition(".")[0] for name in list(sys.modules)}
    return sorted(parents - {""} - sys.modules.keys())


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an error is an interrupt, or one has become it: a `finally` that it found unready."""
    return error is not None and (
        isinstance(error, KeyboardInterrupt) or is_interrupt(error.__context__)
    )


def half_import_behind(error: BaseException) -> str:
    """Return the package of `half_imports` that an error comes from; empty where it is none."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    seen = {str(frame.f_globals.get("__name__")).partition(".")[0] for frame in frames}
    seen |= set(re.findall(r"\w+", str(error)))
    return next((package for package in half_imports() if package.partition(".")[0] in seen), "")


def forget_half_imports() -> None:
    """Make the next import of a package that was cut short begin anew.

    One with extension modules is left alone: these cannot be loaded twice.
    """
    if half_imports():
        time.sleep(_SECONDS_BETWEEN_TRIES)  # another thread may just be putting one in its place
    for package in half_imports():
        parts = {
            name: module for name, module in list(sys.modules.items()) if _is_in(name, package)
        }
        if not any(_is_extension(module) for module in parts.values()):
            for name in parts:
                sys.modules.pop(name, None)


def _is_in(name: str, package: str) -> bool:
    return name.startswith(f"{package}.")


def _is_extension(module: ModuleType) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and isinstance(spec.loader, ExtensionFileLoader)


class _Waiting:
    # A signal handler. What it holds back is sent again until no import is in the way.

    def __init__(self, usual: Callable[[int, FrameType | None], Any], outside: FrameType) -> None:
        self._usual, self._outside = usual, outside
        self._came = False
        self._lock = threading.RLock()  # so that one interrupt strikes once

    def __call__(self, number: int, frame: FrameType | None) -> None:
        with self._lock:
            came_before, self._came = self._came, self._must_wait(frame)
        if not self._came:
            self._usual(number, frame)
        elif not came_before:
            # Not `threading.Thread`, whose locks the interrupted code may hold.
            _thread.start_new_thread(self._send_again, ())

    def end(self) -> bool:
        """Send nothing more; return whether an interrupt is still held."""
        with self._lock:
            came, self._came = self._came, False
        return came

    def _must_wait(self, frame: FrameType | None) -> bool:
        while frame is not None and frame is not self._outside:
            package = str(frame.f_globals.get("__name__")).partition(".")[0]
            if frame.f_code.co_filename == _IMPORT or package == _COMPILER:
                return True
            frame = frame.f_back
        return False

    def _send_again(self) -> None:
        while True:
            time.sleep(_SECONDS_BETWEEN_TRIES)
            with self._lock:
                if not self._came:
                    return
                _interrupt_main()


def _interrupt_main() -> None:
    # A signal also ends a wait of the main thread, where the system has signals for threads.
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
