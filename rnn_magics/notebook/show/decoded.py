"""How generated texts and scores are shown as text."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_magics.decoding.generate import Generation
from rnn_magics.decoding.score import Score
from rnn_magics.inspection.novelty import Novelty
from rnn_magics.language import say, say_number
from rnn_magics.notebook.show.novelty import novelty_text
from rnn_magics.notebook.show.tables import heads, text_table
from rnn_magics.results import Result, brief, quoted, visible
from rnn_magics.tables import fitting
from rnn_magics.text.documents import EOS

_EDGE = 12  # rows shown at the beginning and at the end
_LIKELIER = 2  # of the alternatives
_WIDEST = 80  # characters of a document in a list


def score_text(score: Score) -> str:
    """Show a text that a model wrote with its most surprising tokens, or all tokens of another."""
    if not score.num_prefix:
        return score_table(score)
    text = visible("".join(map(brief, score.pieces)))
    rows = [token_row(score, place) for place in score.most_surprising[:_EDGE]]
    table = text_table(heads("most surprising", "bits", "likelier"), rows)
    return f"{text}\n\n{fitting(repr(score))}\n{table}"


def score_table(score: Score) -> str:
    """Show the surprise of each token."""
    rows = [token_row(score, place) for place in range(len(score.tokens))]
    if len(rows) > 2 * _EDGE:
        rows[_EDGE:-_EDGE] = [("...", "", "")]
    return f"{fitting(repr(score))}\n{text_table(heads('token', 'bits', 'likelier'), rows)}"


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
    are_documents
        Whether each of them is a document, so that short ones are listed, one a line.

    Attributes
    ----------
    novelties : tuple of Novelty
        What is copied in each text, if that was asked for.
    known : tuple of bool
        Which documents are in the training text; empty where that is not known.
    """

    def __init__(
        self,
        texts: Iterable[Generation],
        scores: Iterable[Score] = (),
        *,
        are_documents: bool = False,
    ) -> None:
        super().__init__(texts)
        self.scores = tuple(scores)
        self.known: tuple[bool, ...] = ()
        self.novelties: tuple[Novelty, ...] = ()
        self._are_documents = are_documents

    @property
    def is_list(self) -> bool:
        """Whether each of them fits a line."""
        shown = [text.shown or text.text for text in self]
        return (
            self._are_documents
            and all(len(f"{each}.".splitlines()) == 1 for each in shown)
            and (max(map(len, shown), default=0) <= _WIDEST)
        )

    @property
    def lines(self) -> list[str]:
        """The documents, a line for each: ``*`` is behind one that is in the training text."""
        known = self.known or (False,) * len(self)
        return [
            f"{text.shown or text.text}{'' if text.tokens[-1] == EOS else ' ...'}{' *' * is_known}"
            for text, is_known in zip(self, known, strict=True)
        ]

    @property
    def said(self) -> str:
        """How many there are, and how many of them are known."""
        if not self.known:
            return say("{number} documents", number=len(self))
        return say_number(
            sum(self.known),
            "{number} documents, of which {known} is in the training text (*)",
            "{number} documents, of which {known} are in the training text (*)",
            number=len(self),
            known=sum(self.known),
        )

    def __repr__(self) -> str:
        """Return the texts, numbered; short documents as a list."""
        if self.is_list and not self.scores:
            told = [self.said, *(f"  {visible(line, keep='')}" for line in self.lines)]
            return "\n".join([*told, *map(novelty_text, self.novelties)])
        texts = [f"[{i + 1}] {g.said}\n{visible(g.shown or g.text)}" for i, g in enumerate(self)]
        if self.novelties:
            texts = [
                f"[{i}] {text.said}\n{novelty_text(novelty, apart(text)[0])}"
                for i, (text, novelty) in enumerate(zip(self, self.novelties, strict=True), start=1)
            ]
        return "\n\n".join(texts)
