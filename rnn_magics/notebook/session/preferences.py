"""The display preferences: ``%config RNNMagics``."""

from __future__ import annotations

from traitlets import Bool
from traitlets.config import Configurable


class RNNMagics(Configurable):
    """Display preferences of rnn_magics; none of them changes a result."""

    progress = Bool(True, help="Show progress during training.").tag(config=True)
    figures = Bool(True, help="Show a figure when training ends.").tag(config=True)
    live = Bool(True, help="Show training in a live view; as text when this is off.").tag(
        config=True
    )
    stream = Bool(True, help="Show generated text as it is written, not only at the end.").tag(
        config=True
    )
