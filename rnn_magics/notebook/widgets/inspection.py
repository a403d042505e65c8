"""The live view of an inspection."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import RNNWidget


class InspectionWidget(RNNWidget):
    """The views of labextension/src/views/inspect.

    `data` is the payload of a trace, see `rnn_magics.inspection.views.payload`, together with the
    ``text`` and ``run`` that were typed.
    """

    _view = traitlets.Unicode("inspection").tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
