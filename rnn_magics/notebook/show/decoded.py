"""How generated texts and scores are shown as text."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_magics.decoding.generate import Generation
from rnn_magics.decoding.score import Score
from rnn_magics.notebook.show.tables import heads, text_table
from rnn_magics.results import Result, brief, quoted, visible

_EDGE = 12  # rows shown at the beginning and at the end
_LIKELIER = 2  # of the alternatives


def score_text(score: Score) -> str:
    """Show a text that a model wrote with its most surprising tokens, or all tokens of another."""
    if not score.num_prefix:
        return score_table(score)
    text = visible("".join(map(brief, score.pieces)))
    rows = [token_row(score, place) for place in score.most_surprising[:_EDGE]]
    return f"{text}\n\n{score!r}\n{text_table(heads('most surprising', 'bits', 'likelier'), rows)}"


def score_table(score: Score) -> str:
    """Show the surprise of each token."""
    rows = [token_row(score, place) for place in range(len(score.tokens))]
    if len(rows) > 2 * _EDGE:
        rows[_EDGE:-_EDGE] = [("...", "", "")]
    return f"{score!r}\n{text_table(heads('token', 'bits', 'likelier'), rows)}"


def token_row(score: Score, place: int) -> tuple[str, str, str]:
    """Return a token, its bits, and what was likelier in its place."""
    bits = score.surprise[place]
    told = "" if bits != bits else f"{bits:.2f}"  # noqa: PLR0124  (nan: not predicted)
    return quoted(score.tokens[place]), told, likelier(score, place, _LIKELIER)


def likelier(score: Score, place: int, most: int) -> str:
    """Return the likeliest tokens but the one that stands there, with their probabilities."""
    others = [pair for pair in score.expected_at(place) if pair[0] != score.tokens[place]]
    return "  ".join(f"{quoted(token)} {chance:.0%}" for token, chance in others[:most])


def apart(written: Generation) -> tuple[str, str]:
    """Return the prefix of a text and what was written after it, as a display shows them."""
    shown = written.shown or written.text
    prefix = written.prefix if shown.startswith(written.prefix) else ""
    return prefix, shown[len(prefix) :]


class Generations(Result, list[Generation]):
    """Several texts from one prefix.

    Parameters
    ----------
    texts
        What was written.
    scores
        The surprise of their tokens, one for each text, if that was asked for.
    """

    def __init__(self, texts: Iterable[Generation], scores: Iterable[Score] = ()) -> None:
        super().__init__(texts)
        self.scores = tuple(scores)

    def __repr__(self) -> str:
        """Return the texts, numbered."""
        texts = (f"[{i + 1}] {g!r}\n{visible(g.shown or g.text)}" for i, g in enumerate(self))
        return "\n\n".join(texts)
