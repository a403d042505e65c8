"""A sweep while it runs: on a worker thread, with the cell following it and a view that fills.

An interrupt reaches the thread of the cell only, which asks the sweep to stop: the trial is saved
after its current step, and `%sweep --resume` goes on from there.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterator

from rnn_magics.notebook.live.sweeps.table import SweepTable
from rnn_magics.notebook.page.listening import Hearing
from rnn_magics.notebook.session.baselines import BaselineFit
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.sweeps.events import Events, SweepEvent, TrialEnd, TrialStep
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.training.job import SECONDS_BETWEEN_STEPS_TOLD

_SECONDS_BETWEEN_LOOKS = 0.1
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

    def __call__(self, sweep: SweepRuns, events: Events) -> None:
        """Make the trials on a worker thread, and follow them to the end."""
        work = Work(events)
        fit = None if sweep.space.has_other_tokens else self._fit
        if fit is not None:
            fit.attach(sweep)
        view = self._view(sweep, work)
        hearing = Hearing(self._desk.shell)
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
        if fit is not None:
            fit.wait()
        if isinstance(view, SweepTable):
            view.settle(figure=self._desk.preferences.figures)

    def _view(self, sweep: SweepRuns, work: Work) -> Callable[[SweepEvent], None]:
        desk = self._desk
        if not desk.preferences.progress:
            return _unseen
        if not desk.has_notebook:
            return _tell
        desk.cell.shown.append(sweep)
        if not desk.shows_live:
            return SweepTable(sweep)
        from rnn_magics.notebook.live.sweeps.board import (  # noqa: PLC0415  (anywidget on demand)
            SweepBoard,
        )

        return SweepBoard(sweep, work)


class Work:
    """Events that are made on a thread of their own.

    Parameters
    ----------
    events
        ``events(stopped, paused)`` yields them, and asks between steps whether to stop or wait.
    """

    def __init__(self, events: Events) -> None:
        self._events, self._queue = events, queue.SimpleQueue[SweepEvent | None]()
        self._stopped, self._paused = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="rnn-sweep", daemon=True)
        self._has_begun = False

    def stop(self) -> None:
        """Ask for the end after the current step."""
        self._stopped.set()

    def pause(self) -> None:
        """Ask for a wait after the current step."""
        self._paused.set()

    def resume(self) -> None:
        """Go on after a pause."""
        self._paused.clear()

    @property
    def is_paused(self) -> bool:
        """Whether a wait was asked for, and not yet its end."""
        return self._paused.is_set() and not self._stopped.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether there may be more events."""
        return not self._has_begun or self._thread.is_alive()

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
            for event in self._events(self._stopped.is_set, self._paused.is_set):
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
