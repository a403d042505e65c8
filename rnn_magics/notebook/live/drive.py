"""Drives training in a notebook: on a worker thread, with the cell following it or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rnn_magics.notebook.live.background import finish_later
from rnn_magics.notebook.live.progress import Listener, Progress, progress_for, silent
from rnn_magics.notebook.page import announce
from rnn_magics.notebook.page.listening import Hearing
from rnn_magics.notebook.session.baselines import BaselineFit
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import place_figure, show_figure
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.show.notes import say_moved
from rnn_magics.notebook.show.runs import run_figure
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import Trains, tell_failure
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

if TYPE_CHECKING:
    from rnn_magics.notebook.live.dashboard import Dashboard


class Driver:
    """The ``drive`` argument of `train`, `train_seeds` and `resume_run` in a notebook.

    Parameters
    ----------
    desk
        The desk of the notebook in which the run is kept and shown.
    background
        Whether the cell returns at once.
    baseline
        Whether n-gram models are fitted during training.
    predicted
        The held-out perplexity that the user expects of every run; None if they did not say.
    trains
        What trains; by default this process.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        background: bool = False,
        baseline: bool = True,
        predicted: float | None = None,
        trains: Trains | None = None,
    ) -> None:
        self._trains = trains
        self._desk, self._background, self._baseline = desk, background, baseline
        self._predicted = predicted
        self._dashboard: Dashboard | None = None

    def __call__(
        self, run: Run, state: TrainState, listeners: Sequence[Callable[[Event], None]]
    ) -> None:
        """Train on a worker thread; unless it is a background run, follow it to the end."""
        job: Job | None = None
        try:
            job, progress, fit = self._begun(run, state, listeners)
            if self._background:
                job.start()
                return
            _follow(job, progress or silent, Hearing(self._desk.shell))
        except BaseException as error:  # even an interrupt leaves no hidden training
            if job is not None and not self._background:
                job.stop(Ending.INTERRUPTED)
            if job is None or not job.has_begun:
                tell_failure(error, listeners)  # so that they release the run
            raise
        self._show_end(run, fit, progress)

    def _begun(
        self, run: Run, state: TrainState, listeners: Sequence[Callable[[Event], None]]
    ) -> tuple[Job, Progress | None, BaselineFit | None]:
        # Everything before the first step: the display, the job, the entry in the session.
        desk = self._desk
        if self._predicted is not None:
            run.predict(self._predicted)
        fit = desk.session.baselines.fit(state.batches) if self._baseline else None
        progress: Progress | None = None
        shown: Listener | None = None
        if self._is_live:
            from rnn_magics.notebook.live.dashboard import (  # noqa: PLC0415  (anywidget on demand)
                Dashboard,
            )

            wait = (lambda: None) if fit is None else fit.wait
            shown = self._dashboard = Dashboard(run, figure=desk.preferences.figures, ladder=wait)
            desk.cell.shown.append(run)
        elif self._background:
            shown = _background_listener(desk, run, fit)
        elif desk.preferences.progress:
            progress = progress_for(desk.shell, run)
        job = Job(run, state, shown, _all_of(listeners), self._trains)
        if self._dashboard is not None:
            self._dashboard.job = job
        say_moved(run.name, desk.session.keep(run, job))
        if fit is not None:
            fit.attach(run)
        announce.follow(desk.shell, job, background=self._background)
        return job, progress, fit

    @property
    def _is_live(self) -> bool:
        return self._desk.preferences.progress and self._desk.shows_live

    def _show_end(self, run: Run, fit: BaselineFit | None, progress: Progress | None) -> None:
        if self._dashboard is None:
            _show_end(self._desk, run, fit, progress)
        else:
            self._dashboard.wait()


def _all_of(listeners: Sequence[Callable[[Event], None]]) -> Callable[[Event], None] | None:
    if not listeners:
        return None

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def _show_end(desk: Desk, run: Run, fit: BaselineFit | None, progress: Progress | None) -> None:
    # For the other kinds of progress: a dashboard does this by itself.
    verdict = ""
    if fit is not None:
        fit.wait()
        verdict = fit.note or _verdict(run)
    if progress is not None:
        progress.settle(verdict if len(run.history) else "")
    if len(run.history) and desk.preferences.figures:
        show_figure(run_figure(run), one_line(run.name) if desk.has_notebook else "")
    if progress is not None:
        progress.explain()


def _verdict(run: Run) -> str:
    return compare_with_baselines(run).words


def _follow(job: Job, progress: Listener, hearing: Hearing) -> None:
    # An interrupt reaches only this thread, which asks the worker to stop between two steps.
    while True:
        try:
            for event in job.follow(hearing.hear):
                progress(event)
        except KeyboardInterrupt:
            job.stop(Ending.INTERRUPTED)
        except Exception:  # no training may continue unseen
            job.stop(Ending.FAILED)
            raise
        else:
            return


def _background_listener(desk: Desk, run: Run, fit: BaselineFit | None) -> Listener:
    """Return a listener that shows a background run in the cell that started it.

    In a terminal it shows nothing, so that no output appears while the user types; ``%rnn`` shows
    the run.
    """
    if not desk.has_notebook:
        return silent
    progress = progress_for(desk.shell, run) if desk.preferences.progress else None
    figure = place_figure(one_line(run.name)) if desk.preferences.figures else None

    def draw() -> None:
        if figure is not None and len(run.history):
            figure(run_figure(run))

    def settle(wait: Callable[[], None]) -> None:
        wait()
        if run.ladder is not None and progress is not None:
            progress.settle(_verdict(run))
        draw()

    def listen(event: Event) -> None:
        (progress or silent)(event)
        if isinstance(event, TrainEnd):
            draw()
            if fit is not None:  # on a thread, so that the run ends without waiting
                wait = fit.wait
                finish_later(lambda: settle(wait), "baselines shown")

    return listen
