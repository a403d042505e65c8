"""The Tang poems of the collection chinese-poetry, as one text.

Each verse is a line, and an empty line stands between two poems. Characters are traditional, as in
the files. Left out are titles, authors and punctuation, remarks and variant readings in brackets,
and every poem with a gap or with a character that Unicode lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from rnn_magics.text.characters import HAN

FOLDER = "tang"
ADDRESS = (
    "https://raw.githubusercontent.com/chinese-poetry/chinese-poetry/"
    "99ebbef7e1345c0985c44b9fd96a3f9e776f117b/%E5%85%A8%E5%94%90%E8%AF%97/"
)
SHA256 = {
    "poet.tang.0.json": "4f88f429938082523cdc72a1612bd7a7c3e3f7a33f8192c61ae51340efc3c92d",
    "poet.tang.1000.json": "6e703b8d8dcedbd6110f6d48d043665ca2131db2035a5bfcef5e59a19aeb6d75",
    "poet.tang.2000.json": "ec28efa7e2ae9cdbbba09f0ed186e32ccae47a325ad1e5816b7ad56071c1665a",
    "poet.tang.3000.json": "9e4ba2323752b6b9fbdba875cdbc6a26636fe0cabc85fd066370d4915952001f",
    "poet.tang.4000.json": "b8a7946c879b9658a6c667a4c55f776fae7e5e00a17789ab06b274c1429afc66",
    "poet.tang.5000.json": "a0306e6962cff01639ad9a00b042a201b8dec1f30fa5d768a7b112589887861e",
    "poet.tang.6000.json": "982a21d2b15922b406911f1c825785054314c686da86b2155d7aebb362d22771",
    "poet.tang.7000.json": "a6fb69d7b4343c904dc56ae5aae34facc2478d196b51c37ceba9d1e2f171b342",
    "poet.tang.8000.json": "ac3848e95b02736168003863795de4474838c2d6a71a24ca2a4a280ea5177773",
    "poet.tang.9000.json": "b99d6596e3a1fe1a661652383083f92d196b8baf4e461d087081d5e1e1b7a51f",
}
"""The files, each with a thousand poems in the order of the collection."""

_REMARK = re.compile("（[^（）]*）")
_OTHERS = re.compile(
    "[「」《》\\[\\]]"
)  # quotation marks, titles, letters that an editor has added
_MARKS = re.compile("[，。？！：；、]")
_VERSES = re.compile(f"[{HAN}\n]+")


def text_of(files: Iterable[bytes]) -> str:
    """Return the poems of some files as one text."""
    poems = (poem for data in files for poem in json.loads(data))
    verses = (_verses(poem["paragraphs"]) for poem in poems)
    return "\n\n".join(poem for poem in verses if _VERSES.fullmatch(poem)) + "\n"


def _verses(paragraphs: Iterable[str]) -> str:
    # Each paragraph is a pair of verses; the marks of an edition of our time end them.
    bare = (_OTHERS.sub("", _REMARK.sub("", paragraph)) for paragraph in paragraphs)
    return "\n".join(verse for pair in bare for verse in _MARKS.split(pair) if verse)
