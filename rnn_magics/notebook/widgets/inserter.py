"""Lines that go into the notebook as cells."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import RNNWidget


class InserterWidget(RNNWidget):
    """Hands lines to the page; the JupyterLab extension makes cells of them.

    Where there is no such extension the line is shown, to be copied.

    Attributes
    ----------
    line
        The newest.
    count
        How many there were, so that the same line twice is two cells.
    """

    _view = traitlets.Unicode("inserter").tag(sync=True)
    line = traitlets.Unicode("").tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)

    def insert(self, line: str) -> None:
        """Put a line into the notebook."""
        with self.hold_sync():
            self.line, self.count = line, self.count + 1
