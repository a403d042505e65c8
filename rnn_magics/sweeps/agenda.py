"""Agenda: which trial comes next, for how long, and what is written down of it."""

from __future__ import annotations

import math
import time
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.sweeps.events import Wanted, never
from rnn_magics.sweeps.running import Judge, Task
from rnn_magics.sweeps.search.pruning import PRUNERS
from rnn_magics.sweeps.search.searches import next_params
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Outcome, Trial

_SECONDS_BETWEEN_LOOKS = 0.05  # while it is paused


class Clock:
    """Says whether a sweep is to end or to wait now: somebody wants it, or its time is used up.

    Parameters
    ----------
    made
        The sweep.
    stopped, paused
        Whether somebody wants it to end, and to wait; asked between steps.
    """

    def __init__(self, made: SweepRuns, stopped: Wanted, paused: Wanted = never) -> None:
        self._before, self._begun = made.spent, time.monotonic()
        self._most, self._stopped, self._paused = made.config.seconds, stopped, paused
        self._waited, self._waits_since = 0.0, math.nan
        self._resume = say("go on with %sweep --resume {folder}", folder=made.folder.path)
        self._is_stopped = False

    @property
    def spent(self) -> float:
        """The seconds that the sweep took, with those of earlier processes; no pauses."""
        return self._before + time.monotonic() - self._begun - self._waited

    def is_paused(self) -> bool:
        """Whether the sweep is to wait; the time from this answer to the next is then no time."""
        now = time.monotonic()
        if not math.isnan(self._waits_since):
            self._waited += now - self._waits_since
        is_paused = self._paused() and not self._stopped()
        self._waits_since = now if is_paused else math.nan
        return is_paused

    def wait(self) -> None:
        """Return once the sweep is not to wait."""
        while self.is_paused():
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def is_over(self) -> bool:
        """Whether the sweep is to end now."""
        self._is_stopped = self._is_stopped or self._stopped()
        return self._is_stopped or self._is_late

    @property
    def _is_late(self) -> bool:
        return self._most is not None and self.spent >= self._most

    @property
    def message(self) -> str:
        """Why it is, and how to go on; empty if it is not."""
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


class Agenda:
    """Says which trial comes next: an open one, a new one, at last those that confirm the best.

    Parameters
    ----------
    made
        The sweep.
    """

    def __init__(self, made: SweepRuns) -> None:
        self._made = made
        self._open = [trial for trial in made.trials if trial.outcome is None]

    def next(self, running: int) -> Trial | None:
        """Return the next trial, written down; None if there is none while `running` are trained.

        What confirms the best waits until nothing that may be better is running.
        """
        if self._open:
            return self._open.pop(0)
        if (params := _next(self._made)) is not None:
            return _added(self._made, params)
        searching = any(trial.outcome is None for trial in self._made.searched)
        return None if running and searching else self._confirming()

    def _confirming(self) -> Trial | None:
        made, best = self._made, self._made.best
        if best is None:
            return None
        seed, begun = made.settings(best).train.seed, [t.params for t in made.confirmed]
        for number in range(1, (made.config.confirm or 0) + 1):
            params = {**best.params, "seed": seed + number}
            if params not in begun:
                return _added(made, params, best.number)
        return None


def judge_of(made: SweepRuns) -> Judge:
    """Return what says whether a trial of a sweep is to end early."""
    prunes = PRUNERS[made.config.prune].prunes

    def judge(trial: Trial, curve: dict[int, float]) -> bool:
        return trial.confirms is None and prunes(trial.number, curve, made.past)

    return judge


def possible(made: SweepRuns, trial: Trial) -> Task | None:
    """Return what a trial needs; None, and its outcome, if its settings do not fit together."""
    try:
        return task_of(made, trial)
    except ConfigError as error:
        trial.outcome, trial.message = Outcome.REFUSED, str(error)
        return None


def write_end(made: SweepRuns, trial: Trial, clock: Clock) -> None:
    """Write down what became of a trial, if that is known."""
    if trial.outcome is not None:
        words = {"message": trial.message} if trial.message else {}
        made.folder.tell(trial=trial.number, end=trial.outcome.value, spent=clock.spent, **words)


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
