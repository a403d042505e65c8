"""Gets ready to train while a reader still looks at the text.

The first training of a process imports torch and the dashboard and loads compiled functions, which
takes two seconds or more, and the first one on a machine compiles a cell. All of it begins when a
text has been read.
"""

from __future__ import annotations

import atexit
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

_EXIT_PATIENCE_SECONDS = 10


@cache  # once a process
def warm_up() -> threading.Thread:
    """Import and load what training needs on a thread, and have missing cells compiled."""
    thread = threading.Thread(target=_prepare, name="warming", daemon=True)
    atexit.register(thread.join, _EXIT_PATIENCE_SECONDS)  # no thread may import while all ends
    thread.start()
    return thread


def _prepare() -> None:
    with suppress(Exception), _collecting_later():  # whoever needs it will be told
        _import()
        _load_or_compile()
        import rnn_magics.plotting  # noqa: F401, PLC0415  (matplotlib, for when the run has ended)


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Let Python's garbage collector rest, unless it rests already.

    Modules are no garbage, and it would look through all that have been imported five times: 0.2
    of 1.0 seconds.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _import() -> None:
    import rnn_magics.notebook.live.dashboard  # noqa: PLC0415  (slow; imports torch)
    import rnn_magics.notebook.live.drive  # noqa: F401, PLC0415


def _load_or_compile() -> None:
    from rnn_magics.models import fast  # noqa: PLC0415  (imports torch)

    if not fast.is_available():
        return
    import torch  # noqa: PLC0415

    from rnn_magics.models.engines import compile_cell, is_compiled  # noqa: PLC0415  (needs numba)
    from rnn_magics.models.fast.ahead import LIKELY, ahead  # noqa: PLC0415
    from rnn_magics.models.forked import training_here  # noqa: PLC0415

    missing = [cell for cell in LIKELY if not is_compiled(cell)]
    ahead().begin(missing)
    if LIKELY[0] not in missing:
        with training_here():  # a process that is forked now would wait for numba's lock forever
            compile_cell(LIKELY[0], torch.float32)  # which loads what has been compiled
