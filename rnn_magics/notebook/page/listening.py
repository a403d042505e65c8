"""Handles the messages of a page while a cell waits for training.

A kernel handles the messages of its main shell one after another. Messages that a page sends while
a cell runs would wait for the end of the cell: clicks on the buttons of a view, and the questions
that a reloaded page asks before it shows any view. JupyterLab 4.4 sends widget messages to a
subshell of ipykernel 7, but only after the kernel has answered its info request; other pages never
do. So the waiting cell looks into the queue itself, handles these messages, and leaves all others
in order.
"""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import zmq
from IPython.core.interactiveshell import InteractiveShell

_COMMS = ("comm_open", "comm_msg", "comm_close")
_QUESTIONS = ("kernel_info_request", "comm_info_request")


class Hearing:
    """Handles the widget messages and the questions of a page that wait in a kernel's queue.

    Parameters
    ----------
    shell
        The shell of the kernel. Without a kernel, or with one whose queue differs from that of
        ipykernel 6 and 7, nothing is done.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        kernel = getattr(shell, "kernel", None)
        parts = ("comm_manager", "session", "_publish_status")
        has_all = all(getattr(kernel, name, None) is not None for name in parts)
        self._kernel: Any = kernel if has_all else None
        shells = getattr(kernel, "shell_channel_thread", None)
        self._manager: Any = None if shells is None else shells.manager
        self._owner = None if shells is None else shells.parent_thread

    def hear(self) -> None:
        """Handle what has arrived; call this on the thread of the cell."""
        if self._kernel is None:
            return
        if self._manager is not None:
            self._sort_stream()
        elif getattr(self._kernel, "msg_queue", None) is not None:
            self._sort_queue()

    def _sort_stream(self) -> None:
        # ipykernel 7: another thread reads the socket and passes on messages for the main shell.
        pair = getattr(self._manager, "_shell_channel_to_main", None)
        stream = getattr(pair, "to_stream", None)
        usual = getattr(stream, "_recv_callback", None)
        if stream is None or usual is None or threading.current_thread() is not self._owner:
            return
        answers = self._manager.get_subshell_to_shell_channel_socket(None)
        # The stream awaits what `usual` returns, in this order, after the cell has ended.
        stream.on_recv(
            lambda frames: None if self._handled(frames, answers) else usual(frames), copy=False
        )
        try:
            stream.flush(zmq.POLLIN)
        finally:
            stream.on_recv(usual, copy=False)

    def _sort_queue(self) -> None:
        # ipykernel 6: the socket is read on this thread, into a queue.
        kernel = self._kernel
        kernel.shell_stream.flush()
        others = []
        try:
            while kernel.msg_queue.qsize():
                entry = kernel.msg_queue.get_nowait()
                others.append(entry)
                _, _, arguments = entry
                is_message = len(arguments) == 1 and isinstance(arguments[0], list)
                if is_message and self._handled(arguments[0], kernel.shell_stream):
                    others.pop()
        finally:
            for entry in others:
                kernel.msg_queue.put_nowait(entry)

    def _handled(self, frames: list[Any], answers: Any) -> bool:
        kernel = self._kernel
        identities, parts = kernel.session.feed_identities(frames, copy=False)
        # A message can be deserialised only once, so look at its kind first.
        kind = kernel.session.unpack(parts[1].bytes).get("msg_type")
        if kind not in (*_COMMS, *_QUESTIONS):
            return False
        message = kernel.session.deserialize(parts, content=True, copy=False)
        if kind in _COMMS:
            getattr(kernel.comm_manager, kind)(answers, identities, message)
        else:
            _finish(getattr(kernel, kind)(answers, identities, message))
        # A page considers a message done only after "idle"; then the cell is busy again.
        kernel._publish_status("idle", "shell", message)  # noqa: SLF001
        kernel._publish_status("busy", "shell")  # noqa: SLF001
        return True


def _finish(answering: Coroutine[Any, None, None]) -> None:
    # These coroutines await nothing, so a single step completes them.
    with suppress(StopIteration):
        answering.send(None)
    answering.close()
