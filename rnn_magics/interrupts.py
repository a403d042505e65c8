"""Interrupts wait until an import has ended; imports that were cut short are begun again.

Python cannot undo half an import. When an interrupt ends one, the package is gone from
`sys.modules` but its submodules stay, and the next import finds them and fails. So an interrupt
that arrives in the middle of an import waits until the import ends. The signal handler recognises
an import by its frames on the stack, so no list of imports is needed.
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

_IMPORT = "<frozen importlib._bootstrap>"  # the file name of every frame that imports
_COMPILER = "numba"  # its frames are on the stack only while it compiles
_SECONDS_BETWEEN_TRIES = 0.02


@contextmanager
def whole_imports() -> Iterator[None]:
    """Hold an interrupt while the body imports or compiles, and raise it right after.

    Also works as a decorator. Imports that were cut short earlier are forgotten first. Outside the
    main thread, where no interrupt arrives, the body simply runs.
    """
    usual = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(usual) or isinstance(usual, _Waiting):
        yield
        return
    waiting = _Waiting(usual, sys._getframe(2))  # noqa: SLF001  (the caller, past contextlib)
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
    """Return the packages of which only submodules are loaded: their import was cut short."""
    parents = {name.rpartition(".")[0] for name in list(sys.modules)}
    return sorted(parents - {""} - sys.modules.keys())


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an error is an interrupt, or was raised while one was being handled."""
    return error is not None and (
        isinstance(error, KeyboardInterrupt) or is_interrupt(error.__context__)
    )


def half_import_behind(error: BaseException) -> str:
    """Return the package of `half_imports` that caused an error; an empty string if none did."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    seen = {str(frame.f_globals.get("__name__")).partition(".")[0] for frame in frames}
    seen |= set(re.findall(r"\w+", str(error)))
    return next((package for package in half_imports() if package.partition(".")[0] in seen), "")


def forget_half_imports() -> None:
    """Forget packages whose import was cut short, so that the next import starts over.

    A package with extension modules is left alone: these cannot be loaded twice.
    """
    if half_imports():
        time.sleep(_SECONDS_BETWEEN_TRIES)  # another thread may be about to finish one
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
    # A signal handler. It sends an interrupt that it holds again until no import is in the way.

    def __init__(self, usual: Callable[[int, FrameType | None], Any], outside: FrameType) -> None:
        self._usual, self._outside = usual, outside
        self._came = False
        self._lock = threading.RLock()  # so that one interrupt is raised once

    def __call__(self, number: int, frame: FrameType | None) -> None:
        with self._lock:
            came_before, self._came = self._came, self._must_wait(frame)
        if not self._came:
            self._usual(number, frame)
        elif not came_before:
            # Not `threading.Thread`: the interrupted code may hold its locks.
            _thread.start_new_thread(self._send_again, ())

    def end(self) -> bool:
        """Stop sending; return whether an interrupt is still held."""
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
    # A signal to the thread also ends a blocking wait; some systems have no such signals.
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
