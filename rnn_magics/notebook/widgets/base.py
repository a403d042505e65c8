"""What all widgets share: one bundle, made of labextension/ when the package is built."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from rnn_magics.errors import RNNMagicsError
from rnn_magics.notebook.widgets.comm import hear_at_once

STATIC = Path(__file__).parent / "static"
_BUILT = (STATIC / "widgets.js").is_file()  # anywidget wants the files when a class is made


class RNNWidget(anywidget.AnyWidget):
    """A view of the bundle, chosen by `_view`.

    Raises
    ------
    RNNMagicsError
        The bundle was not built.
    """

    _esm = STATIC / "widgets.js" if _BUILT else "export default {}"
    _css = STATIC / "widgets.css" if _BUILT else ""
    _view = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        if not _BUILT:
            msg = (
                "the live views of rnn_magics are not built; install the package anew, or type"
                " %config RNNMagics.live = False"
            )
            raise RNNMagicsError(msg)
        super().__init__(**traits)

    def hear_at_once(self) -> None:
        """Let the messages of a page be handled while a cell runs, where the kernel can."""
        hear_at_once(self.comm)
