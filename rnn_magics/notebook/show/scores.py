"""How a score looks."""

from __future__ import annotations

from rnn_magics.decoding.score import Score
from rnn_magics.notebook.show.tables import text_table

_EDGE = 12  # rows at the beginning and at the end


def score_text(score: Score) -> str:
    """Show the surprise of each token."""
    rows = [
        (repr(token), "" if bits != bits else f"{bits:.2f}")  # noqa: PLR0124  (nan: not predicted)
        for token, bits in zip(score.tokens, score.surprise, strict=True)
    ]
    if len(rows) > 2 * _EDGE:
        rows[_EDGE:-_EDGE] = [("...", "")]
    return f"{score!r}\n{text_table(('token', 'bits'), rows)}"
