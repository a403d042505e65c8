"""A team on a Ray cluster: workers that are actors, on whichever machine has room for one.

The folder of the sweep is on storage that all machines share: a trial that was begun on one goes on
from its checkpoint on another. What a worker says is asked for, a few times a second at most.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnn_magics.batching import Batches
from rnn_magics.cluster.connection import Connection, connect
from rnn_magics.cluster.machines import ask_each, machines
from rnn_magics.errors import ConfigError, StorageError, TrainingError
from rnn_magics.language import say, say_number
from rnn_magics.storage import atomic
from rnn_magics.storage.claim import forget_dead
from rnn_magics.sweeps.cluster.actor import Trainer, not_shared
from rnn_magics.sweeps.running import Judge, Task
from rnn_magics.sweeps.workers import worker
from rnn_magics.sweeps.workers.messages import Begin, portable
from rnn_magics.sweeps.workers.pool import Pool
from rnn_magics.sweeps.workers.worker import Heard
from rnn_magics.text.sharding.pipes import THREADS

_MOST_SECONDS_TO_LOOK = 60.0
_MOST_SECONDS_TO_HEAR = 10.0  # that it was killed
_CALLS_AT_ONCE = 4  # of an actor: one hears, the others take messages


@dataclass(frozen=True)
class Team:
    """How many workers a cluster gives a sweep, and how many CPUs each of them has.

    Parameters
    ----------
    connection
        The cluster.
    number, cpus
        The workers, and the CPUs of each.
    """

    connection: Connection
    number: int
    cpus: int

    def pool(self, batches: Batches, judge: Judge) -> Pool:
        """Return the workers, which begin as soon as there is room for them."""
        ray = self.connection.ray
        given = ray.put(portable(batches))
        return Pool(batches, self.number, judge, lambda heard: Actor(ray, given, self.cpus, heard))


@contextmanager
def gather(
    address: str, workers: int | None, folder: Path, most: int | None = None
) -> Iterator[Team]:
    """Work with a team on a cluster within this context.

    Parameters
    ----------
    address
        ``host:port`` of its head, or ``auto``.
    workers
        How many trials are trained at once; by default one for each CPU.
    folder
        The folder of the sweep, which may not exist yet.
    most
        How many trials there are; no more workers are made unless `workers` says so.

    Raises
    ------
    ConfigError
        If Ray is not installed, nobody answers, or there are fewer CPUs than workers.
    TrainingError
        If versions differ, or a machine does not share the folder.
    """
    with connect(address, flag="--cluster") as connection:
        offered = max(_cpus(connection.ray), default=0), connection.num_cpus
        number = workers or min(connection.num_cpus, most or connection.num_cpus)
        if number < 1 or number > connection.num_cpus:
            raise ConfigError(
                say_number(
                    connection.num_cpus,
                    "the cluster has {number} CPU, and so many workers at most",
                    "the cluster has {number} CPUs, and so many workers at most",
                )
            )
        require_shared(connection.ray, folder)
        largest, together = offered
        yield Team(connection, number, max(min(together // number, largest), 1))


def _cpus(ray: Any) -> list[int]:
    return [int(node["Resources"].get("CPU", 0)) for node in machines(ray)]


def require_shared(ray: Any, folder: Path) -> None:
    """Check that each machine sees what is written where the sweep is kept.

    Parameters
    ----------
    ray
        The connected module.
    folder
        The folder of the sweep, which may not exist yet; then the nearest one above it is tried.

    Raises
    ------
    TrainingError
        Naming the first machine that does not.
    StorageError
        If nothing can be written there.
    """
    there = folder.absolute()
    while not there.is_dir():
        there = there.parent
    mark = there / f".rnn-magics-{uuid.uuid4().hex}"
    try:
        atomic.write(mark, b"")
    except OSError as error:
        raise StorageError(
            say("cannot write to {folder!r}: {error}", folder=str(there), error=error.strerror)
        ) from None
    try:
        _ask_all(ray, mark)
    finally:
        with suppress(OSError):
            mark.unlink()


def _ask_all(ray: Any, mark: Path) -> None:
    training = [machine for machine in machines(ray) if machine["Resources"].get("CPU", 0)]
    try:
        answers = ask_each(ray, training, _question(), str(mark), seconds=_MOST_SECONDS_TO_LOOK)
    except ray.exceptions.GetTimeoutError:
        raise TrainingError(say("not all machines of the cluster answer")) from None
    for machine, sees_it in answers:
        if not sees_it:
            raise TrainingError(not_shared(str(mark.parent), machine["NodeManagerAddress"]))


def _question() -> Callable[[str], bool]:
    # A function in a function travels as it is.
    def sees(path: str) -> bool:
        from pathlib import Path  # noqa: PLC0415

        return Path(path).exists()

    return sees


class Actor(worker.Worker):
    """A worker on the cluster. It is ready once Ray has found room for it.

    Parameters
    ----------
    ray
        The connected module.
    batches
        The minibatches of the sweep, in Ray's store.
    cpus
        How many CPUs it has.
    heard
        Takes what it says.
    """

    def __init__(self, ray: Any, batches: Any, cpus: int, heard: Heard) -> None:
        super().__init__(heard)
        self.is_ready = False
        self._ray, self._is_alive = ray, True
        threads = dict.fromkeys(THREADS, str(cpus))
        made = ray.remote(num_cpus=cpus, max_restarts=0, max_concurrency=_CALLS_AT_ONCE)(Trainer)
        self._actor = made.options(runtime_env={"env_vars": threads}).remote(batches, cpus)
        self._listener = threading.Thread(target=self._listen, name="sweep-actor", daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Whether nobody has said that it has ended."""
        return self._is_alive

    def begin(self, task: Task) -> None:
        """Train a trial, as soon as it is ready."""
        folder = Path(task.trial.folder)
        if self.is_ready and folder.is_dir():
            # Whoever trained in it was a worker of this sweep, and has ended.
            forget_dead(folder)
        super().begin(task)

    def close(self) -> None:
        """End it."""
        self._is_alive = False
        with suppress(Exception):  # Ray may be gone
            self._ray.kill(self._actor)
        # A call of it after the sweep has left the cluster would start another Ray.
        self._listener.join(_MOST_SECONDS_TO_HEAR)

    def _tell(self, message: object) -> None:
        if isinstance(message, Begin):  # the working folder is another one there
            trial = message.task.trial
            there = replace(trial, folder=str(Path(trial.folder).absolute()))
            message = Begin(replace(message.task, trial=there))
        with suppress(self._ray.exceptions.RayError):  # it has ended, which is heard
            self._actor.take.remote(message)

    def _listen(self) -> None:
        try:
            while self._is_alive:
                for message in self._ray.get(self._actor.hear.remote()):
                    self._heard(self, message)
        except Exception:  # noqa: BLE001  (whatever it is, this worker is heard no more)
            self._is_alive = False
        self._heard(self, None)
