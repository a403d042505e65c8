"""Workers: one run that several processes train together, on this machine or on a cluster."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnn_magics.cluster.connection import Connection, connect, cores, place_of, quiet, ray_or
from rnn_magics.cluster.hub import Hub
from rnn_magics.cluster.rank import Beginning, work
from rnn_magics.cluster.update import Update
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.language import language, say, say_number
from rnn_magics.options import AT_LEAST_ONE, Options, Spelling, option
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.loop import Listener, StopReason, train_to_end
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.shared import Orders, require_rows

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_END = 20.0
_MOST_RESTARTS = 3
_DAYS = 24 * 3600
_TIMEOUT = 30 * _DAYS  # a pause may be long; a worker that is gone is noticed at once


@dataclass(frozen=True, repr=False)
class Workers(Options):
    """Which processes train a run together: ``train(..., drive=Workers(2))``.

    Each has a copy of the model and reads its own rows of every minibatch. Their gradients are
    averaged over all rows, then clipped and applied in each alike. So the run is that of one
    process with the same minibatches, but for the order in which numbers are added.
    """

    number: int | None = option(
        None,
        "train one run with N processes, each with its own rows of every minibatch",
        within=AT_LEAST_ONE,
        spelling=Spelling("--workers", metavar="N"),
        label="Workers",
    )
    cluster: str | None = option(
        None,
        "with --workers: the Ray cluster on which they run; by default this machine alone",
        spelling=Spelling(metavar="HOST:PORT|auto"),
        label="Cluster",
    )

    @property
    def has_effect(self) -> bool:
        """Whether another process is asked for.

        Raises
        ------
        ConfigError
            If a cluster is given, and no number of workers.
        """
        if self.cluster is not None and self.number is None:
            raise ConfigError(say("--cluster needs --workers N; add it, or leave --cluster out"))
        return self.number is not None

    def require(self, batch_size: int | None = None) -> None:
        """Check what can be checked before anything starts.

        Parameters
        ----------
        batch_size
            How many rows a minibatch has, if that is known.

        Raises
        ------
        ConfigError
            If there are more workers than rows, Ray is not installed, or nobody answers at the
            address.
        """
        if batch_size is not None:
            require_rows(self.number or 1, batch_size)
        ray_or("--workers")
        if self.cluster is not None:
            place_of(self.cluster)

    def __call__(self, run: Run, state: TrainState, listeners: Sequence[Listener]) -> None:
        """Train to the end: the ``drive`` of `train`, `train_further` and `resume_run`."""
        self.require(state.batches.config.batch_size)
        train_to_end(run, state, listeners, self.trains)

    def trains(
        self, run: Run, state: TrainState, should_stop: StopReason | None = None
    ) -> Iterator[Event]:
        """Train, and yield events, as `iter_train` does.

        Parameters
        ----------
        run, state
            As for `iter_train`. Whenever an event is yielded, they are those of this event.
        should_stop
            As for `iter_train`.

        Yields
        ------
        Event
            As `iter_train` does, but at most ten steps a second.

        Raises
        ------
        ConfigError
            If there are more workers than rows in a minibatch, Ray is not installed, or nobody
            answers at the address.
        TrainingError
            If the workers end before the training does. The run and its state are then those of
            the last event.
        """
        number = self.number or 1
        require_rows(number, state.batches.config.batch_size)
        if state.batches.ids.device.type != "cpu":
            raise ConfigError(
                say("--workers trains on the CPU; add --device cpu, or leave --workers out")
            )
        cpus = None if self.cluster is not None else max(number, cores())
        with connect(self.cluster, flag="--workers", cpus=cpus) as connection:
            _require_room(connection, number)
            yield from _Training(connection, number, run, state, should_stop).events()

    def rows(self, batch_size: int) -> str:
        """Say how a minibatch is shared out."""
        each, more = divmod(batch_size, self.number or 1)
        return say_number(
            self.number or 1,
            "{number} worker reads all {rows} rows of a minibatch",
            "{number} workers read {each} rows each; together a minibatch has {rows} rows",
            each=f"{each}-{each + 1}" if more else each,
            rows=batch_size,
        )


class _Training:
    """One run on workers, as the process that began it sees it."""

    def __init__(
        self,
        connection: Connection,
        number: int,
        run: Run,
        state: TrainState,
        should_stop: StopReason | None,
    ) -> None:
        self._connection, self._number = connection, number
        self._run, self._state, self._should_stop = run, state, should_stop
        self._known: TrainConfig = run.config.train
        self._ordered = 0
        self._lives = 1
        self._error: BaseException | None = None
        self._is_over = threading.Event()

    def events(self) -> Iterator[Event]:
        ray = self._connection.ray
        here = ray.get_runtime_context().get_node_id()
        place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
        self._hub = ray.remote(num_cpus=0)(Hub).options(scheduling_strategy=place).remote()
        with TemporaryDirectory(prefix="rnn-magics-", ignore_cleanup_errors=True) as folder:
            fit = threading.Thread(
                target=self._fit, args=(folder,), name=f"workers {self._run.name}", daemon=True
            )
            fit.start()
            try:
                yield from self._told()
            finally:
                self._order(Orders(stop=Ending.INTERRUPTED))
                self._order(Orders(stop=Ending.INTERRUPTED))
                self._is_over.wait(_SECONDS_TO_END)
                with suppress(Exception):
                    ray.kill(self._hub)

    def _told(self) -> Iterator[Event]:
        ray = self._connection.ray
        while True:
            is_over = self._is_over.wait(_SECONDS_BETWEEN_LOOKS)
            try:
                updates, lives, failure = ray.get(self._hub.take.remote())
            except ray.exceptions.RayError as error:
                raise TrainingError(self._lost(_line(error))) from None
            self._lives = max(lives, 1)
            for told in updates:
                update: Update = pickle.loads(told)  # noqa: S301  (our own workers)
                yield from self._taken(update)
                if isinstance(update.event, TrainEnd):
                    return
                self._ask()
            self._ask()
            if failure:
                raise TrainingError(self._lost(failure))
            if is_over and not updates:
                raise TrainingError(self._lost("" if self._error is None else _line(self._error)))

    def _taken(self, update: Update) -> Iterator[Event]:
        event, is_steered = update.event, update.heard < self._ordered
        if isinstance(event, TrainEnd):  # the workers end, too, before the run is said to
            self._is_over.wait(_SECONDS_TO_END)
        if update.training is not None:
            update.training.give(self._run, self._state, is_steered_here=is_steered)
            if not is_steered:
                self._known = self._run.config.train
        if isinstance(event, TrainEnd) and self._lives > 1 and not self._run.message:
            self._run.message = say_number(
                self._lives - 1,
                "a worker was lost {number} time; the others went on from the last update",
                "a worker was lost {number} times; the others went on from the last update",
            )
            event = replace(event, message=self._run.message)
        yield event

    def _ask(self) -> None:
        # What the user has done meanwhile becomes an order.
        if self._should_stop is not None and (reason := self._should_stop()) is not None:
            self._order(Orders(stop=Ending.named(reason)))
        train = self._run.config.train
        if train is not self._known:
            self._known = train
            self._order(Orders(steer=(train.peak_lr, train.clip)))

    def _order(self, order: Orders) -> None:
        self._ordered += 1
        with suppress(Exception):  # a hub that is gone is noticed where it is asked
            self._hub.order.remote(self._ordered, pickle.dumps(order))

    def _lost(self, why: str) -> str:
        what = say_number(
            self._number,
            "the worker has ended before the training",
            "the {number} workers have ended before the training",
        )
        return say(
            "{what} ({why}); the model has the weights after step {steps:,}",
            what=what,
            why=why or say("no reason given"),
            steps=self._state.total_steps,
        )

    def _fit(self, folder: str) -> None:
        try:
            with quiet("ray.train", logging.CRITICAL):
                self._trainer(folder).fit()
        except BaseException as error:  # noqa: BLE001  (told where the events are taken)
            self._error = error
        finally:
            self._is_over.set()

    def _trainer(self, folder: str) -> Any:
        from ray.train import FailureConfig, RunConfig, ScalingConfig  # noqa: PLC0415
        from ray.train.torch import TorchConfig, TorchTrainer  # noqa: PLC0415

        ray = self._connection.ray
        threads = self._threads()
        begun = ray.put(_packed(self._run, self._state, ray.cloudpickle.dumps))
        beginning = Beginning(begun, self._hub, threads, language())
        # On a cluster a lost machine may not come back: then those that are left go on.
        number: Any = self._number if self._connection.is_local else (1, self._number)
        return TorchTrainer(
            _work,
            train_loop_config={"beginning": beginning},
            torch_config=TorchConfig(backend="gloo", timeout_s=_TIMEOUT),
            scaling_config=ScalingConfig(num_workers=number, resources_per_worker={"CPU": threads}),
            run_config=RunConfig(
                name="run",
                storage_path=str(Path(folder).resolve()),
                failure_config=FailureConfig(max_failures=_MOST_RESTARTS),
            ),
        )

    def _threads(self) -> int:
        asked = self._run.config.train.threads
        if asked is not None:
            return asked
        # The compiled engine computes the same bits with any number.
        if self._connection.is_local:
            return max(cores() // self._number, 1)
        return 1


def _packed(run: Run, state: TrainState, dumps: Callable[[object], bytes] = pickle.dumps) -> bytes:
    # The token indices are enough: the text itself stays here, in memory or on disk.
    batches = object.__new__(type(state.batches))
    batches.__dict__ = {**state.batches.__dict__, "corpus": None}
    return dumps((run, replace(state, batches=batches)))


def _work(config: dict[str, Any]) -> None:
    work(config["beginning"])


def _require_room(connection: Connection, number: int) -> None:
    if connection.num_cpus < number:
        raise TrainingError(
            say(
                "{workers} workers need a CPU each, and the cluster has {cpus}",
                workers=number,
                cpus=connection.num_cpus,
            )
        )


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in f"{error}".splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
