"""The loop of a sweep: trials are chosen, trained, judged and kept, until there are enough.

Everything that a sweep needs to go on is in its folder. A trial is written down before it begins
and after it has ended; what it reached is in the folder of its run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.language import say
from rnn_magics.storage import atomic
from rnn_magics.storage.claim import Claim
from rnn_magics.sweeps.agenda import Agenda, Clock, judge_of, possible, write_end
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.events import Events, SweepEnd, SweepEvent, TrialEnd, Wanted, never
from rnn_magics.sweeps.folder import Made, SweepFolder, find_folder
from rnn_magics.sweeps.kept import read_sweep
from rnn_magics.sweeps.running import Judge, iter_trial
from rnn_magics.sweeps.search.tpe import optuna_or
from rnn_magics.sweeps.settings import require_tokens
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Trial
from rnn_magics.sweeps.workers.pool import Pool

Listener = Callable[[SweepEvent], None]
Team = Callable[[Batches, Judge], Pool]
"""Makes workers, which ask whether a trial is to end early."""
Drive = Callable[[SweepRuns, Events], None]
"""``drive(sweep, events)`` drains ``events(stopped, paused)``, here or on another thread."""


def sweep(  # noqa: PLR0913  (where, and who watches)
    batches: Batches,
    space: Space,
    config: SweepConfig | None = None,
    *,
    folder: str | Path,
    workers: int | None = None,
    cluster: str | None = None,
    listeners: Iterable[Listener] = (),
    drive: Drive | None = None,
) -> SweepRuns:
    r"""Search for the settings with the lowest held-out score.

    .. math:: \lambda^* = \arg\min_\lambda L_{valid}(\theta_\lambda), \quad
        \theta_\lambda \approx \arg\min_\theta L_{train}(\theta; \lambda)

    A trial that diverges, or whose settings do not fit together, is a result like others. The same
    search seed gives the same sweep, except where time decides: with a time budget.

    Parameters
    ----------
    batches
        The minibatches, from `make_batches`; a part of the text must be held out.
    space
        What is tried.
    config
        How; by default ``SweepConfig()``.
    folder
        A new folder that keeps the sweep and the run of each trial.
    workers
        How many trials are trained at once, in processes of their own that share the cores; by
        default one after another, in this process.
    cluster
        ``host:port`` of the head of a Ray cluster, or ``auto``, on whose machines the trials are
        trained; by default on this machine. They all must see `folder`.
    listeners
        Called with every event.
    drive
        Takes the sweep and its events, and drains them, e.g. on another thread. By default that
        happens here.

    Returns
    -------
    SweepRuns
        With ``trials``, ``best``, ``lines``, ``run()`` and ``to_pandas()``.

    Raises
    ------
    ConfigError
        If there is nothing to try, an option cannot be tried on this text, Optuna or Ray is not
        installed, or no cluster answers.
    TrainingError
        If nothing is held out, or the machines of a cluster have other versions or another folder.
    StorageError
        If the folder holds a sweep already, or cannot be written to.

    Examples
    --------
    >>> space = Space(num_hiddens="8,16", lr="1e-3:1e-2", epochs=1)
    >>> found = sweep(batches, space, SweepConfig(trials=2, search="random"), folder="sweeps/one")
    >>> [trial.outcome.value for trial in found.trials]
    ['done', 'done']
    """
    config = config or SweepConfig()
    check_sweep(batches, space, config)
    check_workers(workers, space, cluster)
    place = SweepFolder(atomic.user_path(folder))
    made = Made.of(space, config, batches)
    begun = SweepRuns(place, space, config, made.base)
    with _hired(workers, cluster, begun) as hire:
        claim = place.begin(made)
        return _driven(begun, batches, claim, hire, listeners, drive)


def resume_sweep(  # noqa: PLR0913  (what may change, and who watches)
    folder: str | Path,
    batches: Batches,
    *,
    trials: int | None = None,
    budget: str | None = None,
    confirm: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    listeners: Iterable[Listener] = (),
    drive: Drive | None = None,
) -> SweepRuns:
    """Go on with a sweep: its open trials from their checkpoints, bit for bit, then new ones.

    Parameters
    ----------
    folder
        Its folder, or ``last`` for the one written to last.
    batches
        The same minibatches as before.
    trials, budget, confirm
        More trials, another time budget in all, seeds to confirm; by default as before.
    workers, cluster, listeners, drive
        As for `sweep`.

    Raises
    ------
    StorageError
        If there is no such sweep, it is in use, or the minibatches differ.
    ConfigError
        If a changed option is not accepted, or Optuna is not installed.
    """
    place = find_folder(folder)
    made = place.made()
    made.require_same(batches, place.path)
    changes = {"trials": trials, "budget": budget, "confirm": confirm}
    typed: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    config = replace(made.config, **typed)
    _require_search(config)
    check_workers(workers, made.space, cluster)
    with _hired(workers, cluster, SweepRuns(place, made.space, config, made.base)) as hire:
        claim = Claim(place.path)
        try:
            begun = read_sweep(place)
        except BaseException:
            claim.release()
            raise
        begun.config = config
        return _driven(begun, batches, claim, hire, listeners, drive)


def check_sweep(batches: Batches, space: Space, config: SweepConfig) -> None:
    """Refuse a sweep that cannot be made; nothing is started.

    Raises
    ------
    ConfigError
        If there is nothing to try, an option cannot be tried on this text, or Optuna is not
        installed.
    TrainingError
        If nothing is held out.
    """
    space.require_several()
    require_tokens(space, batches)
    if len(batches.valid) <= 1:
        raise TrainingError(
            say("a sweep compares held-out scores, and nothing is held out: %corpus --valid 0.1")
        )
    _require_search(config)


def check_workers(workers: int | None, space: Space, cluster: str | None = None) -> None:
    """Refuse workers that cannot train the trials of a space.

    Raises
    ------
    ConfigError
        If their number is below 1, or they would not know a cell or a tokenizer.
    """
    if workers is None and cluster is None:
        return
    if workers is not None and workers < 1:
        raise ConfigError(say("workers must be at least 1, not {number}", number=workers))
    if own := space.registered_here():
        raise ConfigError(
            say(
                "{name!r} is registered in this process only, where no worker knows it; leave"
                " --workers and --cluster out",
                name=own,
            )
        )


def _require_search(config: SweepConfig) -> None:
    if config.search == "tpe":
        optuna_or()


@contextmanager
def _hired(workers: int | None, cluster: str | None, made: SweepRuns) -> Iterator[Team | None]:
    # What makes the workers; None where trials are trained here, one after another.
    if cluster is not None:
        from rnn_magics.sweeps.cluster.team import gather  # noqa: PLC0415  (an optional extra)

        planned = None if made.planned is None else made.planned + (made.config.confirm or 0)
        with gather(cluster, workers, made.folder.path, planned) as team:
            yield team.pool
    elif workers is not None:
        yield lambda batches, judge: Pool(batches, workers, judge)
    else:
        yield None


def _driven(
    begun: SweepRuns,
    batches: Batches,
    claim: Claim,
    hire: Team | None,
    listeners: Iterable[Listener],
    drive: Drive | None,
) -> SweepRuns:
    listening = list(listeners)

    def events(stopped: Wanted, paused: Wanted = never) -> Iterator[SweepEvent]:
        for event in iter_sweep(begun, batches, stopped, hire, paused):
            for listener in listening:
                listener(event)
            yield event

    try:
        if drive is not None:
            drive(begun, events)
        else:
            for _ in events(never):
                pass
    finally:
        claim.release()
    return begun


def iter_sweep(
    made: SweepRuns,
    batches: Batches,
    stopped: Wanted,
    hire: Team | None = None,
    paused: Wanted = never,
) -> Iterator[SweepEvent]:
    """Make the trials of a sweep, and yield events.

    Parameters
    ----------
    made
        The sweep, whose folder is claimed by this process; its trials are filled in.
    batches
        Its minibatches.
    stopped
        Wanted between steps; if it says so, the trial is saved and the sweep ends there.
    hire
        ``hire(batches, judge)`` makes workers; None to train in this process.
    paused
        Wanted between steps; while it says so, all trials wait, and no time of the budget is spent.

    Yields
    ------
    SweepEvent
        A `TrialBegin` for each trial that begins or goes on, its `TrialStep` and `TrialScored`, a
        `TrialEnd`; one `SweepEnd`.
    """
    clock, agenda = Clock(made, stopped, paused), Agenda(made)
    if hire is None:
        while not clock.is_over() and (trial := agenda.next(0)) is not None:
            yield from _make(made, trial, batches, clock)
    else:
        yield from _make_at_once(made, agenda, hire(batches, judge_of(made)), clock)
    made.spent = clock.spent
    made.message = clock.message
    is_complete = not clock.is_over() and all(t.outcome is not None for t in made.trials)
    yield SweepEnd(is_complete, made.message)


def _make(made: SweepRuns, trial: Trial, batches: Batches, clock: Clock) -> Iterator[SweepEvent]:
    if task := possible(made, trial):
        for event in iter_trial(task, batches, judge_of(made), clock.is_over):
            yield event
            clock.wait()
    write_end(made, trial, clock)
    yield TrialEnd(trial)


def _make_at_once(
    made: SweepRuns, agenda: Agenda, pool: Pool, clock: Clock
) -> Iterator[SweepEvent]:
    is_stopping = False
    try:
        while True:
            is_paused = clock.is_paused()
            pool.hold(is_paused)
            while not is_paused and not clock.is_over() and pool.has_room:
                if (trial := agenda.next(len(pool.busy))) is None:
                    break
                if task := possible(made, trial):
                    pool.begin(task)
                else:
                    write_end(made, trial, clock)
                    yield TrialEnd(trial)
            if not pool.busy and not is_paused:
                return
            if clock.is_over() and not is_stopping:
                is_stopping = True
                pool.stop()
            for event in pool.hear():
                if isinstance(event, TrialEnd):
                    write_end(made, event.trial, clock)
                yield event
    finally:
        pool.close()
