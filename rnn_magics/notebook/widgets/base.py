"""What all widgets share: one bundle, made of labextension/ when the package is built."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from rnn_magics.errors import RNNMagicsError

STATIC = Path(__file__).parent / "static"


class RNNWidget(anywidget.AnyWidget):
    """A view of the bundle, chosen by `_view`.

    Raises
    ------
    RNNMagicsError
        The bundle was not built.
    """

    _esm = STATIC / "widgets.js"
    _css = STATIC / "widgets.css"
    _view = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        if not (STATIC / "widgets.js").is_file():
            message = "the views of rnn_magics are not built; type: pip install ."
            raise RNNMagicsError(message)
        super().__init__(**traits)
