"""A look into a model."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import RNNWidget


class InspectionWidget(RNNWidget):
    """The views of labextension/src/views/inspect; `data` is the payload of a trace.

    See `rnn_magics.inspection.views.payload`; beside it ``text`` and ``run``, what was typed.
    """

    _view = traitlets.Unicode("inspection").tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
