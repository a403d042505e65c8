"""How far a sweep is: which of its trials are trained now, and how long all of them still take."""

from __future__ import annotations

import time
from collections.abc import Callable

from tqdm import tqdm

from rnn_magics.language import say
from rnn_magics.sweeps.events import SweepEvent, TrialBegin, TrialEnd, TrialStep
from rnn_magics.sweeps.sweep import SweepRuns


class SweepProgress:
    """Follows the events of a sweep.

    Parameters
    ----------
    sweep
        The sweep.
    clock
        Returns seconds.

    Attributes
    ----------
    steps : dict
        The last step of each trial that is trained now, by number; None before its first.
    made : int
        How many trials have ended since.
    """

    def __init__(self, sweep: SweepRuns, clock: Callable[[], float] = time.monotonic) -> None:
        self._sweep, self._clock, self._begun = sweep, clock, clock()
        self._waited, self._waits_since = 0.0, 0.0
        self.is_paused = False
        self.made = 0
        self.steps: dict[int, TrialStep | None] = {}

    def __call__(self, event: SweepEvent) -> None:
        """Process an event."""
        match event:
            case TrialBegin():
                self.steps[event.trial.number] = None
            case TrialStep():
                self.steps[event.trial.number] = event
            case TrialEnd():
                self.made += 1
                self.steps.pop(event.trial.number, None)

    def hold(self, *, is_paused: bool) -> None:
        """Note that the sweep waits from now on, or goes on; no time passes while it waits."""
        if is_paused and not self.is_paused:
            self._waits_since = self._clock()
        elif self.is_paused and not is_paused:
            self._waited += self._clock() - self._waits_since
        self.is_paused = is_paused

    @property
    def seconds(self) -> float:
        """How long the sweep has been made here, without pauses."""
        now = self._waits_since if self.is_paused else self._clock()
        return now - self._begun - self._waited

    def done(self, number: int) -> float:
        """Return the share of a trial's training that is done."""
        step = self.steps.get(number)
        return 0.0 if step is None else step.done

    @property
    def share(self) -> float:
        """The share of the sweep that is done: of its trials, or of its time where that is more."""
        sweep, shares = self._sweep, [0.0]
        if sweep.planned:
            ended = sum(trial.outcome is not None for trial in sweep.trials)
            running = sum(map(self.done, self.steps))
            shares.append((ended + running) / (sweep.planned + (sweep.config.confirm or 0)))
        if sweep.config.seconds is not None:
            shares.append((sweep.spent + self.seconds) / sweep.config.seconds)
        return min(max(shares), 1.0)

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes; None where nothing says so yet.

        As long as the trials so far took on average; no longer than the budget allows.
        """
        sweep, elapsed = self._sweep, self.seconds
        limits = []
        if sweep.config.seconds is not None:
            limits.append(max(sweep.config.seconds - sweep.spent - elapsed, 0.0))
        steps = [step for step in self.steps.values() if step is not None]
        present = max((step.seconds_left for step in steps), default=0.0)
        if self.made and sweep.planned is not None:
            ended = sum(trial.outcome is not None for trial in sweep.trials)
            left = sweep.planned + (sweep.config.confirm or 0) - ended
            each = elapsed / self.made
            limits.append(max(left - max(len(self.steps), 1), 0) * each + min(present, each))
        elif steps and sweep.planned is not None:
            limits.append(present * sweep.planned / len(self.steps))
        return min(limits, default=None)

    @property
    def words(self) -> str:
        """What happens now, in one line."""
        if self.is_paused:
            return say("paused")
        if not self.steps:
            return say("choosing the next trial")
        told = [
            say("trial {number}: {share:.0%}", number=number, share=self.done(number))
            for number in sorted(self.steps)
        ]
        trials = say("; ").join(told)
        if (left := self.seconds_left) is None:
            return trials
        time_left = tqdm.format_interval(left)
        return say("{trials}; about {time} left in all", trials=trials, time=time_left)
