"""Texts that a model wrote."""

from __future__ import annotations

from rnn_magics.decoding.generate import Generation
from rnn_magics.notebook.show.escape import visible


class Generations(list[Generation]):
    """Several texts from one prefix."""

    def __repr__(self) -> str:
        """Each text, numbered."""
        texts = (f"[{i + 1}] {g!r}\n{visible(g.text)}" for i, g in enumerate(self))
        return "\n\n".join(texts)
