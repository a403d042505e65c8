"""Project Gutenberg: the header and the licence around a book."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

_START = re.compile(r"\*\*\* ?START OF (THE|THIS) PROJECT GUTENBERG|\*END\*? ?THE SMALL PRINT")
_END = re.compile(r"\*\*\* ?END OF (THE|THIS) PROJECT GUTENBERG|End of (the )?Project Gutenberg")
_CREDIT = re.compile(r"(Produced|Prepared|E-?text prepared|Transcribed) by\b", re.IGNORECASE)
_HEAD = 200_000  # characters: the header of no book is longer


def has_header(text: str) -> bool:
    """Whether a text, or the beginning of one, has the header of Project Gutenberg."""
    return _START.search(text, 0, _HEAD) is not None


def book_alone(pieces: Iterable[str]) -> Iterator[str]:
    """Yield a text that comes in pieces, without header, credits and licence.

    A text without the header is left as it is.
    """
    pieces, head = iter(pieces), ""
    for piece in pieces:
        head += piece
        if len(head) >= 2 * _HEAD:  # with credits behind a header at the end of the first half
            break
    start = _START.search(head, 0, _HEAD)
    if start is None:
        yield from chain([head], pieces)
        return
    _, _, rest = head[start.end() :].partition("\n")
    yield from _to_the_end(chain([_without_credits(rest)], pieces))


def _without_credits(text: str) -> str:
    text = text.lstrip("\n")
    while _CREDIT.match(text):
        text = text.partition("\n\n")[2].lstrip("\n")
    return text


def _to_the_end(pieces: Iterable[str]) -> Iterator[str]:
    # Line ends before the end mark belong to it, so they wait, and so does an unfinished line.
    waiting = ""
    for piece in pieces:
        text = waiting + piece
        if end := _at_line_start(text):
            yield text[: end.start()].rstrip("\n")
            return
        cut = len(text[: text.rfind("\n") + 1].rstrip("\n"))
        yield text[:cut]
        waiting = text[cut:]
    yield waiting


def _at_line_start(text: str) -> re.Match[str] | None:
    found = _END.finditer(text)
    return next(
        (each for each in found if text[each.start() - 1 : each.start()] in ("", "\n")), None
    )
