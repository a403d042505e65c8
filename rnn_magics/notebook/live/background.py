"""Work after the end of a run: drawing it again with its baselines."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

_EXIT_PATIENCE_SECONDS = 10


def finish_later(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Do some work on a new thread, and let the interpreter wait for it before it exits.

    Otherwise, a thread that is drawing when the interpreter exits would abort the process, since
    its C++ code cannot be unwound.

    Parameters
    ----------
    work
        The work to do.
    name
        The name of the thread.

    Returns
    -------
    threading.Thread or None
        None if the interpreter is already exiting; then nothing is done.
    """
    if not threading.main_thread().is_alive():  # it ends before the calls of `atexit`
        return None

    def finish() -> None:
        try:
            work()
        finally:
            atexit.unregister(thread.join)

    thread = threading.Thread(target=finish, name=name, daemon=True)
    atexit.register(thread.join, _EXIT_PATIENCE_SECONDS)
    thread.start()
    return thread
