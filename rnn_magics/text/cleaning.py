"""Cleaning: how a text is simplified before it is tokenized, whole or piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say
from rnn_magics.options import AT_LEAST_ONE, FRACTION, SEED, Options, option
from rnn_magics.text.characters import HAN, words
from rnn_magics.text.documents import (
    DOCUMENTS,
    cut,
    documents_in,
    joined,
    num_trained,
    require_several,
)
from rnn_magics.text.indexing.numbering import at_breaks

DEFAULT_VALID = 0.1
SHORT = 1000  # characters or given tokens; a tenth of fewer is too little to measure perplexity on
# A text may be cut after these marks: the lower case of a letter never depends on what follows.
_BREAKS = "\n \u3002\uff0c\uff01\uff1f"
_OTHER_LETTERS = re.compile(r"[^\W\d_\x00-\x7f]+")
_NO_CLEANING = ("valid", "test", "max_tokens", "documents", "seed")
_MANY = 0.005  # of the letters; an English text has a few others
_HAN = re.compile(f"[{HAN}]+")
_ASCII_WORDS = re.compile("[A-Za-z]+")  # the quicker pattern, for the ordinary text


@dataclass(frozen=True, repr=False)
class CorpusConfig(Options):
    """How a text is cleaned, shortened and split."""

    lower: bool = option(False, "turn the text into lower case", label="Lower case")
    letters_only: bool = option(
        False, "replace every run of non-letters by one space", label="Letters only"
    )
    simplified: bool = option(
        False,
        "turn traditional Chinese characters into simplified ones (needs OpenCC)",
        label="Simplified Chinese",
    )
    d2l: bool = option(
        False,
        "clean as Dive into Deep Learning does: each line lower case, letters a-z only",
        label="Clean as the book does",
    )
    valid: float | None = option(
        None,
        lambda: say(
            "share of the text that is held out, at its end, before a test part; by default"
            " {share:g}, or 0 for a text of fewer than {short} characters",
            share=DEFAULT_VALID,
            short=SHORT,
        ),
        within=FRACTION,
        label="Held-out share",
    )
    test: float = option(
        0.0,
        "share of the text, at its very end, that is set aside: nothing is chosen by it, and it is"
        " scored once, when a training ends",
        within=FRACTION,
        label="Test share",
    )
    max_tokens: int | None = option(
        None,
        "keep only this many tokens, the first ones; applied before the split",
        within=AT_LEAST_ONE,
        label="Most tokens",
    )
    documents: str | None = option(
        None,
        lambda: say(
            "the text is many documents, each of which begins and ends: {kinds}",
            kinds=say("; ").join(f"{name}: {say(each.help)}" for name, each in DOCUMENTS.items()),
        ),
        choices=lambda: list(DOCUMENTS),
        label="Documents",
    )
    seed: int | None = option(
        None,
        "shuffle the documents with this seed; of a task: the seed of the examples (default 0)",
        within=SEED,
        label="Seed of the order",
    )

    def held_out_share(self, length: int) -> float:
        """Return the share that is held out of so many characters or given tokens."""
        if self.valid is not None:
            return self.valid
        return DEFAULT_VALID if min(length, self.max_tokens or length) >= SHORT else 0.0

    def split_as(self, other: CorpusConfig) -> CorpusConfig:
        """Return this cleaning with the split and the length of another."""
        kept = {"valid": other.valid, "test": other.test, "max_tokens": other.max_tokens}
        return replace(self, **kept)  # type: ignore[arg-type]  # each is of its own type

    def cleaned(self) -> list[str]:
        """Return the names of the options that change the text, not its length or its split."""
        return [name for name in self.changed() if name not in _NO_CLEANING]


def clean(text: str, config: CorpusConfig) -> str:
    """Return the text, cleaned as `config` says.

    ``d2l`` is the cleaning of Dive into Deep Learning, second edition, section 8.2: each line is
    turned into lower case, every run of characters other than a-z becomes one space, and spaces
    at both ends of the line are removed.
    """
    if config.simplified:
        text = _simplified(text)
    if config.d2l:
        lines = text.split("\n")
        if lines[-1] == "":
            del lines[-1]
        return "\n".join(re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in lines)
    if config.letters_only:
        text = _letters(text)
    if config.lower:
        text = text.lower()
    return text


def letters_removed(text: str, config: CorpusConfig) -> int:
    """Return how many letters of a text, or of a piece of it, `clean` removes."""
    if not config.d2l or text.isascii():
        return 0
    return sum(map(len, _OTHER_LETTERS.findall(text)))


def letters_left(cleaned: str) -> int:
    """Return how many letters a text that was cleaned as in the book has, or a piece of it."""
    return len(cleaned) - cleaned.count(" ") - cleaned.count("\n")


def cleaned_and_lost(text: str | list[str], config: CorpusConfig, name: str) -> tuple[str, float]:
    """Return a text, or the records that are its lines, cleaned; and the share of letters removed.

    Raises
    ------
    CorpusError
        When fewer than two characters are left, or the text does not show its documents.
    """
    records, text = text, text if isinstance(text, str) else "\n".join(text)
    if config.documents is not None:
        is_cut = isinstance(records, list) and DOCUMENTS[config.documents].of_records
        documents = records if is_cut else cut(text, config.documents, name)
        return cleaned_documents(documents, config, name)
    cleaned, removed = clean(text, config), letters_removed(text, config)
    lost = share_removed(removed, letters_left(cleaned) if removed else 0)
    require_two(cleaned, name, "character", lost)
    return cleaned, lost


def cleaned_documents(
    documents: Iterable[str], config: CorpusConfig, name: str
) -> tuple[str, float]:
    """Return documents, each cleaned by itself, as the data of a corpus, and as above.

    Raises
    ------
    CorpusError
        When fewer than two characters are left, or one of them has a mark in its text, or they
        cannot be split although a share is to be held out.
    """
    removed, cleaned = 0, []
    for document in documents:
        removed += letters_removed(document, config)
        cleaned.append(clean(document, config))
    data = joined(cleaned, name, config.seed)
    left = "".join(documents_in(data))
    lost = share_removed(removed, letters_left(left) if removed else 0)
    require_two(left, name, "character", lost)
    if config.valid != 0:
        require_several(data, str(config.documents), name)
        if config.max_tokens is None:
            num_trained(documents_in(data), config.held_out_share(len(left)), name)
    return data, lost


_TOO_FEW = {
    ("character", 0): marked("{name!r} has no characters after cleaning; {why}"),
    ("character", 1): marked("{name!r} has only one character after cleaning; {why}"),
    ("token", 0): marked("{name!r} has no tokens after cleaning; {why}"),
    ("token", 1): marked("{name!r} has only one token after cleaning; {why}"),
}


def require_two(data: Sized, name: str, unit: str, lost: float = 0) -> None:
    """Refuse a text in which there is nothing to predict.

    Raises
    ------
    CorpusError
        With what the cleaning removed, if that is why.
    """
    if len(data) < 2:  # noqa: PLR2004  (one token to read and one to predict)
        text = _TOO_FEW[unit, len(data)]
        why = words_of_loss(name, lost) or say("a language model needs at least two")
        raise CorpusError(say(text, name=name, why=why))


def require_uncleaned(config: CorpusConfig, name: str) -> None:
    """Refuse to clean what is no text.

    Raises
    ------
    CorpusError
        If the options clean the characters.
    """
    if config.cleaned():
        raise CorpusError(
            say(
                "{name!r} is a sequence of tokens, and cleaning is for text; leave out {flags}",
                name=name,
                flags=say(" and ").join(f"--{each.replace('_', '-')}" for each in config.cleaned()),
            )
        )
    if config.documents is not None:
        raise CorpusError(
            say(
                "{name!r} is a sequence of tokens, and documents are texts; leave out --documents",
                name=name,
            )
        )


def share_removed(removed: int, left: int) -> float:
    """Return the share of the letters that were removed."""
    return removed / (removed + left) if removed else 0.0


def words_of_loss(name: str, share: float) -> str:
    """Return what a user has to know of the letters removed; empty if they are few."""
    if share < _MANY:
        return ""
    return say(
        "--d2l keeps the letters a to z alone: {share:.0%} of the letters of {name!r} are gone;"
        " --letters-only --lower keeps those of every script",
        share=share,
        name=name,
    )


def _simplified(text: str) -> str:
    # Run by run: so it does not depend on where a text is cut, and OpenCC meets no lone surrogate.
    convert = _converter().convert
    return _HAN.sub(lambda run: str(convert(run[0])), text)


@cache
def _converter() -> Any:
    try:
        import opencc  # noqa: PLC0415  (an optional extra)
    except ImportError:
        raise CorpusError(
            say("--simplified needs OpenCC: pip install 'rnn_magics[chinese]'")
        ) from None
    return opencc.OpenCC("t2s")


def _letters(text: str) -> str:
    # Marks and joiners go with their letter; a mark after a space or a digit goes with that.
    return " ".join((_ASCII_WORDS if text.isascii() else words()).findall(text))


def clean_pieces(pieces: Iterable[str], config: CorpusConfig) -> Iterator[str]:
    """Clean a text that comes in pieces, cut anywhere, as `clean` does."""
    if config.d2l:
        return _clean_lines(pieces, config)
    if not config.cleaned():
        return iter(pieces)
    pieces = at_breaks(pieces, _BREAKS)
    if config.simplified:
        pieces = map(_simplified, pieces)
    if config.letters_only:
        pieces = _letters_of(pieces)
    return (piece.lower() if config.lower else piece for piece in pieces)


def _clean_lines(pieces: Iterable[str], config: CorpusConfig) -> Iterator[str]:
    before = ""
    for lines in at_breaks(pieces, "\n"):
        yield before + clean(lines, config)
        before = "\n"


def _letters_of(pieces: Iterable[str]) -> Iterator[str]:
    # Every piece but the last ends at a break, which is no letter.
    started = False
    for letters in filter(None, map(_letters, pieces)):
        yield f" {letters}" if started else letters
        started = True
