"""A bar while large or many files are read, or a model reads a text for long."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from rnn_magics.notebook.line.call import Call, R
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.progress import ReadingProgress

_DELAY = 1.0  # seconds: what is read sooner needs no bar


def read_watched(call: Call[Corpus]) -> Corpus:
    """Read a text; a bar shows how far that is, if it takes long."""
    if call.function != Corpus.load:  # no files
        return call()
    return with_bar(call, "B")


def with_bar(call: Call[R], unit: str) -> R:
    """Make a call that tells how far it is; a bar shows that, if it takes long."""
    bar = ReadingBar(unit=unit)
    try:
        return call(watch=bar)
    finally:
        bar.close()


class ReadingBar:
    """A bar that goes when the text has been read.

    Parameters
    ----------
    delay
        Seconds before it is shown.
    interval
        Seconds between two updates.
    unit
        What is counted.
    """

    def __init__(self, delay: float = _DELAY, interval: float = 0.1, *, unit: str = "B") -> None:
        self._unit, self._delay, self._interval = unit, delay, interval
        self._bar: Any = None  # a tqdm

    def __call__(self, progress: ReadingProgress) -> None:
        """Show the progress."""
        if self._bar is None:
            self._bar = tqdm(
                total=progress.total,
                unit=self._unit,
                unit_scale=True,
                delay=self._delay,
                mininterval=self._interval,
                leave=False,
                file=sys.stdout,
            )
        self._bar.set_postfix_str(one_line(progress.name), refresh=False)
        self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
