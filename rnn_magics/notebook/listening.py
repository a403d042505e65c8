"""Hearing the buttons of a view while a cell waits, on kernels that handle one message at a time.

Since version 7 of ipykernel JupyterLab sends the messages of widgets by a subshell, which answers
while a cell runs. Version 6 has none: what a button says waits in the kernel's queue until the
cell has ended. There the waiting cell looks into the queue itself, takes the messages of widgets
out of it, and leaves everything else as it was.
"""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

_COMM = "comm_msg"


class Hearing:
    """Handles the messages of widgets that wait in a kernel's queue.

    Parameters
    ----------
    shell
        Whose kernel is listened to; of any other than version 6, and without one, nothing is
        done.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        kernel = getattr(shell, "kernel", None)
        parts = ("msg_queue", "shell_stream", "comm_manager", "session")
        has_queue = all(getattr(kernel, name, None) is not None for name in parts)
        has_subshells = getattr(kernel, "_supports_kernel_subshells", False)
        self._kernel: Any = kernel if has_queue and not has_subshells else None

    def hear(self) -> None:
        """Handle what has arrived; to be called on the thread of the cell."""
        kernel = self._kernel
        if kernel is None:
            return
        kernel.shell_stream.flush()  # from the socket into the queue
        others = []
        while kernel.msg_queue.qsize():
            entry = kernel.msg_queue.get_nowait()
            if not self._handled(entry):
                others.append(entry)
        for entry in others:
            kernel.msg_queue.put_nowait(entry)

    def _handled(self, entry: Any) -> bool:
        _, _, arguments = entry
        if len(arguments) != 1 or not isinstance(arguments[0], list):
            return False
        session = self._kernel.session
        identities, frames = session.feed_identities(arguments[0], copy=False)
        # A message may be read whole only once, so its kind is looked at first.
        header = session.unpack(frames[1].bytes)
        if header.get("msg_type") != _COMM:
            return False
        message = session.deserialize(frames, content=True, copy=False)
        self._kernel.comm_manager.comm_msg(self._kernel.shell_stream, identities, message)
        return True
