"""Workers: one run that several processes train together, on this machine or on a cluster."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from rnn_magics.cluster.conducting import conduct
from rnn_magics.cluster.connection import Connection, connect, cores, place_of, ray_or
from rnn_magics.cluster.following import Following, Place
from rnn_magics.cluster.hub import Hub
from rnn_magics.cluster.messages import HUB, NAMESPACE, Plan, Stay
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.language import language, say, say_number
from rnn_magics.options import AT_LEAST_ONE, Options, Spelling, option
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event
from rnn_magics.training.loop import Listener, StopReason, train_to_end
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.shared import Orders, require_rows

_SECONDS_WITHOUT_A_SIGN = 20.0
_DAYS_ALONE, _DAYS_KEPT, _DAY = 7, 30, 24 * 3600.0


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
            If there are more workers than rows in a minibatch, Ray is not installed, nobody
            answers at the address, or the device is one that workers cannot have each.
        TrainingError
            If there are not as many CPUs, or GPUs, as workers, or the workers end before the
            training does. The run and its state are then those of the last event.
        """
        number = self.number or 1
        require_rows(number, state.batches.config.batch_size)
        on_gpus = _is_on_gpu(run)
        cpus = None if self.cluster is not None else max(number, cores())
        with connect(self.cluster, flag="--workers", cpus=cpus) as connection:
            _require_room(connection, number, on_gpus=on_gpus)
            place = _launched(connection, number, run, state)
            yield from Following(place, run, state, should_stop).events()

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


def _launched(connection: Connection, number: int, run: Run, state: TrainState) -> Place:
    # Starts the workers, and returns where they are.
    ray, is_local = connection.ray, connection.is_local
    begun = _packed(run, state, ray.cloudpickle.dumps)
    # On a cluster a lost machine may not come back: then those that are left go on.
    plan = Plan(
        number,
        number if is_local else 1,
        _threads(connection, number, run),
        language(),
        on_gpus=_is_on_gpu(run),
    )
    hub = _hub(ray, run.name, is_local=is_local)
    conductor = None
    try:
        if is_local:
            plan = replace(plan, begun=[ray.put(begun)])
            name = f"workers {run.name}"
            conductor = threading.Thread(target=conduct, args=(plan, hub), name=name, daemon=True)
            conductor.start()
        else:
            ray.get(hub.launch.remote(begun, plan))
    except BaseException:
        ray.kill(hub)
        raise
    return Place(ray, hub, number, outlives=not is_local, conductor=conductor)


def _threads(connection: Connection, number: int, run: Run) -> int:
    asked = run.config.train.threads
    if asked is not None:
        return asked
    # The compiled engine computes the same bits with any number.
    return max(cores() // number, 1) if connection.is_local else 1


def _hub(ray: Any, name: str, *, is_local: bool) -> Any:
    here = ray.get_runtime_context().get_node_id()
    place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
    actor = ray.remote(num_cpus=0)(Hub)
    if is_local:
        return actor.options(scheduling_strategy=place).remote()
    stay = Stay(
        pickle.dumps(Orders(stop=Ending.STOPPED)),
        _SECONDS_WITHOUT_A_SIGN,
        _DAYS_ALONE * _DAY,
        _DAYS_KEPT * _DAY,
    )
    for number in count(1):
        # Many runs are called gru-1, and a cluster may have those of several notebooks.
        full = name if number == 1 else f"{name}@{number}"
        with suppress(ValueError):  # there is one already
            options = actor.options(
                name=HUB + full, namespace=NAMESPACE, lifetime="detached", scheduling_strategy=place
            )
            return options.remote(stay)
    raise AssertionError


def _packed(run: Run, state: TrainState, dumps: Callable[[object], bytes] = pickle.dumps) -> bytes:
    # The token indices are enough: the text itself stays here, in memory or on disk.
    batches = object.__new__(type(state.batches))
    batches.__dict__ = {**state.batches.__dict__, "corpus": None}
    return dumps((run, replace(state, batches=batches)))


def _is_on_gpu(run: Run) -> bool:
    device = run.device.device
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(
            say(
                "--workers trains on CPUs or on CUDA GPUs, not on {device}; add --device cpu, or"
                " leave --workers out",
                device=device.type,
            )
        )
    if device.index:
        raise ConfigError(
            say(
                "each worker has a GPU of its own, so none is chosen by number: --device cuda"
                " instead of {device}",
                device=device,
            )
        )
    return device.type == "cuda"


def _require_room(connection: Connection, number: int, *, on_gpus: bool) -> None:
    if connection.num_cpus < number:
        raise TrainingError(
            say(
                "{workers} workers need a CPU each, and the cluster has {cpus}",
                workers=number,
                cpus=connection.num_cpus,
            )
        )
    if on_gpus and connection.num_gpus < number:
        raise TrainingError(
            say(
                "{workers} workers need a GPU each, and there are {gpus}: take fewer workers, or"
                " add --device cpu",
                workers=number,
                gpus=connection.num_gpus,
            )
        )
