"""The live view of a run in training, and the commands that steer it."""

from __future__ import annotations

from typing import Any

import traitlets

from rnn_magics.notebook.widgets.base import CommandedWidget


class TrainingWidget(CommandedWidget):
    """The view of labextension/src/views/runs/dashboard.ts.

    Everything that it draws is in its traits, so a reloaded page has all of it.

    Attributes
    ----------
    run
        What `rnn_magics.notebook.page.telemetry.Telemetry.payload` returns.
    loss, grad_norm
        Rows of four float32 numbers; see `rnn_magics.reports.run_payload.series_bytes`.
    samples
        What the model wrote after its epochs: a list of ``epoch`` and ``text``. Apart from `run`,
        since it changes less often.
    """

    _view = traitlets.Unicode("training").tag(sync=True)
    run = traitlets.Dict().tag(sync=True)
    loss = traitlets.Bytes().tag(sync=True)
    grad_norm = traitlets.Bytes().tag(sync=True)
    samples: traitlets.List[Any] = traitlets.List().tag(sync=True)
