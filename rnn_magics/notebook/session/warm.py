"""Gets ready to train while a reader still looks at the text.

The first training of a process imports much of torch, which takes a second or more, and the first
one on a machine compiles a cell. Both begin when a text has been read.
"""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress
from functools import cache

_EXIT_PATIENCE_SECONDS = 10


@cache  # once a process
def warm_up() -> threading.Thread:
    """Import what training needs on a thread, and have missing cells compiled."""
    thread = threading.Thread(target=_prepare, name="warming", daemon=True)
    atexit.register(thread.join, _EXIT_PATIENCE_SECONDS)  # no thread may import while all ends
    thread.start()
    return thread


def _prepare() -> None:
    with suppress(Exception):  # whoever needs it will be told
        _import_and_compile()


def _import_and_compile() -> None:
    import torch  # noqa: PLC0415  (slow, which is why it is done here)

    from rnn_magics.models import fast  # noqa: PLC0415  (imports torch)

    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # imports the rest of torch
    if fast.is_available():
        from rnn_magics.models.engines import is_compiled  # noqa: PLC0415  (needs numba)
        from rnn_magics.models.fast.ahead import LIKELY, ahead  # noqa: PLC0415

        ahead().begin(cell for cell in LIKELY if not is_compiled(cell))
