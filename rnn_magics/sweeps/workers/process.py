"""A worker process: it trains the trials that it is given, one after another.

python -m rnn_magics.sweeps.workers.process THREADS
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any

import torch

from rnn_magics.sweeps.events import TrialStep
from rnn_magics.sweeps.running import iter_trial
from rnn_magics.sweeps.trial import Trial
from rnn_magics.sweeps.workers.messages import (
    Asked,
    Begin,
    Ended,
    Hold,
    Stop,
    Told,
    Verdict,
)
from rnn_magics.text.sharding.pipes import own_pipes, receive, send
from rnn_magics.training.job import SECONDS_BETWEEN_STEPS_TOLD


class Desk:
    """Where a worker trains: what it is told comes here, and what it says goes from here.

    Parameters
    ----------
    tell
        Takes what it says.
    """

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self._tell = tell
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stopped, self._goes_on = threading.Event(), threading.Event()
        self._goes_on.set()

    def take(self, message: Any) -> None:
        """Take a message, on another thread than the one that serves."""
        match message:
            case Stop():
                self._stopped.set()
                self._goes_on.set()
            case Hold(is_paused=True):
                self._goes_on.clear()
            case Hold():
                self._goes_on.set()
            case _:
                self._messages.put(message)

    def serve(self) -> None:
        """Train what is asked for, as long as this process lives."""
        batches = self._messages.get()
        while True:
            message = self._messages.get()
            if isinstance(message, Begin):
                self._stopped.clear()
                self._train(message, batches)

    def _train(self, message: Begin, batches: Any) -> None:
        trial, told = message.task.trial, 0.0
        try:
            for event in iter_trial(message.task, batches, self._judge, self._stopped.is_set):
                now = time.monotonic()
                if not isinstance(event, TrialStep) or now - told >= SECONDS_BETWEEN_STEPS_TOLD:
                    told = now
                    self._tell(Told(event))
                self._goes_on.wait()
        except Exception as error:  # noqa: BLE001  (raised in the sweep)
            words = str(error) or type(error).__name__
            self._tell(Ended(trial, words))
        else:
            self._tell(Ended(trial))

    def _judge(self, _trial: Trial, curve: dict[int, float]) -> bool:
        self._tell(Asked(curve))
        answer: Verdict = self._messages.get()
        return answer.is_pruned


def listen(given: IO[bytes], desk: Desk) -> None:
    """Read messages until the sweep has ended, however it does; then end this process at once.

    Its folders are then free, and the trial goes on from its last checkpoint.
    """
    while (message := receive(given)) is not None:
        desk.take(message)
    os._exit(0)


def main(threads: int) -> None:
    """Train trials, as the messages at the standard input say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep hears it, and says what to do
    torch.set_num_threads(threads)
    given, told = own_pipes()
    desk = Desk(lambda message: send(told, message))
    threading.Thread(target=listen, args=(given, desk), daemon=True).start()
    desk.serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
