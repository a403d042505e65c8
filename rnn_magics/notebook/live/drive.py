"""Who drives a training in a notebook: a worker thread, followed by the cell or left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rnn_magics.notebook.live.background import finish_later
from rnn_magics.notebook.live.dashboard import Dashboard
from rnn_magics.notebook.live.progress import Listener, Progress, progress_for, silent
from rnn_magics.notebook.page import announce
from rnn_magics.notebook.page.listening import Hearing
from rnn_magics.notebook.session.baselines import BaselineFit
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import place_figure, show_figure
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.show.notes import say_moved
from rnn_magics.notebook.show.runs import CAPTION, run_figure
from rnn_magics.reports.standing import standing
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState


class Driver:
    """What `train`, `train_seeds` and `resume_run` take as ``drive`` in a notebook.

    Parameters
    ----------
    desk
        Where the run is kept and shown.
    background
        Whether the cell returns at once.
    baseline
        Whether n-gram models are fitted meanwhile.
    """

    def __init__(self, desk: Desk, *, background: bool = False, baseline: bool = True) -> None:
        self._desk, self._background, self._baseline = desk, background, baseline

    def __call__(
        self, run: Run, state: TrainState, listeners: Sequence[Callable[[Event], None]]
    ) -> None:
        """Train on a worker thread; unless in the background, follow it to its end."""
        desk = self._desk
        fit = desk.session.baselines.fit(state.batches) if self._baseline else None
        dashboard = self._dashboard(run, fit)
        progress: Progress | None = None
        shown: Listener | None = dashboard
        if dashboard is None and self._background:
            shown = _background_listener(desk, run, fit)
        elif dashboard is None and desk.preferences.progress:
            progress = progress_for(desk.shell, run)
        job = Job(run, state, shown, _all_of(listeners))
        if dashboard is not None:
            dashboard.job = job
        say_moved(run.name, desk.session.keep(run, job))
        if fit is not None:
            fit.attach(run)
        announce.follow(desk.shell, job, background=self._background)
        if self._background:
            job.start()
            return
        try:
            _follow(job, progress or silent, Hearing(desk.shell))
        except BaseException:  # an interrupt between two lines of ours: nothing trains unseen
            job.stop("interrupted")
            raise
        if dashboard is None:
            _show_end(desk, run, fit, progress)
        else:
            dashboard.wait()

    def _dashboard(self, run: Run, fit: BaselineFit | None) -> Dashboard | None:
        # None where there is no notebook, or none is wished.
        wanted = self._desk.preferences
        if not (wanted.progress and self._desk.shows_live):
            return None
        wait = (lambda: None) if fit is None else fit.wait
        return Dashboard(run, figure=wanted.figures, ladder=wait)


def _all_of(listeners: Sequence[Callable[[Event], None]]) -> Callable[[Event], None] | None:
    if not listeners:
        return None

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def _show_end(desk: Desk, run: Run, fit: BaselineFit | None, progress: Progress | None) -> None:
    # What a dashboard leaves by itself.
    if fit is not None:
        fit.wait()
    if not len(run.history):
        return
    if progress is not None and run.ladder is not None:
        progress.settle()
    if desk.preferences.figures:
        show_figure(run_figure(run), CAPTION)
    if fit is not None and desk.preferences.progress:
        print(one_line(fit.note or standing(run).words))


def _follow(job: Job, progress: Listener, hearing: Hearing) -> None:
    # An interrupt reaches this thread only; the worker is asked to stop, between two steps.
    while True:
        try:
            for event in job.follow(hearing.hear):
                progress(event)
        except KeyboardInterrupt:
            job.stop("interrupted")
        except Exception:  # of the progress or the worker: nothing may go on unseen
            job.stop("failed")
            raise
        else:
            return


def _background_listener(desk: Desk, run: Run, fit: BaselineFit | None) -> Listener:
    """Return what shows a background run in the cell that started it.

    In a terminal nothing is written between the lines that somebody types: ``%rnn`` tells.
    """
    if not desk.has_notebook:
        return silent
    progress = progress_for(desk.shell, run) if desk.preferences.progress else None
    figure = place_figure() if desk.preferences.figures else None

    def draw() -> None:
        if figure is not None and len(run.history):
            figure(run_figure(run), CAPTION)

    def settle(wait: Callable[[], None]) -> None:
        wait()
        if run.ladder is not None and progress is not None:
            progress.settle()
        draw()

    def listen(event: Event) -> None:
        (progress or silent)(event)
        if isinstance(event, TrainEnd):
            draw()
            if fit is not None:  # not here, or the run would not be over before they are fitted
                wait = fit.wait
                finish_later(lambda: settle(wait), "baselines shown")

    return listen
