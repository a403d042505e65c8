"""Messages of a page, handled while a cell runs."""

from __future__ import annotations

from typing import Any


def hear_at_once(comm: Any) -> None:
    """Let the messages of a comm be handled while a cell runs, where the kernel can.

    Since ipykernel 7.4 those of a comm go to the shell that opened it, or that sent last, which may
    be one that waits. JupyterLab sends them by a subshell of their own: leave them there.
    """
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001
