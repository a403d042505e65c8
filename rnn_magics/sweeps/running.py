"""One trial: its run is trained, or goes on from its last checkpoint, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_magics.batching import Batches
from rnn_magics.errors import BatchError, ConfigError, ModelError, TrainingError, VocabError
from rnn_magics.language import say
from rnn_magics.models.forked import training_here
from rnn_magics.scores.evaluation import bits_per_token
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.resume import reopen
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.sweeps.events import TrialBegin, TrialEvent, TrialScored, TrialStep, Wanted
from rnn_magics.sweeps.settings import Settings
from rnn_magics.sweeps.trial import At, Outcome, Trial, nats_of
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Evaluated, Event, StepEnd, TrainEnd
from rnn_magics.training.loop import begin, iter_train, tell_failure
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

Judge = Callable[[Trial, dict[int, float]], bool]
"""``judge(trial, curve)``: whether a trial with these scores by rung is to end early."""
# What settings may be refused with; a full disk is no fault of the settings, and ends the sweep.
_IMPOSSIBLE = (BatchError, ConfigError, ModelError, TrainingError, VocabError)


@dataclass(frozen=True)
class Task:
    """What a trial needs, besides the minibatches of the sweep.

    Parameters
    ----------
    trial
        The trial.
    name
        The name of its run.
    settings
        Its configurations.
    every
        How many tokens lie between two rungs.
    save_every
        How often it is saved.
    most_parameters
        The largest model that is trained; None for any.
    in_bytes
        Whether scores are nats per byte.
    """

    trial: Trial
    name: str
    settings: Settings
    every: int
    save_every: str
    most_parameters: float | None = None
    in_bytes: bool = False


def iter_trial(
    task: Task, given: Batches, judge: Judge, stopped: Wanted
) -> Generator[TrialEvent, None, None]:
    """Train a trial, from its beginning or from its last checkpoint.

    Parameters
    ----------
    task
        The trial; its scores and its outcome are filled in.
    given
        The minibatches of the sweep.
    judge
        Wanted after each score at a new rung.
    stopped
        Wanted between steps; if it says so, the trial is saved and has no outcome.

    Raises
    ------
    StorageError
        If the run cannot be saved or read.
    """
    trial = task.trial
    yield TrialBegin(trial)
    path = Path(trial.folder)
    if ended := _ended(path):
        _conclude(task, ended, is_pruned=False)
        return
    try:
        batches = task.settings.batches(given)
        run, state, listener = _begun(task, path, given, batches)
    except _IMPOSSIBLE as error:
        trial.outcome, trial.message = Outcome.REFUSED, str(error)
        return
    yield from _train(_Rungs(task, given, batches, judge), run, state, listener, stopped)


def _ended(path: Path) -> Run | None:
    # The run of a trial whose end was not told: it was killed in between.
    if not RunFolder(path).exists:
        return None
    run = load_run(path)
    is_over = run.reason is not None and run.reason.news != "neutral"
    return run if is_over else None


def _begun(
    task: Task, path: Path, given: Batches, batches: Batches
) -> tuple[Run, TrainState, Callable[[Event], None]]:
    if RunFolder(path).exists:
        run, state, reopened = reopen(path, batches)
        return run, state, reopened.go_on(run, state)
    config, train = task.settings, task.settings.train
    if config.vocab is not None:  # scored at the same shares of the text, in whatever tokens
        train = replace(train, score_every=_scaled(task.every, given, batches))
    run, state = begin(batches, config.model, train, task.name)
    most, has = task.most_parameters, run.model.num_parameters
    task.trial.num_parameters = has
    if most is not None and has > most:
        raise ModelError(say("{number:,} parameters, more than {most:,.0f}", number=has, most=most))
    keep = Checkpointing(str(path), every=task.save_every, keep=0)
    return run, state, keep(run, state)


class _Rungs:
    # Where a trial is compared with the others, and whether it is to end early.

    def __init__(self, task: Task, given: Batches, batches: Batches, judge: Judge) -> None:
        self.task, self._judge = task, judge
        train = task.settings.train
        self._every = task.every
        if task.settings.vocab is not None:
            self._every = _scaled(task.every, given, batches)
        planned = train.epochs * len(batches.ids)
        self._last = min(planned, train.max_tokens or planned) // self._every

    def prune(self) -> bool:
        # At the last rung nothing is saved by an end.
        curve = self.task.trial.curve(self._every)
        return bool(curve) and max(curve) < self._last and self._judge(self.task.trial, curve)


def _scaled(every: int, given: Batches, batches: Batches) -> int:
    return max(every * len(batches.ids) // len(given.ids), 1)


def _train(
    rungs: _Rungs,
    run: Run,
    state: TrainState,
    listener: Callable[[Event], None],
    stopped: Wanted,
) -> Iterator[TrialEvent]:
    task = rungs.task
    trial, in_bytes = task.trial, task.in_bytes
    trial.take(run, in_bytes=in_bytes)
    is_pruned = rungs.prune()  # it may have been killed after its last score

    def asked() -> Ending | None:
        # Wanted again, the answer is the same, so nothing is scored on the way out.
        if is_pruned:
            return Ending.STOPPED
        return Ending.INTERRUPTED if stopped() else None

    with _released_on_error(run, listener), training_here():
        if is_pruned and run.steps > trial.scores[-1].steps:  # it had taken its last step
            run.reason = Ending.STOPPED
            listener(TrainEnd(run.reason))
        else:
            for event in iter_train(run, state, asked):
                listener(event)
                if isinstance(event, StepEnd):
                    yield TrialStep(trial, event.done, event.seconds_left)
                elif isinstance(event, Evaluated):
                    nats = nats_of(run, bits_per_token(event.nats), in_bytes=in_bytes)
                    trial.scores.append(At(event.steps, event.tokens, nats))
                    is_pruned = is_pruned or rungs.prune()
                    yield TrialScored(trial, trial.scores[-1])
    run.model.eval()
    _conclude(task, run, is_pruned=is_pruned)


@contextmanager
def _released_on_error(run: Run, listener: Callable[[Event], None]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:  # also of a sweep that nobody follows any more
        run.reason = Ending.FAILED
        tell_failure(error, [listener])
        raise


def _conclude(task: Task, run: Run, *, is_pruned: bool) -> None:
    trial, reason = task.trial, run.reason
    trial.take(run, in_bytes=task.in_bytes)
    if reason is None:
        return
    if reason.as_planned:
        is_finite = trial.nats is not None and math.isfinite(trial.nats)
        trial.outcome = Outcome.DONE if is_finite else Outcome.DIVERGED
        trial.nats = trial.nats if is_finite else None
    elif is_pruned and reason == Ending.STOPPED:
        trial.outcome = Outcome.PRUNED
    else:
        trial.outcome = _BAD.get(reason)


_BAD = {Ending.NON_FINITE: Outcome.DIVERGED, Ending.OUT_OF_MEMORY: Outcome.NO_MEMORY}
