"""Attaching to a run that another kernel began on a Ray cluster, and that has outlived it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from rnn_magics.cluster.connection import AUTO, Connection, connect
from rnn_magics.cluster.following import Following, Place
from rnn_magics.cluster.messages import HUB, NAMESPACE, Known, Whole
from rnn_magics.cluster.update import Update
from rnn_magics.errors import BatchError, CorpusError, TrainingError
from rnn_magics.language import say
from rnn_magics.storage.contents.training_state import fingerprint_of
from rnn_magics.storage.resume import keep_on
from rnn_magics.text.corpus import Corpus
from rnn_magics.training.events import Event
from rnn_magics.training.further.train_further import batches_for
from rnn_magics.training.loop import Listener, StopReason, train_to_end
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

_SECONDS_FOR_A_SIGN = 5.0  # a kernel that lives gives one each second
_SECONDS_BETWEEN_LOOKS = 0.2
_MOST_SECONDS = 60.0  # to answer


@dataclass(frozen=True)
class Attached:
    """A run of a cluster that now belongs to this kernel.

    Parameters
    ----------
    run, state
        The run and its state as they are there.
    listeners
        What must hear of its events: it keeps the run in its folder, where it has one.
    note
        What to know beforehand; mostly nothing.
    """

    run: Run
    state: TrainState
    listeners: tuple[Listener, ...]
    note: str
    _place: Place
    _whole: Whole
    _connected: ExitStack

    def trains(
        self, run: Run, state: TrainState, should_stop: StopReason | None = None
    ) -> Iterator[Event]:
        """Follow the run to its end, and yield events, as `Workers.trains` does.

        Raises
        ------
        TrainingError
            If the workers end before the training does, or another kernel takes the run over.
        """
        with self._connected:
            yield from Following(self._place, run, state, should_stop).events(self._whole)


def attach_run(
    name: str | None = None,
    corpus: Corpus | None = None,
    *,
    cluster: str = AUTO,
    listeners: Iterable[Listener] = (),
) -> Run:
    """Follow a run on a Ray cluster whose kernel has ended, to its end.

    The workers of a run on a cluster go on when the process that began it dies. So the run ends as
    it would have ended if that process had lived.

    Parameters
    ----------
    name
        The name of the run; by default that of the only one that can be attached.
    corpus
        Its text, for what follows the training; it needs none itself.
    cluster
        ``host:port`` of the head of the cluster, or ``auto``.
    listeners
        Called with every event from here on.

    Returns
    -------
    Run
        The whole run, its history from the first epoch on.

    Raises
    ------
    ConfigError
        If nobody answers at the address, or Ray is not installed.
    TrainingError
        If there is no such run, another process follows it, it was trained on another text, or its
        workers end before the training does.
    StorageError
        If the folder of the run is in use.
    """
    found = attach(name, corpus, cluster=cluster)
    train_to_end(found.run, found.state, [*found.listeners, *listeners], found.trains)
    return found.run


def attach(name: str | None, corpus: Corpus | None = None, *, cluster: str = AUTO) -> Attached:
    """Take a run over; nothing has changed if it cannot be.

    Parameters
    ----------
    name, corpus, cluster
        As for `attach_run`.

    Raises
    ------
    ConfigError, TrainingError, StorageError
        As `attach_run` does, but for what happens while the run is followed.
    """
    with ExitStack() as connected:
        connection = connected.enter_context(connect(cluster, flag="attach_run"))
        hub, known = _chosen(_runs(connection), name, connection)
        ray = connection.ray
        whole: Whole = ray.get(hub.whole.remote(), timeout=_MOST_SECONDS)
        run, state = _unpacked(whole)
        _require_text(run, state, corpus)
        kept, note = (None, "") if run.folder is None else keep_on(run, state)
        place = Place(ray, hub, known.number, outlives=True)
        with ExitStack() as claimed:
            if kept is not None:
                claimed.callback(kept.claim.release)
            whole = ray.get(hub.take_over.remote(place.me), timeout=_MOST_SECONDS)
            _bring(run, state, whole)
            keeper = () if kept is None else (kept.go_on(run, state),)
            claimed.pop_all()  # it is the keeper's now
        return Attached(run, state, keeper, note, place, whole, connected.pop_all())


_Runs = dict[str, tuple[Any, Known]]


def _runs(connection: Connection) -> _Runs:
    ray, found = connection.ray, {}
    for named in ray.util.list_named_actors(all_namespaces=True):
        if named["namespace"] != NAMESPACE or not named["name"].startswith(HUB):
            continue
        try:
            hub = ray.get_actor(named["name"], namespace=NAMESPACE)
            known: Known = ray.get(hub.known.remote(), timeout=_MOST_SECONDS)
        except (ValueError, ray.exceptions.RayError):  # it has just ended
            continue
        if known.number:
            found[named["name"].removeprefix(HUB)] = hub, known
    return dict(sorted(found.items()))


def _chosen(runs: _Runs, name: str | None, connection: Connection) -> tuple[Any, Known]:
    free = {each: known for each, (_, known) in runs.items() if not known.is_followed}
    if name is None:
        # One that died a moment ago is not known to have died, so one that is followed counts, too.
        chosen = list(free or runs)
        if len(chosen) > 1:
            raise TrainingError(
                say("several runs can be attached ({runs}): name one", runs=_in_words(runs))
            )
        if not chosen:
            raise TrainingError(
                say("no run is on the cluster at {address}", address=connection.address)
            )
        name = chosen[0]
    if name not in runs:
        raise TrainingError(
            say(
                "no run {name!r} is on the cluster at {address} (runs: {runs})",
                name=name,
                address=connection.address,
                runs=_in_words(runs) or say("none"),
            )
        )
    hub, known = runs[name]
    if known.is_followed and _gives_signs(connection.ray, hub, known):
        raise TrainingError(
            say(
                "another kernel follows run {name!r}: stop or restart that kernel first, or leave"
                " the run to it",
                name=name,
            )
        )
    return hub, known


def _in_words(runs: _Runs) -> str:
    said = []
    for name, (_, known) in runs.items():
        if known.is_over:
            said.append(say("{name}, ended", name=name))
        elif known.is_followed:
            said.append(say("{name}, followed by a kernel", name=name))
        else:
            said.append(say("{name}, training", name=name))
    return say("; ").join(said)


def _gives_signs(ray: Any, hub: Any, before: Known) -> bool:
    until = time.monotonic() + _SECONDS_FOR_A_SIGN
    while time.monotonic() < until:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        now: Known = ray.get(hub.known.remote(), timeout=_MOST_SECONDS)
        if now.signs != before.signs:
            return True
    return False


def _unpacked(whole: Whole) -> tuple[Run, TrainState]:
    try:
        run, state = pickle.loads(whole.begun)  # noqa: S301  (our own workers)
    except Exception as error:  # noqa: BLE001  (a text on disk that is not here, say)
        why = " ".join(f"{error}".split())
        raise TrainingError(say("the run cannot be read here: {why}", why=why)) from None
    _bring(run, state, whole)
    return run, state


def _bring(run: Run, state: TrainState, whole: Whole) -> None:
    if whole.last is not None:
        last: Update = pickle.loads(whole.last)  # noqa: S301  (our own workers)
        if last.training is not None:
            last.training.give(run, state)


def _require_text(run: Run, state: TrainState, corpus: Corpus | None) -> None:
    # The token indices have come along; the text itself is what views and baselines want.
    if corpus is None or run.corpus is None or run.vocab is None:
        return
    with suppress(BatchError, CorpusError):
        batches = batches_for(run, corpus)
        if fingerprint_of(batches) == fingerprint_of(state.batches):
            state.batches = batches
            return
    name, sha256 = run.corpus
    raise TrainingError(
        say(
            "run {name!r} is trained on {before!r} ({sha256}), and the corpus here is {now!r}"
            " ({here}): type the %corpus of the run, or %rnn --reset",
            name=run.name,
            before=name,
            sha256=sha256[:12],
            now=corpus.name,
            here=corpus.fingerprint[:12],
        )
    )
