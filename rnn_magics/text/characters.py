"""Characters that belong to the one before them: marks, joiners, and the parts of an emoji.

Unicode writes a Hindi syllable, a vowelled Arabic letter or a decomposed ``é`` as a letter and
combining marks. A joiner after a letter (U+200C in Persian, U+200D in Hindi) says how it is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_JOINERS = "\u200c\u200d"
# Where Unicode has its marks: no other plane holds scripts that use them.
_BASIC, _SUPPLEMENTARY = range(0x300, 0x10000), (*range(0x10000, 0x20000), *range(0xE0100, 0xE01F0))
_ADDED = r"\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_LETTERS = r"[^\W\d_]+"
# Han characters are written without spaces, so a run of them needs a segmenter.
HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""The inside of a character class."""
PICTOGRAPHS = (
    r"\u00a9\u00ae\u203c\u2049\u2122-\u2bff\u3030\u303d\u3297\u3299"
    r"\U0001f000-\U0001faff\U0001fc00-\U0001fffd"
)
"""The inside of a character class: what an emoji sequence is made of, and its neighbours."""
FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
"""Two letters that are drawn as a flag."""


@cache
def joined() -> str:
    r"""Return a pattern for one combining mark or joiner, which belongs to what stands before it.

    It is made when it is first needed, from the Unicode of this Python, as ``\w`` is.
    """
    # A class is a table of bits up to U+FFFF, and a list to go through above.
    above = _ranges(_SUPPLEMENTARY)
    return f"(?:[{_ranges(_BASIC)}{_JOINERS}]|(?=[\U00010000-\U0010ffff])[{above}])"


def attached() -> str:
    """Return a pattern for what may follow a symbol: marks, joiners, skin tones, tags."""
    return f"(?:{joined()}|[{_ADDED}])"


def literal(text: str) -> str:
    """Return a pattern for a text, in ASCII; also for a character class."""
    return "".join(map(_literal, text))


def _literal(character: str) -> str:
    if character.isascii() and character.isprintable() and character != '"':
        return re.escape(character)
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


@cache
def words() -> re.Pattern[str]:
    """Return a pattern for a run of letters, with their marks and joiners."""
    return re.compile(f"{_LETTERS}(?:{joined()}+(?:{_LETTERS})?)*")


def class_of(text: str, pattern: str) -> str:
    """Return a class in ASCII of the characters of a text that match; empty if none does."""
    found = sorted(map(ord, set(re.findall(pattern, text))))
    ranges = [
        f"{literal(chr(a))}-{literal(chr(b))}" if a < b else literal(chr(a))
        for a, b in _runs(found)
    ]
    return f"[{''.join(ranges)}]" if ranges else ""


def _ranges(codes: Iterable[int]) -> str:
    marks = (code for code in codes if unicodedata.category(chr(code))[0] == "M")
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in _runs(marks))


def _runs(codes: Iterable[int]) -> list[list[int]]:
    # The first and the last of each run of consecutive codes.
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return runs
