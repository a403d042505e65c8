"""Messages of a page that are handled while a cell runs."""

from __future__ import annotations

from typing import Any


def hear_at_once(comm: Any) -> None:
    """Handle the messages of a comm while a cell runs, if the kernel can.

    Since ipykernel 7.4, a kernel routes the messages of a comm to the shell that opened it or sent
    last, which may be busy with a cell. JupyterLab sends them to a separate subshell; this keeps
    them there.
    """
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001
