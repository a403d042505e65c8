"""A sweep while it runs: on a worker thread, with the cell following it and a table that fills.

An interrupt reaches the thread of the cell only, which asks the sweep to stop: the trial is saved
after its current step, and `%sweep --resume` goes on from there.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterator

from IPython.display import DisplayHandle, display
from tqdm import tqdm

from rnn_magics.language import say
from rnn_magics.notebook.page.listening import Hearing
from rnn_magics.notebook.session.baselines import BaselineFit
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import Bundle
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.show.rich.sweeps import sweep_block, sweep_html
from rnn_magics.results import visible
from rnn_magics.sweeps.events import SweepEvent, TrialBegin, TrialEnd, TrialScored, TrialStep
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Trial
from rnn_magics.training.job import SECONDS_BETWEEN_STEPS_TOLD

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_VIEWS = 0.5
_EXIT_PATIENCE_SECONDS = 10


class SweepDriver:
    """The ``drive`` argument of `sweep` and `resume_sweep` in a notebook.

    Parameters
    ----------
    desk
        The desk of the notebook in which the sweep is shown.
    fit
        The n-gram baselines of its split; None without them.
    """

    def __init__(self, desk: Desk, fit: BaselineFit | None = None) -> None:
        self._desk, self._fit = desk, fit

    def __call__(
        self, sweep: SweepRuns, events: Callable[[Callable[[], bool]], Iterator[SweepEvent]]
    ) -> None:
        """Make the trials on a worker thread, and follow them to the end."""
        desk = self._desk
        view: Callable[[SweepEvent], None] = _unseen
        if desk.preferences.progress:
            view = SweepTable(sweep) if desk.has_notebook else _tell
        if isinstance(view, SweepTable):
            desk.cell.shown.append(sweep)
        work = Work(events)
        hearing = Hearing(desk.shell)
        try:
            while True:
                try:
                    for event in work.follow(hearing.hear):
                        view(event)
                except KeyboardInterrupt:
                    work.stop()
                else:
                    break
        except BaseException:  # no sweep goes on unseen, nor after its folder is released
            work.stop()
            work.wait()
            raise
        if self._fit is not None and not sweep.space.has_other_tokens:
            self._fit.attach(sweep)
            self._fit.wait()
        if isinstance(view, SweepTable):
            view.settle(figure=desk.preferences.figures)


class Work:
    """Events that are made on a thread of their own.

    Parameters
    ----------
    events
        ``events(stopped)`` yields them, and asks between steps whether to stop.
    """

    def __init__(self, events: Callable[[Callable[[], bool]], Iterator[SweepEvent]]) -> None:
        self._events, self._queue = events, queue.SimpleQueue[SweepEvent | None]()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="rnn-sweep", daemon=True)
        self._has_begun = False

    def stop(self) -> None:
        """Ask for the end after the current step."""
        self._stopped.set()

    def wait(self) -> None:
        """Wait for the end, which comes after the current step once it is asked for."""
        if self._has_begun:
            self._thread.join()

    def follow(self, meanwhile: Callable[[], None]) -> Iterator[SweepEvent]:
        """Yield the events on the caller's thread until there are no more.

        Raises
        ------
        BaseException
            The error that ended them.
        """
        if not self._has_begun:
            self._has_begun = True
            atexit.register(self._leave)
            self._thread.start()
        while True:
            alive = self._thread.is_alive()  # first: its last events may be in the queue
            meanwhile()
            try:
                event = self._queue.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                if alive:
                    continue
                break
            if event is None:
                break
            yield event
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        told = 0.0
        try:
            for event in self._events(self._stopped.is_set):
                if isinstance(event, TrialStep):
                    now = time.monotonic()
                    if now - told < SECONDS_BETWEEN_STEPS_TOLD:
                        continue
                    told = now
                self._queue.put(event)
        except BaseException as error:  # noqa: BLE001  (raised in the follower)
            self._error = error
        finally:
            self._queue.put(None)
            atexit.unregister(self._leave)

    def _leave(self) -> None:
        # At exit, the interpreter must not unload torch while the thread uses it.
        self.stop()
        self._thread.join(_EXIT_PATIENCE_SECONDS)


def _unseen(_event: SweepEvent) -> None:
    """Show nothing."""


def _tell(event: SweepEvent) -> None:
    # A line for each trial, in a terminal.
    if isinstance(event, TrialEnd):
        print(one_line(repr(event.trial)))


class SweepTable:
    """One output that is rewritten: a row for each trial, and how far the present one is.

    Parameters
    ----------
    sweep
        The sweep.
    clock
        Returns seconds.
    """

    def __init__(self, sweep: SweepRuns, clock: Callable[[], float] = time.monotonic) -> None:
        self._sweep, self._clock = sweep, clock
        self._begun = self._shown_at = clock()
        self._made = 0  # trials since
        self._step: TrialStep | None = None
        self._trial: Trial | None = None
        self._handle: DisplayHandle | None = display(self._bundle(), display_id=True)

    def __call__(self, event: SweepEvent) -> None:
        """Process an event, and show it at most twice a second."""
        match event:
            case TrialBegin():
                self._trial, self._step = event.trial, None
            case TrialStep():
                self._step = event
            case TrialEnd():
                self._made, self._trial = self._made + 1, None
        is_news = isinstance(event, TrialBegin | TrialEnd | TrialScored)
        now = self._clock()
        if now - self._shown_at >= _SECONDS_BETWEEN_VIEWS or (is_news and self._made == 0):
            self._shown_at = now
            self._show(self._bundle())

    def settle(self, *, figure: bool) -> None:
        """Show the end, with or without a picture."""
        sweep = self._sweep
        plain, html = visible(repr(sweep)), sweep_html(sweep) if figure else sweep_block(sweep, [])
        self._show(Bundle({"text/plain": plain, "text/html": html}))

    def _show(self, bundle: Bundle) -> None:
        if self._handle is not None:
            self._handle.update(bundle)

    def _bundle(self) -> Bundle:
        now = self._now()
        plain = visible("\n".join([now, repr(self._sweep)]))
        return Bundle({"text/plain": plain, "text/html": sweep_block(self._sweep, [now])})

    def _now(self) -> str:
        if self._trial is None:
            return say("choosing the next trial")
        done = 0.0 if self._step is None else self._step.done
        told = {"number": self._trial.number, "share": done}
        if (left := self._seconds_left()) is None:
            return say("trial {number}: {share:.0%}", **told)
        time_left = tqdm.format_interval(left)
        return say("trial {number}: {share:.0%}; about {time} left in all", **told, time=time_left)

    def _seconds_left(self) -> float | None:
        # As long as the trials so far took on average; no longer than the budget allows.
        sweep, elapsed = self._sweep, self._clock() - self._begun
        budget = None if sweep.config.seconds is None else sweep.config.seconds - sweep.spent
        limits = [] if budget is None else [max(budget - elapsed, 0.0)]
        if self._made and sweep.planned is not None:
            ended = sum(trial.outcome is not None for trial in sweep.trials)
            again = sweep.config.confirm or 0
            left = sweep.planned + again - ended
            present = 0.0 if self._step is None else self._step.seconds_left
            each = elapsed / self._made
            limits.append(max(left - 1, 0) * each + min(present, each))
        elif self._step is not None and sweep.planned is not None:
            limits.append(self._step.seconds_left * sweep.planned)
        return min(limits, default=None)
