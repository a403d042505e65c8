"""The table of a sweep: how it stands, written anew as trials are made."""

from __future__ import annotations

import time
from collections.abc import Callable

from IPython.display import DisplayHandle, display

from rnn_magics.notebook.live.sweeps.progress import SweepProgress
from rnn_magics.notebook.show.bundle import Bundle
from rnn_magics.notebook.show.rich.sweeps import sweep_block, sweep_html
from rnn_magics.results import visible
from rnn_magics.sweeps.events import SweepEvent, TrialBegin, TrialEnd, TrialScored
from rnn_magics.sweeps.sweep import SweepRuns

_SECONDS_BETWEEN_VIEWS = 0.5


class SweepTable:
    """One output that is rewritten: a row for each trial, and how far they are.

    It needs no more than a front end that shows HTML, or text, and a saved notebook keeps it.

    Parameters
    ----------
    sweep
        The sweep.
    clock
        Returns seconds.
    """

    def __init__(self, sweep: SweepRuns, clock: Callable[[], float] = time.monotonic) -> None:
        self._sweep, self._clock = sweep, clock
        self._progress = SweepProgress(sweep, clock)
        self._shown_at = clock()
        self._handle: DisplayHandle | None = display(self._bundle(), display_id=True)

    def __call__(self, event: SweepEvent) -> None:
        """Process an event, and show it at most twice a second."""
        self._progress(event)
        is_news = isinstance(event, TrialBegin | TrialEnd | TrialScored)
        now = self._clock()
        is_first = is_news and self._progress.made == 0
        if now - self._shown_at >= _SECONDS_BETWEEN_VIEWS or is_first:
            self._shown_at = now
            self._show()

    def settle(self, *, figure: bool) -> None:
        """Show the end, with or without a picture."""
        sweep = self._sweep
        html = sweep_html(sweep) if figure else sweep_block(sweep, [])
        self._update({"text/plain": visible(repr(sweep)), "text/html": html})

    def _show(self) -> None:
        self._update(self._bundle().data)

    def _update(self, forms: dict[str, object]) -> None:
        if self._handle is not None:
            self._handle.update(Bundle(forms))

    def _bundle(self) -> Bundle:
        now = self._progress.words
        plain = visible("\n".join([now, repr(self._sweep)]))
        return Bundle({"text/plain": plain, "text/html": sweep_block(self._sweep, [now])})
