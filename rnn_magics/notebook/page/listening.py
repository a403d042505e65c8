"""Hearing a page while a cell waits for a training.

A kernel handles the messages of its main shell one after the other. What a page sends while a cell
runs would wait until the cell has ended: the buttons of a view, and the questions that a page asks
before it shows any view when it was loaded anew. JupyterLab 4.4 sends the messages of widgets by a
subshell of ipykernel 7, but only once the kernel has told about itself; other pages never do. So
the waiting cell looks into the queue itself, handles such messages, and leaves everything else in
its order.
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
    """Handles the messages of widgets that wait in a kernel's queue, and says what a page asks.

    Parameters
    ----------
    shell
        Whose kernel is listened to; without one, or with one that keeps its queue elsewhere than
        ipykernel 6 and 7 do, nothing is done.
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
        """Handle what has arrived; to be called on the thread of the cell."""
        if self._kernel is None:
            return
        if self._manager is not None:
            self._sort_stream()
        elif getattr(self._kernel, "msg_queue", None) is not None:
            self._sort_queue()

    def _sort_stream(self) -> None:
        # ipykernel 7: another thread reads the socket and hands over what is for the main shell.
        pair = getattr(self._manager, "_shell_channel_to_main", None)
        stream = getattr(pair, "to_stream", None)
        usual = getattr(stream, "_recv_callback", None)
        if stream is None or usual is None or threading.current_thread() is not self._owner:
            return
        answers = self._manager.get_subshell_to_shell_channel_socket(None)
        # What `usual` returns is awaited by the stream, when the cell has ended and in this order.
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
        # A message may be read whole only once, so its kind is looked at first.
        kind = kernel.session.unpack(parts[1].bytes).get("msg_type")
        if kind not in (*_COMMS, *_QUESTIONS):
            return False
        message = kernel.session.deserialize(parts, content=True, copy=False)
        if kind in _COMMS:
            getattr(kernel.comm_manager, kind)(answers, identities, message)
        else:
            _finish(getattr(kernel, kind)(answers, identities, message))
        # A page waits for "idle" before it takes a message as done; the cell is still at work.
        kernel._publish_status("idle", "shell", message)  # noqa: SLF001
        kernel._publish_status("busy", "shell")  # noqa: SLF001
        return True


def _finish(answering: Coroutine[Any, None, None]) -> None:
    # These answers await nothing, so one step is the whole of them.
    with suppress(StopIteration):
        answering.send(None)
    answering.close()
