"""Reports the runs of a notebook to the JupyterLab extension whenever they change.

The reports go over a comm whose id both sides know. The kernel never opens it: a page that knows
the id listens, any other front end silently drops the messages, and a reloaded page asks once for
all runs. While a cell waits for training, messages still reach the page. Commands reach the kernel
through a subshell, or the waiting cell handles them (`listening`).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from comm import create_comm, get_comm_manager
from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.errors import RNNMagicsError
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import say
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.widgets.comm import hear_at_once
from rnn_magics.training.endings import Ending

if TYPE_CHECKING:  # torch on demand
    from collections.abc import Callable

    from rnn_magics.training.events import Event
    from rnn_magics.training.job import Job
    from rnn_magics.training.run import Run

# Target and id of the comm; labextension/src/lab/kernels/kernel_link.ts has it, too.
RUNS = "rnn_magics.runs"
VERSION = 1
_ANNOUNCER = "_rnn_magics_announcer"
_SECONDS_BETWEEN_PUSHES = 0.5
_ORDERS = ("pause", "resume", "stop")


class Followed:
    """A listener that keeps the entry of a run in training up to date, on the worker's thread.

    Parameters
    ----------
    job
        The job of the run.
    changed
        Called when the entry has changed.
    background
        Whether the run trains in the background, so that no cell waits for it.
    """

    def __init__(self, job: Job, changed: Callable[[], None], *, background: bool) -> None:
        from rnn_magics.notebook.page.telemetry import Telemetry  # noqa: PLC0415  (has torch)

        self._job, self._changed, self._background = job, changed, background
        self._telemetry = Telemetry(job.run)
        self._looked_at = time.monotonic()
        self._entry = self._look()

    @property
    def run(self) -> Run:
        """The run."""
        return self._job.run

    def __call__(self, event: Event) -> None:
        """Process an event."""
        from rnn_magics.training.events import TrainEnd  # noqa: PLC0415  (has torch)

        self._telemetry(event)
        now = time.monotonic()
        if isinstance(event, TrainEnd) or now - self._looked_at >= _SECONDS_BETWEEN_PUSHES:
            self._looked_at = now
            self._entry = self._look()
            self._changed()

    def entry(self) -> dict[str, Any]:
        """Return the current entry; safe on any thread."""
        run = self.run
        entry = {**self._entry, "name": run.name, "label": one_line(run.name)}  # renamed, perhaps
        if self._job.is_paused and run.reason is None:
            entry["phase"] = "paused"
        elif run.reason == Ending.FAILED:  # no event says so if a listener failed
            entry |= {"phase": "ended", "reason": run.reason, "message": one_line(run.message)}
        return entry

    def _look(self) -> dict[str, Any]:
        from rnn_magics.notebook.page.run_entry import run_entry  # noqa: PLC0415  (has torch)

        entry = run_entry(self._telemetry.payload(), self._telemetry.curve)
        return {**entry, "background": self._background}


class Announcer:
    """Reports the runs of a session, at most twice a second, and carries out a reader's commands.

    Parameters
    ----------
    session
        The session of the notebook.
    comm
        The connection to the page; see `open_comm`.
    speaks
        Called with the language of the page, when a page tells it.
    """

    def __init__(
        self, session: Session, comm: Any, speaks: Callable[[str], None] = lambda _language: None
    ) -> None:
        self._session, self._comm, self._speaks = session, comm, speaks
        self._followed: list[Followed] = []
        self._told: dict[str, dict[str, Any]] | None = None  # by name; None: a page knows nothing
        self._pushed_at = float("-inf")
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._closed = False
        comm.on_msg(self._hear)
        for job in session.jobs.values():  # from before the extension was reloaded
            if job.is_alive:
                self.follow(job, background=True)

    def follow(self, job: Job, *, background: bool) -> None:
        """Report the progress of a job, and whether it runs in the background."""
        followed = Followed(job, self.changed, background=background)
        self._followed.append(followed)
        job.also(followed)
        self.changed()

    def changed(self) -> None:
        """Report the runs if they have changed, at most every half second."""
        with self._lock:
            if self._timer is None and not self._closed:
                wait = self._pushed_at + _SECONDS_BETWEEN_PUSHES - time.monotonic()
                self._timer = threading.Timer(max(wait, 0), self._push)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Stop reporting."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        self._comm.close()

    def _push(self) -> None:
        with self._lock:
            self._timer, self._pushed_at = None, time.monotonic()
            told, entries = self._told, self._entries()
            if entries == told:
                return
            self._told = entries
        runs = [_news(entry, (told or {}).get(name)) for name, entry in entries.items()]
        self._comm.send({"type": "runs", "version": VERSION, "runs": runs})

    def _entries(self) -> dict[str, dict[str, Any]]:
        runs = list(self._session.runs.values())
        if not runs:
            return {}
        from rnn_magics.notebook.page.run_entry import ended_entry  # noqa: PLC0415  (has torch)

        self._followed = [f for f in self._followed if any(f.run is run for run in runs)]
        of = {id(followed.run): followed for followed in self._followed}
        entries = [of[id(r)].entry() if id(r) in of else ended_entry(r) for r in runs]
        return {entry["name"]: entry for entry in entries}

    @whole_imports()
    def _hear(self, message: dict[str, Any]) -> None:
        asked = message["content"]["data"]
        if asked.get("type") == "hello":  # a newly loaded page
            with self._lock:
                self._told = None
        elif asked.get("type") == "language":
            self._speaks(str(asked.get("language")))
        elif asked.get("type") == "search":
            from rnn_magics.notebook.page.search import answer  # noqa: PLC0415  (torch on demand)

            self._comm.send(answer(self._session, asked))
        else:
            said = self._obey(asked.get("type"), asked.get("run"))
            self._comm.send({"type": "answer", "id": asked.get("id"), "said": said})
        self.changed()

    def _obey(self, order: Any, name: Any) -> str:
        # Return why the order cannot be carried out; empty if it was.
        if order not in _ORDERS or not isinstance(name, str):
            return say("the page sent a command that this version does not know; reload the page")
        try:
            job = self._session.require_job(name)
        except RNNMagicsError as error:
            return one_line(str(error))
        getattr(job, order)()
        return ""


def _news(entry: dict[str, Any], told: dict[str, Any] | None) -> dict[str, Any]:
    # A curve that the page already has is not sent again.
    known = told is not None and told["series"] == entry["series"]
    return {**entry, "series": None} if known else entry


def open_comm() -> Any:
    """Return the comm, registered with the kernel but not opened on any page."""
    made = create_comm(target_name=RUNS, comm_id=RUNS, primary=False)
    hear_at_once(made)
    get_comm_manager().register_comm(made)
    return made


def start(desk: Desk) -> None:
    """Start reporting the runs of a session, if its shell belongs to a kernel."""
    shell, preferences = desk.shell, desk.preferences
    if not desk.has_notebook:
        return
    announcer = Announcer(
        desk.session, open_comm(), lambda language: preferences.set_trait("interface", language)
    )
    setattr(shell, _ANNOUNCER, announcer)
    shell.events.register("post_execute", announcer.changed)
    announcer.changed()


def stop(shell: InteractiveShell) -> None:
    """Undo `start`."""
    announcer = shell.__dict__.pop(_ANNOUNCER, None)
    if announcer is not None:
        shell.events.unregister("post_execute", announcer.changed)
        announcer.close()


def follow(shell: InteractiveShell, job: Job, *, background: bool) -> None:
    """Report the progress of a job, if the shell has an announcer."""
    announcer = getattr(shell, _ANNOUNCER, None)
    if announcer is not None:
        announcer.follow(job, background=background)
