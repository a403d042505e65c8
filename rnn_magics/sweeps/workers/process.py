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
from typing import IO, Any

import torch

from rnn_magics.sweeps.events import TrialStep
from rnn_magics.sweeps.running import iter_trial
from rnn_magics.sweeps.trial import Trial
from rnn_magics.sweeps.workers.messages import (
    Asked,
    Begin,
    Ended,
    Stop,
    Told,
    Verdict,
    receive,
    send,
)
from rnn_magics.training.job import SECONDS_BETWEEN_STEPS_TOLD


class Desk:
    """The two pipes of a worker.

    Parameters
    ----------
    given, told
        What is read from, and written to.
    """

    def __init__(self, given: IO[bytes], told: IO[bytes]) -> None:
        self._given, self._told = given, told
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def listen(self) -> None:
        """Read messages until the sweep has ended, however it does; then end at once.

        Its folders are then free, and the trial goes on from its last checkpoint.
        """
        while (message := receive(self._given)) is not None:
            if isinstance(message, Stop):
                self._stopped.set()
            else:
                self._messages.put(message)
        os._exit(0)

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
                    send(self._told, Told(event))
        except Exception as error:  # noqa: BLE001  (raised in the sweep)
            words = str(error) or type(error).__name__
            send(self._told, Ended(trial, words))
        else:
            send(self._told, Ended(trial))

    def _judge(self, _trial: Trial, curve: dict[int, float]) -> bool:
        send(self._told, Asked(curve))
        answer: Verdict = self._messages.get()
        return answer.is_pruned


def main(threads: int) -> None:
    """Train trials, as the messages at the standard input say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep hears it, and says what to do
    torch.set_num_threads(threads)
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed is no message
    desk = Desk(sys.stdin.buffer, told)
    threading.Thread(target=desk.listen, daemon=True).start()
    desk.serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
