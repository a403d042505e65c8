"""How generated texts and scores are shown."""

from __future__ import annotations

from rnn_magics.decoding.generate import Generation
from rnn_magics.decoding.score import Score
from rnn_magics.notebook.show.tables import text_table
from rnn_magics.results import Result, quoted, visible

_EDGE = 12  # rows shown at the beginning and at the end


def score_table(score: Score) -> str:
    """Show the surprise of each token."""
    rows = [
        (quoted(token), "" if bits != bits else f"{bits:.2f}")  # noqa: PLR0124  (nan: not predicted)
        for token, bits in zip(score.tokens, score.surprise, strict=True)
    ]
    if len(rows) > 2 * _EDGE:
        rows[_EDGE:-_EDGE] = [("...", "")]
    return f"{score!r}\n{text_table(('token', 'bits'), rows)}"


class Generations(Result, list[Generation]):
    """Several texts from one prefix."""

    def __repr__(self) -> str:
        """Return the texts, numbered."""
        texts = (f"[{i + 1}] {g!r}\n{visible(g.shown or g.text)}" for i, g in enumerate(self))
        return "\n\n".join(texts)
