"""The live view of a sweep, and the buttons that hold and end it."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import CommandedWidget


class SweepWidget(CommandedWidget):
    """The view of labextension/src/views/sweeps/board.ts.

    Attributes
    ----------
    sweep
        What `rnn_magics.notebook.live.sweeps.payload.sweep_payload` returns.
    """

    _view = traitlets.Unicode("sweep").tag(sync=True)
    sweep = traitlets.Dict().tag(sync=True)
