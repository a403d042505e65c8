"""Whether two vocabularies mean the same by an index, which their sizes do not tell."""

from __future__ import annotations

import reprlib
from itertools import zip_longest
from typing import Any

from rnn_magics.language import say
from rnn_magics.text.vocab import Vocab

_NONE = object()


def disagreement(trained: Vocab | None, given: Vocab | None) -> str:
    """Say where two vocabularies differ in their tokens; empty where they do not.

    Parameters
    ----------
    trained, given
        The vocabulary that a model was trained with, and another. Where one is None, nothing is
        known that could differ.

    Returns
    -------
    str
        For instance ``index 5 was 'x' and is now 'y' (12 of 40 tokens differ)``.
    """
    if trained is None or given is None or trained is given:
        return ""
    before, now = (vocab.to_tokens(list(range(len(vocab)))) for vocab in (trained, given))
    pairs = list(zip_longest(before, now, fillvalue=_NONE))
    differ = [place for place, (old, new) in enumerate(pairs) if not _same(old, new)]
    if not differ:
        return ""
    old, new = map(_shown, pairs[differ[0]])
    return say(
        "index {place:,} was {old} and is now {new} ({number:,} of {size:,} tokens differ)",
        place=differ[0],
        old=old,
        new=new,
        number=len(differ),
        size=len(pairs),
    )


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)  # 1, 1.0 and True are equal and no one token


def _shown(token: Any) -> str:
    return say("no token") if token is _NONE else reprlib.repr(token)
