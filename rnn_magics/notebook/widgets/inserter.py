"""Inserts lines into the notebook as cells."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import RNNWidget


class InserterWidget(RNNWidget):
    """Sends lines to the page, where the JupyterLab extension turns them into cells.

    Without the extension, the page shows the line for copying.

    Attributes
    ----------
    line
        The latest line.
    count
        The number of lines so far, so that the same line sent twice becomes two cells.
    """

    _view = traitlets.Unicode("inserter").tag(sync=True)
    line = traitlets.Unicode("").tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)

    def insert(self, line: str) -> None:
        """Insert a line into the notebook."""
        with self.hold_sync():
            self.line, self.count = line, self.count + 1
