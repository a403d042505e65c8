"""Several trials at once: worker processes, started anew, of which each has its share of the cores.

They are not forked, since a fork has no threads of torch, and hangs where CUDA was used. A worker
that is killed is replaced, and its trial goes on from its last checkpoint.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rnn_magics.batching import Batches
from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.sweeps.events import TrialEnd, TrialEvent
from rnn_magics.sweeps.running import Judge, Task
from rnn_magics.sweeps.trial import Trial
from rnn_magics.sweeps.workers.messages import (
    Asked,
    Begin,
    Ended,
    Stop,
    Told,
    Verdict,
    portable,
    receive,
    send,
)

_SECONDS_BETWEEN_LOOKS = 0.1
_MOST_DEATHS = 2  # of the workers of one trial
_PACKAGE = Path(__file__).parents[3]
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Message = Told | Asked | Ended | None


class Worker:
    """A process that trains trials.

    Parameters
    ----------
    batches
        The minibatches of the sweep.
    threads
        How many threads it may use.
    heard
        Takes what it says; None once it has ended.
    """

    def __init__(
        self, batches: Batches, threads: int, heard: Callable[[Worker, Message], None]
    ) -> None:
        paths = [str(_PACKAGE), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-m", "rnn_magics.sweeps.workers.process", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                **dict.fromkeys(_THREADS, str(threads)),
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            },
        )
        self._heard = heard
        self.task: Task | None = None
        self._tell(portable(batches))
        threading.Thread(target=self._listen, name="sweep-worker", daemon=True).start()

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    def begin(self, task: Task) -> None:
        """Train a trial."""
        self.task = task
        self._tell(Begin(task))

    def answer(self, *, is_pruned: bool) -> None:
        """Say whether the trial is to end early."""
        self._tell(Verdict(is_pruned))

    def stop(self) -> None:
        """Save the trial after its current step, and end it there."""
        self._tell(Stop())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _tell(self, message: object) -> None:
        with suppress(OSError):  # it has ended, which is heard
            if self._process.stdin is not None:
                send(self._process.stdin, message)

    def _listen(self) -> None:
        pipe = self._process.stdout
        message: Message = None
        with suppress(OSError, ValueError):
            while pipe is not None and (message := receive(pipe)) is not None:
                self._heard(self, message)
        self._heard(self, None)


class Pool:
    """Workers, and the trials that they have.

    Parameters
    ----------
    batches
        The minibatches of the sweep.
    number
        How many workers.
    judge
        Says whether a trial is to end early.
    """

    def __init__(self, batches: Batches, number: int, judge: Judge) -> None:
        self._batches, self._judge = batches, judge
        self._threads = max(_cores() // number, 1)
        self._heard: queue.SimpleQueue[tuple[Worker, Message]] = queue.SimpleQueue()
        self._workers = [self._worker() for _ in range(number)]
        self._deaths: Counter[int] = Counter()

    def _worker(self) -> Worker:
        return Worker(
            self._batches, self._threads, lambda worker, said: self._heard.put((worker, said))
        )

    @property
    def workers(self) -> list[Worker]:
        """The workers."""
        return self._workers

    @property
    def busy(self) -> list[Worker]:
        """Those that train."""
        return [worker for worker in self._workers if worker.task is not None]

    @property
    def has_room(self) -> bool:
        """Whether a worker is idle."""
        return len(self.busy) < len(self._workers)

    def begin(self, task: Task) -> None:
        """Let an idle worker train a trial."""
        worker = next(worker for worker in self._workers if worker.task is None)
        # It may have been killed while it had nothing to do, of which nobody was told.
        (worker if worker.is_alive else self._renewed(worker)).begin(task)

    def stop(self) -> None:
        """End all trials after their current steps."""
        for worker in self.busy:
            worker.stop()

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.close()

    def hear(self) -> Iterator[TrialEvent]:
        """Wait a moment for what workers say, and yield it as events.

        Raises
        ------
        TrainingError
            If an error ended a trial, or workers of the same trial keep dying.
        """
        try:
            worker, message = self._heard.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            return
        task = worker.task
        if task is None or worker not in self._workers:  # one that was replaced, or closed
            return
        match message:
            case Told():
                _take(task.trial, message.event.trial)
                yield replace(message.event, trial=task.trial)
            case Asked():
                worker.answer(is_pruned=self._judge(task.trial, message.curve))
            case Ended():
                worker.task = None
                _take(task.trial, message.trial)
                if message.error:
                    raise TrainingError(
                        say(
                            "trial {number}: {error}", number=task.trial.number, error=message.error
                        )
                    )
                yield TrialEnd(task.trial)
            case None:
                self._replace(worker, task)

    def _replace(self, worker: Worker, task: Task) -> None:
        # Its trial goes on from its last checkpoint.
        self._deaths[task.trial.number] += 1
        if self._deaths[task.trial.number] > _MOST_DEATHS:
            raise TrainingError(
                say(
                    "the worker of trial {number} was killed {deaths} times; is there enough"
                    " memory? go on with fewer --workers",
                    number=task.trial.number,
                    deaths=self._deaths[task.trial.number],
                )
            )
        self._renewed(worker).begin(task)

    def _renewed(self, worker: Worker) -> Worker:
        worker.close()
        fresh = self._worker()
        self._workers[self._workers.index(worker)] = fresh
        return fresh


def _take(trial: Trial, other: Trial) -> None:
    # The trial of the sweep becomes what its copy in the worker is.
    trial.__dict__.update(other.__dict__)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
