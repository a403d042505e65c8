"""The heading of a step of the control panel."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import RNNWidget


class StepWidget(RNNWidget):
    """The heading of labextension/src/views/page/step.ts: a step, and whether it is done.

    Attributes
    ----------
    number, title
        Its place, and its name.
    said
        What it has made so far.
    is_done
        Whether it is ticked off.
    is_open
        Whether its form is shown; a click changes it.
    brought
        How often the page was asked to bring the step into view.
    """

    _view = traitlets.Unicode("step").tag(sync=True)
    number = traitlets.Int().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    said = traitlets.Unicode("").tag(sync=True)
    is_done = traitlets.Bool(False).tag(sync=True)
    is_open = traitlets.Bool(False).tag(sync=True)
    brought = traitlets.Int(0).tag(sync=True)
