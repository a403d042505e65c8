"""Trainer: what runs on a machine of the cluster, and trains the trials that it is given."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnn_magics.batching import Batches
from rnn_magics.language import say
from rnn_magics.sweeps.workers.messages import Begin, Ended, Ready

_MOST_SECONDS_OF_SILENCE = 5.0


class Trainer:
    """An actor of Ray: a trial is trained on a thread, while messages come and go on others.

    Parameters
    ----------
    batches
        The minibatches of the sweep.
    threads
        How many threads it may use.
    """

    def __init__(self, batches: Batches, threads: int) -> None:
        import torch  # noqa: PLC0415  (on the machine that trains)

        from rnn_magics.sweeps.workers.process import Desk  # noqa: PLC0415  (has torch)

        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._desk = Desk(self._said.put)
        self._desk.take(batches)

        def serve() -> None:
            torch.set_num_threads(threads)  # of this thread
            self._desk.serve()

        threading.Thread(target=serve, name="rnn-trials", daemon=True).start()
        self._said.put(Ready())

    def take(self, message: Any) -> None:
        """Take a message of the sweep."""
        if isinstance(message, Begin) and not Path(message.task.trial.folder).parent.is_dir():
            trial = message.task.trial
            place = str(Path(trial.folder).parent)
            self._said.put(Ended(trial, not_shared(place, _host())))
            return
        self._desk.take(message)

    def hear(self) -> list[Any]:
        """Return what was said since, as soon as there is something; at times nothing."""
        said: list[Any] = []
        with suppress(queue.Empty):
            said.append(self._said.get(timeout=_MOST_SECONDS_OF_SILENCE))
            while True:
                said.append(self._said.get_nowait())
        return said


def not_shared(folder: str, host: str) -> str:
    """Return why a trial cannot be trained on a machine that does not see the sweep's folder."""
    return say(
        "machine {host} has no folder {folder}: the trials of a cluster are kept in one that all"
        " its machines share; name it with --folder",
        host=host,
        folder=folder,
    )


def _host() -> str:
    import platform  # noqa: PLC0415

    return platform.node()
