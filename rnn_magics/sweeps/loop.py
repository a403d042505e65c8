"""The loop of a sweep: trials are chosen, trained, judged and kept, until there are enough.

Everything that a sweep needs to go on is in its folder. A trial is written down before it begins
and after it has ended; what it reached is in the folder of its run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.language import say
from rnn_magics.storage import atomic
from rnn_magics.storage.claim import Claim
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.events import SweepEnd, SweepEvent, TrialEnd
from rnn_magics.sweeps.folder import Made, SweepFolder, find_folder
from rnn_magics.sweeps.kept import read_sweep
from rnn_magics.sweeps.running import Task, iter_trial
from rnn_magics.sweeps.search.pruning import PRUNERS
from rnn_magics.sweeps.search.searches import next_params
from rnn_magics.sweeps.search.tpe import optuna_or
from rnn_magics.sweeps.settings import require_tokens
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Outcome, Trial

Stopped = Callable[[], bool]
Listener = Callable[[SweepEvent], None]
Drive = Callable[[SweepRuns, Callable[[Stopped], Iterator[SweepEvent]]], None]
"""``drive(sweep, events)`` drains ``events(stopped)``, here or on another thread."""


def sweep(
    batches: Batches,
    space: Space,
    config: SweepConfig | None = None,
    *,
    folder: str | Path,
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
        If there is nothing to try, an option cannot be tried on this text, or Optuna is not
        installed.
    TrainingError
        If nothing is held out.
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
    place = SweepFolder(atomic.user_path(folder))
    made = Made.of(space, config, batches)
    claim = place.begin(made)
    begun = SweepRuns(place, space, config, made.base)
    return _driven(begun, batches, claim, listeners, drive)


def resume_sweep(
    folder: str | Path,
    batches: Batches,
    *,
    trials: int | None = None,
    budget: str | None = None,
    confirm: int | None = None,
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
    listeners, drive
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
    claim = Claim(place.path)
    try:
        begun = read_sweep(place)
    except BaseException:
        claim.release()
        raise
    begun.config = config
    return _driven(begun, batches, claim, listeners, drive)


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


def _require_search(config: SweepConfig) -> None:
    if config.search == "tpe":
        optuna_or()


def _driven(
    begun: SweepRuns,
    batches: Batches,
    claim: Claim,
    listeners: Iterable[Listener],
    drive: Drive | None,
) -> SweepRuns:
    listening = list(listeners)

    def events(stopped: Stopped) -> Iterator[SweepEvent]:
        for event in iter_sweep(begun, batches, stopped):
            for listener in listening:
                listener(event)
            yield event

    try:
        if drive is not None:
            drive(begun, events)
        else:
            for _ in events(lambda: False):
                pass
    finally:
        claim.release()
    return begun


def iter_sweep(made: SweepRuns, batches: Batches, stopped: Stopped) -> Iterator[SweepEvent]:
    """Make the trials of a sweep, and yield events.

    Parameters
    ----------
    made
        The sweep, whose folder is claimed by this process; its trials are filled in.
    batches
        Its minibatches.
    stopped
        Asked between steps; if it says so, the trial is saved and the sweep ends there.

    Yields
    ------
    SweepEvent
        A `TrialBegin` for each trial that begins or goes on, its `TrialStep` and `TrialScored`, a
        `TrialEnd`; one `SweepEnd`.
    """
    clock = _Clock(made, stopped)
    for trial in [trial for trial in made.trials if trial.outcome is None]:
        if clock.is_over():
            break
        yield from _make(made, trial, batches, clock)
    while not clock.is_over() and (params := _next(made)) is not None:
        yield from _make(made, _added(made, params), batches, clock)
    if not clock.is_over():
        yield from _confirm(made, batches, clock)
    made.spent = clock.spent
    made.message = clock.message
    is_complete = not clock.is_over() and all(t.outcome is not None for t in made.trials)
    yield SweepEnd(is_complete, made.message)


class _Clock:
    # Whether the sweep is to end now: somebody says so, or its time is used up.

    def __init__(self, made: SweepRuns, stopped: Stopped) -> None:
        self._before, self._begun = made.spent, time.monotonic()
        self._most, self._stopped = made.config.seconds, stopped
        self._resume = say("go on with %sweep --resume {folder}", folder=made.folder.path)
        self._is_stopped = False

    @property
    def spent(self) -> float:
        return self._before + time.monotonic() - self._begun

    def is_over(self) -> bool:
        self._is_stopped = self._is_stopped or self._stopped()
        return self._is_stopped or self._is_late

    @property
    def _is_late(self) -> bool:
        return self._most is not None and self.spent >= self._most

    @property
    def message(self) -> str:
        if self._is_stopped:
            return say("stopped; {resume}", resume=self._resume)
        if self._is_late:
            return say("the time budget is used up; {resume} --budget TIME", resume=self._resume)
        return ""


def _next(made: SweepRuns) -> dict[str, Any] | None:
    searched, planned = made.searched, made.planned
    if planned is not None and len(searched) >= planned:
        return None
    config = made.config
    taken = [trial.params for trial in searched]
    return next_params(config.search, made.space.dimensions, made.past, taken, config.search_seed)


def _added(made: SweepRuns, params: dict[str, Any], confirms: int | None = None) -> Trial:
    number = len(made.trials)
    trial = Trial(number, params, str(made.folder.trial(number)), confirms)
    told = {} if confirms is None else {"confirms": confirms}
    made.folder.tell(trial=number, params=params, **told)
    made.trials.append(trial)
    return trial


def _confirm(made: SweepRuns, batches: Batches, clock: _Clock) -> Iterator[SweepEvent]:
    best, num = made.best, made.config.confirm or 0
    if best is None:
        return
    seed = made.settings(best).train.seed
    for number in range(1, num + 1):
        params = {**best.params, "seed": seed + number}
        if clock.is_over():
            return
        if all(trial.params != params for trial in made.confirmed):
            yield from _make(made, _added(made, params, best.number), batches, clock)


def _make(made: SweepRuns, trial: Trial, batches: Batches, clock: _Clock) -> Iterator[SweepEvent]:
    prune = PRUNERS["none" if trial.confirms is not None else made.config.prune].prunes

    def judge(trial: Trial, curve: dict[int, float]) -> bool:
        return prune(trial.number, curve, made.past)

    try:
        task = task_of(made, trial)
    except ConfigError as error:  # these settings do not fit together
        trial.outcome, trial.message = Outcome.REFUSED, str(error)
    else:
        yield from iter_trial(task, batches, judge, clock.is_over)
    if trial.outcome is not None:
        words = {"message": trial.message} if trial.message else {}
        made.folder.tell(trial=trial.number, end=trial.outcome.value, spent=clock.spent, **words)
    yield TrialEnd(trial)


def task_of(made: SweepRuns, trial: Trial) -> Task:
    """Return what a trial needs to be trained.

    Raises
    ------
    ConfigError
        If its settings do not fit together.
    """
    config = made.config
    return Task(
        trial,
        f"{made.name}-{trial.number}",
        made.settings(trial),
        made.base.every,
        config.save_every,
        config.within if config.objective == "parameters" else None,
        made.space.has_other_tokens,
    )
