"""What a reader may choose to see: ``%config RNNMagics``."""

from __future__ import annotations

from traitlets import Bool
from traitlets.config import Configurable


class RNNMagics(Configurable):
    """Display preferences of the rnn_magics; nothing here changes a result."""

    progress = Bool(True, help="Show the progress of a training.").tag(config=True)
    figures = Bool(True, help="Show a figure when a training ends.").tag(config=True)
    live = Bool(True, help="Show a training as a live view; as text where this is off.").tag(
        config=True
    )
    stream = Bool(True, help="Show generated text while it grows, not only when it is whole.").tag(
        config=True
    )
