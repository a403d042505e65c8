"""Several trials at once, in workers: by default processes that share the cores of this machine.

They are not forked, since a fork has no threads of torch, and hangs where CUDA was used. A worker
that is killed is replaced, and its trial goes on from its last checkpoint.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from rnn_magics.batching import Batches
from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.sweeps.events import TrialEnd, TrialEvent
from rnn_magics.sweeps.running import Judge, Task
from rnn_magics.sweeps.trial import Trial
from rnn_magics.sweeps.workers import worker
from rnn_magics.sweeps.workers.messages import (
    Asked,
    Ended,
    Ready,
    Told,
    portable,
)
from rnn_magics.sweeps.workers.worker import Heard, Message
from rnn_magics.text.sharding.pipes import python_process, receive, send

_SECONDS_BETWEEN_LOOKS = 0.1
_MOST_DEATHS = 2  # of the workers of one trial
Hire = Callable[[Heard], worker.Worker]
"""Makes a worker."""


class Worker(worker.Worker):
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

    def __init__(self, batches: Batches, threads: int, heard: Heard) -> None:
        super().__init__(heard)
        module = "rnn_magics.sweeps.workers.process"
        self._process = python_process(module, str(threads), threads=threads)
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
    hire
        Makes a worker; by default a process, with its share of the cores.
    """

    def __init__(
        self, batches: Batches, number: int, judge: Judge, hire: Hire | None = None
    ) -> None:
        threads = max(_cores() // number, 1)
        self._hire = hire or (lambda heard: Worker(batches, threads, heard))
        self._judge, self._is_paused = judge, False
        self._heard: queue.SimpleQueue[tuple[worker.Worker, Message]] = queue.SimpleQueue()
        self._deaths: Counter[int] = Counter()
        self._workers = [self._worker() for _ in range(number)]

    def _worker(self) -> worker.Worker:
        made = self._hire(lambda one, said: self._heard.put((one, said)))
        if self._is_paused:
            made.hold(is_paused=True)
        return made

    @property
    def workers(self) -> list[worker.Worker]:
        """The workers."""
        return self._workers

    @property
    def busy(self) -> list[worker.Worker]:
        """Those that train."""
        return [worker for worker in self._workers if worker.task is not None]

    @property
    def has_room(self) -> bool:
        """Whether a worker is idle."""
        return len(self.busy) < len(self._workers)

    def begin(self, task: Task) -> None:
        """Let an idle worker train a trial, one that is ready if there is one."""
        idle = min((w for w in self._workers if w.task is None), key=lambda w: not w.is_ready)
        # It may have been killed while it had nothing to do, of which nobody was told.
        (idle if idle.is_alive else self._renewed(idle)).begin(task)

    def hold(self, is_paused: bool) -> None:  # noqa: FBT001  (its name says it)
        """Let all trials wait after their current steps, or go on."""
        if is_paused != self._is_paused:
            self._is_paused = is_paused
            for each in self._workers:
                each.hold(is_paused=is_paused)

    def stop(self) -> None:
        """End all trials after their current steps."""
        for each in self.busy:
            each.stop()

    def close(self) -> None:
        """End all processes."""
        for each in self._workers:
            each.close()

    def hear(self) -> Iterator[TrialEvent]:
        """Wait a moment for what workers say, and yield it as events.

        Raises
        ------
        TrainingError
            If an error ended a trial, or workers of the same trial keep dying.
        """
        self._hand_over()
        try:
            one, message = self._heard.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            return
        if one not in self._workers:  # it was replaced, or closed
            return
        if isinstance(message, Ready):
            self._begin_waiting(one)
            return
        if (task := one.task) is None:
            return
        match message:
            case Told():
                _take(task.trial, message.event.trial)
                yield replace(message.event, trial=task.trial)
            case Asked():
                one.answer(is_pruned=self._judge(task.trial, message.curve))
            case Ended():
                one.task = None
                _take(task.trial, message.trial)
                if message.error:
                    raise TrainingError(
                        say(
                            "trial {number}: {error}", number=task.trial.number, error=message.error
                        )
                    )
                yield TrialEnd(task.trial)
            case None:
                self._replace(one, task)

    def _begin_waiting(self, one: worker.Worker) -> None:
        one.is_ready = True
        if self._is_paused:
            one.hold(is_paused=True)
        if one.task is not None:
            one.begin(one.task)

    def _hand_over(self) -> None:
        # Where one cannot begin, for example for want of a machine, others take its trial.
        for late in [each for each in self.busy if not each.is_ready]:
            free = (w for w in self._workers if w.task is None and w.is_ready and w.is_alive)
            if (other := next(free, None)) is None or late.task is None:
                return
            task, late.task = late.task, None
            other.begin(task)

    def _replace(self, one: worker.Worker, task: Task) -> None:
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
        self._renewed(one).begin(task)

    def _renewed(self, one: worker.Worker) -> worker.Worker:
        one.close()
        fresh = self._worker()
        self._workers[self._workers.index(one)] = fresh
        return fresh


def _take(trial: Trial, other: Trial) -> None:
    # The trial of the sweep becomes what its copy in the worker is, which may have another working
    # folder.
    trial.__dict__.update({**other.__dict__, "folder": trial.folder})


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
