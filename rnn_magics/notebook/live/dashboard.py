"""The training dashboard in a notebook: a live view that also takes commands.

It listens on the worker thread of the run, so it is updated while a cell waits for training and
while other cells run. When the run ends, data for the same view take its place, with a picture and
a table for front ends without our extension. A saved notebook keeps those, whereas a widget without
a kernel would be an empty box.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from IPython.display import DisplayHandle, display

from rnn_magics.digits import rounded
from rnn_magics.language import say
from rnn_magics.notebook.live.background import finish_later
from rnn_magics.notebook.live.progress import first_line
from rnn_magics.notebook.live.sample_text import Samples
from rnn_magics.notebook.page.telemetry import Telemetry
from rnn_magics.notebook.show.bundle import LIVE_MIME, Bundle, forms_of
from rnn_magics.notebook.show.escape import escaped, one_line
from rnn_magics.notebook.show.runs import run_figure, run_table
from rnn_magics.notebook.show.tables import html_table, text_table
from rnn_magics.notebook.widgets.base import unknown_command
from rnn_magics.notebook.widgets.training import TrainingWidget
from rnn_magics.reports.run_notes import baselines_note, run_notes
from rnn_magics.reports.run_payload import RUN_MIME, saved_payload, series_bytes
from rnn_magics.training.curve import MOST_POINTS
from rnn_magics.training.events import EpochEnd, Event, StepEnd, TrainEnd
from rnn_magics.training.job import SECONDS_BETWEEN_STEPS_TOLD, Job
from rnn_magics.training.run import Run, state_of


class Dashboard:
    """A listener that shows a run and carries out the commands of its reader.

    Parameters
    ----------
    run
        The run in training.
    figure
        Whether a picture stays after the run has ended.
    ladder
        Waits for the baselines of the run; the picture is then drawn again with them.

    Attributes
    ----------
    widget : TrainingWidget
        The view.
    job : Job or None
        The job that commands act on; set it before the run starts.
    """

    def __init__(
        self, run: Run, *, figure: bool, ladder: Callable[[], None] = lambda: None
    ) -> None:
        self._run, self._figure, self._ladder = run, figure, ladder
        self._later: threading.Thread | None = None
        self._telemetry = Telemetry(run)
        self._samples = Samples(run)
        self._shown_at = 0.0
        self.job: Job | None = None
        self.widget = TrainingWidget(run=self._payload(), words=first_line(run), is_kept=True)
        self.widget.hear_at_once()
        self.widget.on_msg(lambda _widget, command, _buffers: self.obey(command))
        self._view: DisplayHandle | None = display(self.widget, display_id=True)
        self._table: DisplayHandle | None = display(Bundle(_lines(run)), display_id=True)

    def __call__(self, event: Event) -> None:
        """Process an event, and update the view for each step that is told."""
        self._telemetry(event)
        if isinstance(event, TrainEnd):
            if epochs := len(self._run.history):
                self._samples.keep(epochs, is_last=True)
            self._show()
            self._settle()
            # On a thread, so that the run ends without waiting for the baselines.
            self._later = finish_later(self._settle_again, "baselines shown")
            return
        if isinstance(event, EpochEnd):
            self._samples.keep(event.epoch, is_last=False)
        elif isinstance(event, StepEnd):
            self._samples.write_now()
        now = time.monotonic()
        # Epochs may be shorter than the time between two steps that are told.
        is_late = now - self._shown_at >= SECONDS_BETWEEN_STEPS_TOLD
        if isinstance(event, StepEnd) or is_late:
            self._shown_at = now
            self._show()

    def wait(self) -> None:
        """Wait until the output that a saved notebook keeps is complete."""
        if self._later is not None:
            self._later.join()

    def _settle_again(self) -> None:
        before = self._run.ladder
        self._ladder()
        if before is None and self._run.ladder is not None:
            self._settle()

    def obey(self, command: Any) -> None:
        """Carry out a reader's command and show the answer."""
        self.widget.obey(command, self._do)
        self._show()

    def _do(self, command: dict[str, Any]) -> str:
        job, kind = self.job, str(command.get("type"))
        if kind == "predict":  # before the training begins, too
            self._run.predict(command.get("perplexity"))  # type: ignore[arg-type]  # it looks
            expected = rounded(self._run.predicted)
            return say("your prediction: held-out perplexity {perplexity}", perplexity=expected)
        if job is None or not job.is_alive:
            return say("the run has ended")
        simple: dict[str, tuple[Callable[[], None], str]] = {
            "pause": (job.pause, say("pauses after the current step")),
            "resume": (job.resume, say("training continues")),
            "stop": (job.stop, say("stops after the current step; the model is kept")),
        }
        if kind in simple:
            act, said = simple[kind]
            act()
            return said
        if kind != "steer":
            return unknown_command()
        job.steer(**{name: value for name, value in command.items() if name != "type"})
        return f"{self._run.steered[-1]}"

    def _payload(self) -> dict[str, Any]:
        paused = self.job is not None and self.job.is_paused
        return {**self._telemetry.payload(paused=paused), "sample": self._samples.newest}

    def _show(self) -> None:
        with self.widget.lock, self.widget.hold_sync():
            curve = self._telemetry.curve
            self.widget.loss = series_bytes(curve.loss, MOST_POINTS)
            self.widget.grad_norm = series_bytes(curve.grad_norm, MOST_POINTS)
            self.widget.samples = self._samples.kept
            self.widget.run = self._payload()

    def _settle(self) -> None:
        # The view is replaced last: if drawing the picture fails, the table is already there.
        if self._table is not None:
            self._table.update(Bundle(_lines(self._run)))
        if self._view is not None and len(self._run.history):
            told = {"done": self._telemetry.done, "samples": self._samples.kept}
            self._view.update(Bundle(run_bundle(self._run, figure=self._figure, **told)))


def run_bundle(run: Run, *, figure: bool, **more: Any) -> dict[str, Any]:
    """Return a run as a notebook keeps it: data for views, a picture, its curves in characters."""
    data: dict[str, Any] = {RUN_MIME: saved_payload(run, **more), "text/plain": one_line(run.name)}
    if figure:
        data |= forms_of(run_figure(run), data["text/plain"])
    return data


def _lines(run: Run) -> dict[str, Any]:
    # The first line of a run, its epochs and notes on them, rich and plain.
    first, (head, rows) = first_line(run), run_table(run)
    told = [*run_notes(run), *baselines_note(run)]
    notes = (
        []
        if run.reason is None
        else [say("ended: {reason}", reason=state_of(run)), *map(one_line, told)]
    )
    table = [text_table(head, rows)] if rows else []
    rich = [f"<div>{escaped(line)}</div>" for line in (first, *notes)]
    if rows:
        rich.insert(1, html_table(head, rows))
    plain = "\n".join([first, *table, *notes])
    lines = {"text/plain": plain, "text/html": "".join(rich)}
    is_drawn = run.reason is None or len(run.history) > 0
    # Where our extension draws the card above, these lines are in it, and nothing stands here.
    return {LIVE_MIME: {}, **lines} if is_drawn else lines
