"""Which encoding a file may have: said to the user, never used without being typed."""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import pairwise

from rnn_magics.language import say
from rnn_magics.results import visible

SAMPLE = 1 << 16  # bytes that are looked at
_MOST_NAMED = 3
_SHOWN = 12  # characters shown of what an encoding makes of the first byte that is not ASCII
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1a\x1b")
_WIDE = ["utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be"]
# Most common first; of the encodings of one script each is the one that contains the others.
_ONE_BYTE = ["cp1252", "cp1251", "koi8_r", "cp1250", "iso8859_2", "cp1254", "cp1253", "cp1255"]
_ONE_BYTE += ["cp1256", "cp1257", "cp1258", "cp874"]
_OLD = ["cp866", "cp437", "cp850", "mac_roman"]  # of DOS and the first Macintosh
_MANY_BYTES = ["gb18030", "cp932", "big5", "euc_jp", "cp949", "big5hkscs"]
_NARROW = [*_MANY_BYTES, *_ONE_BYTE, *_OLD]
# Of each double-byte encoding: one whose first bytes tell common characters from rare ones, and
# those of the common ones. Full-width marks are A1 and A3 in all but Big5, kana A4 and A5.
_USUAL: dict[str, tuple[str, frozenset[int]]] = {
    "gb18030": ("gb2312", frozenset([0xA1, 0xA3, *range(0xB0, 0xD8)])),
    "cp932": ("euc_jp", frozenset([0xA1, *range(0xA3, 0xA6), *range(0xB0, 0xD0)])),
    "euc_jp": ("euc_jp", frozenset([0xA1, *range(0xA3, 0xA6), *range(0xB0, 0xD0)])),
    "cp949": ("euc_kr", frozenset([0xA1, 0xA3, *range(0xB0, 0xC9)])),
    "big5": ("big5", frozenset(range(0xA1, 0xC7))),
    "big5hkscs": ("big5", frozenset(range(0xA1, 0xC7))),
}
_APART = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")  # only Korean has such spaces
_COMMON = {name: place for place, name in enumerate([*_WIDE, *_NARROW])}


def advised(data: bytes, place: int = 0) -> str:
    """Return the options that may read some bytes as text; empty if none does.

    Parameters
    ----------
    data
        A text in an encoding that is not known, or a part of one.
    place
        The offset of a byte that was wrong.

    Returns
    -------
    str
        For instance ``--encoding cp1252 (It\u2019s a tale)``, likeliest first, each with what it
        makes of the text at the first byte that is not ASCII.
    """
    sample = _around(data, place)
    if (text := _decoded(sample, "utf-8")) is not None and "\0" not in text:
        return "--encoding utf-8"
    named = []
    for name in _likeliest(sample):
        text = _decoded(sample, name)
        if text is not None and _is_text(text):
            named.append(f"--encoding {name.replace('_', '-')} ({_glimpse(text)})")
    return say(" or ").join(named[:_MOST_NAMED])


def _around(data: bytes, place: int) -> bytes:
    # From the start of a line, so that no character is cut.
    if place < SAMPLE:
        return data[:SAMPLE]
    line = data.rfind(b"\n", place - SAMPLE, place)
    return data[line + 1 : line + 1 + SAMPLE] if line >= 0 else data[:SAMPLE]


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:  # not to the end, where the sample may cut a character
        return codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
    except UnicodeDecodeError:
        return None


def _likeliest(sample: bytes) -> list[str]:
    import charset_normalizer  # noqa: PLC0415  (only for advice)

    low = [byte for byte in sample if byte < ord(" ")]
    if not _TEXT_CONTROLS.issuperset(low):
        known = _WIDE
        if sample.isascii() and 5 * len(low) < 2 * len(sample):  # stray ones among letters
            return []
    elif _is_sprinkled(sample):
        known = [*_ONE_BYTE, *_OLD]
    else:
        known = _NARROW
    ranked: dict[str, tuple[float, ...]] = {}
    for match in charset_normalizer.from_bytes(sample, cp_isolation=known):
        for name in {match.encoding, *match.could_be_from_charset} & {*known}:
            ranked[name] = match.chaos, match.coherence
    if known[0] == _ONE_BYTE[0] and ranked:  # by far the most common: never left out
        ranked.setdefault(known[0], next(iter(ranked.values())))
    for name, (chaos, coherence) in list(ranked.items()):
        if (text := _decoded(sample, name)) is None:
            del ranked[name]
        else:
            ranks = _oddity(text, name), int(5 * chaos), name in _OLD
            ranked[name] = (*ranks, -round(coherence, 1), _COMMON[name])
    found: dict[str, str] = {}  # by the text that it gives
    for name in sorted(ranked, key=ranked.__getitem__):
        found.setdefault(_decoded(sample, name) or "", name)
    return list(found.values())


def _is_sprinkled(sample: bytes) -> bool:
    # Whether bytes beyond ASCII are mostly single letters of words that are written in ASCII.
    beyond = [byte >> 7 for byte in sample]
    neighbours = sum(one & other for one, other in pairwise(beyond))
    return 3 * neighbours < sum(beyond) < len(sample) / 4


def _oddity(text: str, encoding: str) -> float:
    # The share of characters beyond ASCII that are rare, or stand where none does in a text.
    odd = sum(max(pair) > "\x7f" and _is_odd(*pair) for pair in pairwise(text))
    beyond = [one for one in text if one > "\x7f"]
    if encoding in _USUAL:
        odd += sum(_is_rare(one, *_USUAL[encoding]) for one in beyond)
        odd += len(_APART.findall(text))
    return round(odd / len(beyond), 1) if beyond else 0.0


def _is_odd(before: str, one: str) -> bool:
    # A sign or a digit behind a letter, a mark behind none, a letter behind one of another script,
    # a capital behind a small letter.
    category = unicodedata.category(one)
    if category[0] == "M":
        return unicodedata.category(before)[0] not in "LM"
    if not before.isalpha():
        return False
    if one.isalpha():
        return (before.islower() and one.isupper()) or _script(before) != _script(one)
    return category[0] in "NS"


def _is_rare(one: str, encoding: str, usual: frozenset[int]) -> bool:
    try:
        return one.encode(encoding)[0] not in usual
    except UnicodeEncodeError:
        return True


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if name.startswith("HANGUL LETTER"):  # stands alone, unlike a syllable
        return name
    script = name.partition(" ")[0]
    return "CJK" if script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else script


def _is_text(text: str) -> bool:
    # Neither control characters, of both kinds, nor characters that nobody has defined.
    return all(
        one in "\t\n\v\f\r\x1a\x1b" or unicodedata.category(one) not in ("Cc", "Cn", "Co", "Cs")
        for one in text
    )


def _glimpse(text: str) -> str:
    place = next((at for at, one in enumerate(text) if one > "\x7f"), 0)
    start = max(text.rfind("\n", 0, place) + 1, place - _SHOWN // 2)
    return visible(text[start:].lstrip().split("\n", 1)[0][:_SHOWN].strip())
