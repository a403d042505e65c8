"""The live view of a sweep: a widget with buttons, above a table for front ends without widgets.

When the sweep ends, data for the same view take the place of the widget, with a picture for front
ends without our extension. A saved notebook keeps those, and the table as it was last.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from IPython.display import DisplayHandle, display

from rnn_magics.language import say
from rnn_magics.notebook.live.sweeps.payload import sweep_payload
from rnn_magics.notebook.live.sweeps.progress import SweepProgress
from rnn_magics.notebook.live.sweeps.table import SweepTable
from rnn_magics.notebook.show.bundle import LIVE_MIME, Bundle, forms_of
from rnn_magics.notebook.show.rich.sweeps import picture_of, shares_of, sweep_block
from rnn_magics.notebook.widgets.base import unknown_command
from rnn_magics.notebook.widgets.sweep import SweepWidget
from rnn_magics.reports.run_payload import RUN_MIME
from rnn_magics.results import visible
from rnn_magics.sweeps.sweep import SweepRuns


class Held(Protocol):
    """What can be held and ended: the work of a sweep."""

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""

    @property
    def is_paused(self) -> bool:
        """Whether it waits."""

    def pause(self) -> None:
        """Wait after the current steps."""

    def resume(self) -> None:
        """Go on."""

    def stop(self) -> None:
        """End after the current steps."""


class SweepBoard(SweepTable):
    """The live view of a sweep, which obeys its reader.

    Parameters
    ----------
    sweep
        The sweep.
    work
        What makes its trials.
    clock
        Returns seconds.
    """

    def __init__(
        self, sweep: SweepRuns, work: Held, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._work = work
        first = sweep_payload(sweep, SweepProgress(sweep, clock))
        self.widget = SweepWidget(sweep=first, words=sweep.name, is_kept=True)
        self.widget.hear_at_once()
        self.widget.on_msg(lambda _widget, command, _buffers: self.obey(command))
        self._view: DisplayHandle | None = display(self.widget, display_id=True)
        super().__init__(sweep, clock)

    def obey(self, command: Any) -> None:
        """Carry out a reader's command and show the answer."""
        self.widget.obey(command, self._do)
        self._send()  # the table is written on the thread of the cell only

    def settle(self, *, figure: bool) -> None:
        """Show the end, with or without a picture."""
        sweep, shares = self._sweep, shares_of(self._sweep)
        rows = {"text/html": sweep_block(sweep, []), "text/plain": visible(repr(sweep))}
        # The view is replaced last: if drawing the picture fails, the table is already there.
        self._update({LIVE_MIME: {}, **rows})
        name = visible(sweep.name)
        data = {RUN_MIME: sweep_payload(sweep, shares=shares), "text/plain": name}
        picture = picture_of(sweep, shares) if figure else None
        if picture is not None:
            data |= forms_of(picture, name)
        if self._view is not None:
            self._view.update(Bundle(data))

    def _do(self, command: dict[str, Any]) -> str:
        work = self._work
        if not work.is_alive:
            return say("the sweep has ended")
        known: dict[str, tuple[Callable[[], None], str]] = {
            "pause": (work.pause, say("pauses after the current step; no time of the budget runs")),
            "resume": (work.resume, say("the sweep continues")),
            "stop": (work.stop, say("stops after the current step; --resume last goes on there")),
        }
        if (found := known.get(str(command.get("type")))) is None:
            return unknown_command()
        act, said = found
        act()
        self._progress.hold(is_paused=work.is_paused)
        return said

    def _show(self) -> None:
        super()._show()
        self._send()

    def _send(self) -> None:
        with self.widget.lock:
            self.widget.sweep = sweep_payload(self._sweep, self._progress)
