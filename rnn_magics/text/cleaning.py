"""Cleaning: how a text is simplified before it is tokenized, whole or piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rnn_magics.options import AT_LEAST_ONE, FRACTION, Options, option
from rnn_magics.text.indexing.numbering import at_breaks

DEFAULT_VALID = 0.1
SHORT = 1000  # characters or given tokens; a tenth of fewer is too little to measure perplexity on
# A text may be cut after these marks: the lower case of a letter never depends on what follows.
_BREAKS = "\n \u3002\uff0c\uff01\uff1f"


@dataclass(frozen=True, repr=False)
class CorpusConfig(Options):
    """How a text is cleaned, shortened and split."""

    lower: bool = option(False, "turn the text into lower case")
    letters_only: bool = option(False, "replace every run of non-letters by one space")
    d2l: bool = option(
        False, "clean as Dive into Deep Learning does: each line lower case, letters a-z only"
    )
    valid: float | None = option(
        None,
        f"share of the text that is held out, at its end; by default {DEFAULT_VALID:g},"
        f" or 0 for a text of fewer than {SHORT} characters",
        within=FRACTION,
    )
    max_tokens: int | None = option(
        None,
        "keep only this many tokens, the first ones; applied before the split",
        within=AT_LEAST_ONE,
    )

    def cleaned(self) -> list[str]:
        """Return the names of the options that change the text, not its length or its split."""
        return [name for name in self.changed() if name not in ("valid", "max_tokens")]


def clean(text: str, config: CorpusConfig) -> str:
    """Return the text, cleaned as `config` says.

    ``d2l`` is the cleaning of Dive into Deep Learning, second edition, section 8.2: each line is
    turned into lower case, every run of characters other than a-z becomes one space, and spaces
    at both ends of the line are removed.
    """
    if config.d2l:
        lines = text.split("\n")
        if lines[-1] == "":
            del lines[-1]
        return "\n".join(re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in lines)
    if config.letters_only:
        text = _spaced(text).strip()
    if config.lower:
        text = text.lower()
    return text


def _spaced(text: str) -> str:
    return re.sub(r"[\W\d_]+", " ", text)


def clean_pieces(pieces: Iterable[str], config: CorpusConfig) -> Iterator[str]:
    """Clean a text that comes in pieces, cut anywhere, as `clean` does."""
    if config.d2l:
        return _clean_lines(pieces, config)
    if not config.letters_only and not config.lower:
        return iter(pieces)
    pieces = at_breaks(pieces, _BREAKS)
    if config.letters_only:
        pieces = _letters_of(pieces)
    return (piece.lower() if config.lower else piece for piece in pieces)


def _clean_lines(pieces: Iterable[str], config: CorpusConfig) -> Iterator[str]:
    before = ""
    for lines in at_breaks(pieces, "\n"):
        yield before + clean(lines, config)
        before = "\n"


def _letters_of(pieces: Iterable[str]) -> Iterator[str]:
    # At most one space between two pieces, and none at either end of the text.
    between = started = False
    for piece in map(_spaced, pieces):
        letters = piece.strip()
        if letters:
            space = started and (between or piece[0] == " ")
            yield f" {letters}" if space else letters
            started, between = True, piece[-1] == " "
        else:
            between = between or bool(piece)
