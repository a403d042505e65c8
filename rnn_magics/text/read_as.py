"""How the text of a run was read, so that every text the run meets later is read alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rnn_magics.text.cleaning import CorpusConfig, clean
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.series.levels import Levels, Series
from rnn_magics.text.series.read import with_levels
from rnn_magics.text.tokenizers import UNK


@dataclass(frozen=True)
class TextReading:
    """How a text was read.

    Parameters
    ----------
    cleaning
        How it was cleaned, shortened and split.
    encoding
        The encoding that was named for its files; None for UTF-8, or the one that a byte order
        mark or a server announces.
    levels
        The levels that its numbers became; None for any other text.
    files
        What its files were, and what of them was the text.
    """

    cleaning: CorpusConfig
    encoding: str | None = None
    levels: Levels | None = None
    files: FileConfig = field(default_factory=FileConfig)

    @classmethod
    def of(cls, corpus: Corpus) -> TextReading:
        """Return how a corpus was read."""
        levels = corpus.behind.levels if isinstance(corpus.behind, Series) else None
        return cls(corpus.config, corpus.encoding, levels, corpus.files)

    def __str__(self) -> str:
        """Return the options that read a text alike, e.g. ``--lower --encoding cp1252``."""
        flags = [f"--{name.replace('_', '-')}" for name in self.cleaning.cleaned()]
        if self.cleaning.documents is not None:
            flags.append(f"--documents {self.cleaning.documents}")
        encoding = [] if self.encoding is None else [f"--encoding {self.encoding}"]
        levels = [] if self.levels is None else [f"in {self.levels!r}"]
        return " ".join([*flags, *encoding, *self.files.flags(), *levels])


def corpus_as(reading: TextReading | None, corpus: Corpus) -> Corpus:
    """Return a text as it is read by a run: cleaned as its own text was, a series in its levels.

    Parameters
    ----------
    reading
        How the text of the run was read; None where nobody knows, which changes nothing.
    corpus
        The text. Its split and its length stay; what its own cleaning has removed does not come
        back.
    """
    return (
        corpus if reading is None else with_levels(corpus, reading.levels).read_as(reading.cleaning)
    )


def part_as(reading: TextReading | None, text: str, whole: Iterable[str] = ()) -> str:
    """Return a part of a text, such as a prefix, as it is read by a run.

    Parameters
    ----------
    reading
        As for `corpus_as`.
    text
        The part. A run of spaces at either end becomes one space, where a whole text would lose
        it: the text goes on there.
    whole
        Tokens that stay as they are, besides ``<unk>``.
    """
    if reading is None or not reading.cleaning.cleaned():
        return text
    kept = re.compile(f"({'|'.join(map(re.escape, (UNK, *whole)))})")
    pieces = kept.split(text)  # every second one is a token
    pieces[::2] = [_within(piece, reading.cleaning) for piece in pieces[::2]]
    return "".join(pieces)


def _within(text: str, cleaning: CorpusConfig) -> str:
    if not text or not (cleaning.d2l or cleaning.letters_only):  # the others strip no ends
        return clean(text, cleaning)
    # As it is after another letter and before one; the last letter of a word keeps its own form.
    after, between = clean(f"x{text}", cleaning)[1:], clean(f"x{text}x", cleaning)[1:-1]
    if cleaning.d2l:  # the lines of the book are joined without their ends
        after, between = (part.replace("\n", "") for part in (after, between))
    if not after:
        return between[:1]
    return f"{after}{' ' * between.endswith(' ')}"
