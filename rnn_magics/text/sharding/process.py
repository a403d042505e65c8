"""A process that works on the shards that it is given, one after another.

python -m rnn_magics.text.sharding.process LANGUAGE
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import IO, Any

from rnn_magics.language import speak
from rnn_magics.text.sharding.executors import answered
from rnn_magics.text.sharding.pipes import own_pipes, receive, send


def _listen(given: IO[bytes], asked: queue.SimpleQueue[Any]) -> None:
    # Until the other process has ended, however it does; then this one ends at once.
    while (message := receive(given)) is not None:
        asked.put(message)
    os._exit(0)


def main(language: str) -> None:
    """Work on what the messages at the standard input ask for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process hears it, and ends this one
    speak(language)
    given, told = own_pipes()
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(given, asked), daemon=True).start()
    while True:
        send(told, answered(*asked.get()))


if __name__ == "__main__":
    main(sys.argv[1])
