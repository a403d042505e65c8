"""Tokenizers: how text becomes tokens, and how tokens become text again.

A tokenizer is two functions. ``split(text)`` returns the tokens. ``glue(previous, token)`` returns
the text that `token` adds after `previous`, so that text can be written one token at a time. To add
a tokenizer, write the two functions and a line in `TOKENIZERS`. One that has to be learnt from a
text has a `Learning` besides.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say
from rnn_magics.text import characters
from rnn_magics.text.characters import HAN
from rnn_magics.text.splitting import bpe
from rnn_magics.text.splitting.bytewise import BYTES, ByteTokenizer, byte_codes, split_bytes
from rnn_magics.text.splitting.graphemes import split_graphemes
from rnn_magics.text.splitting.tokenizer import Learning, Learnt, Tokenizer, glue_plainly

UNK = "<unk>"
APOSTROPHES = r"['\u2019]"


def kinds_of_words(letters: str, joined: str, attached: str) -> list[str]:
    """Return the patterns of the tokens of a text, but Chinese words.

    Parameters
    ----------
    letters
        A pattern for a run of letters.
    joined, attached
        Patterns for what may follow a letter and what may follow a symbol; see `characters`.
    """
    word = f"{letters}(?:{joined}+(?:{letters})?)*"
    emoji = f"[{characters.PICTOGRAPHS}]{attached}*"
    return [
        re.escape(UNK),
        f"{word}(?:{APOSTROPHES}{word})*",  # don't
        r"\d\ufe0f?\u20e3",  # a key
        rf"\d+(?:{joined}+\d*)*",
        r"\n",
        f"{characters.FLAG}{attached}*",
        rf"{emoji}(?:(?<=\u200d){emoji})*",
        rf"[^\w\s]{attached}*",
        f"_{attached}*",
    ]


@cache
def _words() -> re.Pattern[str]:
    joined = characters.joined()
    kinds = kinds_of_words(rf"(?:(?![{HAN}])[^\W\d_])+", joined, characters.attached())
    return re.compile("|".join((f"(?P<han>[{HAN}]+(?:{joined}+[{HAN}]*)*)", *kinds)))


_NO_SPACE_BEFORE = set(".,;:!?)]}%\u2019\u201d\u2026")
_NO_SPACE_AFTER = set("([{\u2018\u201c")
_FULL_WIDTH = re.compile(rf"[{HAN}\u3000-\u303f\uff00-\uffef]")


def split_words(text: str) -> list[str]:
    """Split into words, numbers, single punctuation marks and line ends.

    Runs of letters are words, also with an apostrophe inside (``don't``); runs of digits are
    numbers. Every other symbol is a token by itself, and so is a line end. Combining marks and
    joiners belong to the character before them, and an emoji that is made of several characters
    is one token. Other white space only separates tokens. Runs of Han characters are segmented by
    jieba.

    Raises
    ------
    CorpusError
        When the text has Han characters and jieba is not installed.
    """
    tokens: list[str] = []
    for match in _words().finditer(text):
        if match["han"]:
            tokens.extend(_segment_han(match["han"]))
        else:
            tokens.append(match[0])
    return tokens


def _segment_han(run: str) -> list[str]:
    try:
        import jieba  # noqa: PLC0415  (an optional extra)
    except ImportError:
        raise CorpusError(
            say(
                "splitting Chinese text into words needs jieba: pip install"
                " 'rnn_magics[chinese]', or use characters: %vocab --token char"
            )
        ) from None
    jieba.setLogLevel("WARNING")
    joined = characters.joined()
    each = iter(re.findall(f"[{HAN}]{joined}*", run))  # jieba knows no characters with marks
    return ["".join(islice(each, len(word))) for word in jieba.cut(re.sub(joined, "", run))]


def glue_words(previous: str | None, token: str) -> str:
    """Put a space between words, but not around line ends, brackets or Han characters."""
    if previous is None or "\n" in (previous, token):
        return token
    if previous.endswith("\u200d") or re.match(characters.joined(), token):
        return f" {token}"  # else the two would read as one
    if token in _NO_SPACE_BEFORE or previous in _NO_SPACE_AFTER:
        return token
    if _FULL_WIDTH.match(token) or _FULL_WIDTH.match(previous):
        return token
    return f" {token}"


def _split_items(text: str) -> list[str]:
    # Only a prefix is split this way: a corpus of given tokens never is.
    return text.split()


def _glue_items(previous: object, token: object) -> str:
    return str(token) if previous is None else f" {token}"


TOKENIZERS: dict[str, Tokenizer] = {
    "char": Tokenizer(list, glue_plainly, marked("single characters"), breaks=""),
    "word": Tokenizer(
        split_words,
        glue_words,
        marked("words, numbers and punctuation marks"),
        breaks="\n \u3002\uff0c\uff01\uff1f",  # Chinese has full-width marks instead of spaces
    ),
    "bpe": ByteTokenizer(
        bpe.split_unlearnt,
        glue_plainly,
        bpe.HELP,
        breaks="\n",
        alphabet=BYTES,
        learning=Learning(bpe.learn_pairs, bpe.bpe),
    ),
    "grapheme": Tokenizer(
        split_graphemes,
        glue_plainly,
        marked("what a reader takes for one character, with its marks"),
        breaks="\n",  # no cluster goes on after it
    ),
    "byte": ByteTokenizer(
        split_bytes,
        glue_plainly,
        marked("bytes of UTF-8"),
        breaks="",
        alphabet=BYTES,
        codes=byte_codes,
    ),
    "given": Tokenizer(
        _split_items, _glue_items, marked("the elements of a sequence, as they are")
    ),
}
UNITS = frozenset({"char", "word", "grapheme", "byte"})
"""Those whose names say what one token is; of the others' one speaks as of tokens."""
PACKAGED = dict(TOKENIZERS)
"""Those that every process knows; a notebook may add to `TOKENIZERS`, or replace one."""


def tokenizer_of(token: str, learnt: Learnt | None = None) -> Tokenizer:
    """Return a tokenizer by its name, with what it has learnt if it is one that learns.

    Raises
    ------
    VocabError
        If nothing can be learnt that looks like this.
    """
    tokenizer = TOKENIZERS[token]
    if learnt is None or tokenizer.learning is None:
        return tokenizer
    return tokenizer.learning.tokenizer(learnt)


def require_kind(token: str, name: str, *, is_text: bool) -> None:
    """Refuse to split tokens that are given, and to take a text as one sequence of tokens.

    Raises
    ------
    CorpusError
        If this tokenizer is for the other kind of corpus.
    """
    if (token == "given") is is_text:
        text = (
            marked("{name!r} is text; leave out --token {token}")
            if is_text
            else marked("{name!r} is a sequence of tokens; leave out --token {token}")
        )
        raise CorpusError(say(text, name=name, token=token))


def require_breaks(token: str, name: str, num_characters: int) -> None:
    """Refuse to split a text that is read piece by piece with a tokenizer that needs it whole.

    Raises
    ------
    CorpusError
        If the tokenizer does not say where a text may be cut.
    """
    if TOKENIZERS[token].breaks is None:
        raise CorpusError(
            say(
                "{name!r} has {size:,} characters, too many to split in one piece; say where"
                " tokenizer {token!r} may cut a text: Tokenizer(..., breaks='\\n')",
                name=name,
                size=num_characters,
                token=token,
            )
        )


__all__ = [
    "APOSTROPHES",
    "PACKAGED",
    "TOKENIZERS",
    "UNK",
    "Learning",
    "Learnt",
    "Tokenizer",
    "glue_words",
    "kinds_of_words",
    "require_breaks",
    "require_kind",
    "split_words",
    "tokenizer_of",
]
