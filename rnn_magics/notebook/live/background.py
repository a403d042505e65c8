"""Work that goes on when a run is over: drawing it again with its baselines."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

_EXIT_PATIENCE_SECONDS = 10


def finish_later(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Do some work on a thread of its own that the end of the interpreter waits for.

    A thread that is drawing when the interpreter goes would take the whole process down with an
    abort, since its C++ code cannot be unwound.

    Parameters
    ----------
    work
        What to do.
    name
        Of the thread.

    Returns
    -------
    threading.Thread or None
        None where the interpreter is already leaving; nothing is done then.
    """
    if not threading.main_thread().is_alive():  # it ends before what `atexit` calls
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
