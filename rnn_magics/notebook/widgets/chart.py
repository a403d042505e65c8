"""Lines against steps or time."""

from __future__ import annotations

import traitlets

from rnn_magics.notebook.widgets.base import RNNWidget


class ChartWidget(RNNWidget):
    """A line chart; `data` is the payload of labextension/src/contract/plots.ts."""

    _view = traitlets.Unicode("chart").tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
