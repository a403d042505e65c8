"""What every view returns: its title, its table in plain text, and what a front end draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rnn_magics.inspection.views.payload import VERSION, Payload, TextPayload, words
from rnn_magics.language import say
from rnn_magics.results import Result, brief, listed, visible
from rnn_magics.tables import aligned

_ROWS = 24


class Trace(Result, ABC):
    """What a view returns.

    Attributes
    ----------
    kind
        The ``view`` of its payload.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def title(self) -> str:
        """The title, one line."""

    @property
    def inspector(self) -> str:
        """The name of its view in `INSPECTORS`."""
        return self.kind

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture of the view, one line."""
        return self.title

    @property
    def caption(self) -> str:
        """How to read the drawing or the picture: one or two sentences."""
        return ""

    def to_data(self) -> Payload:
        """Return what a front end draws: `head` and what the view adds to it."""
        return self.head()

    def head(self) -> Payload:
        """Return what every payload begins with."""
        return {
            "view": self.kind,
            "version": VERSION,
            "heading": visible(self.heading),
            "caption": visible(self.caption),
        }

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the rows of the table under the title; the first one names the columns."""
        return ()

    def notes(self) -> Iterable[str]:
        """Return the lines under the table."""
        return ()

    def __repr__(self) -> str:
        """Return the title, the table and the notes."""
        head, *rows = [*self.rows()] or [()]
        shown = [table(head, rows)] if head else []
        return "\n".join((self.title, *shown, *self.notes()))


@dataclass(frozen=True, repr=False, eq=False)
class TextTrace(Trace):
    """What a view of a text returns.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    """

    tokens: list[Any]
    unknown: tuple[Any, ...]

    def head(self) -> TextPayload:
        """Return what the payload of every view of a text begins with."""
        return {
            **super().head(),
            "tokens": words(self.tokens),
            "unknown": words(self.unknown),
        }

    def notes(self) -> Iterable[str]:
        """Return a line that names what was read as ``<unk>``."""
        named = listed(self.unknown)
        return (say("read as <unk>: {tokens}", tokens=named),) if named else ()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows with aligned columns; a long table is shown without its middle rows."""
    lines = [tuple(head), *map(tuple, rows)]
    if len(rows) > _ROWS:
        half = _ROWS // 2
        lines[1 + half : -half] = [("...",) + ("",) * (len(head) - 1)]
    return aligned(lines)


def joined(tokens: Sequence[Any]) -> str:
    """Return tokens as one short, quoted text: characters joined, words with spaces between."""
    words = [brief(token) for token in tokens]
    return repr(("" if all(len(word) == 1 for word in words) else " ").join(words))
