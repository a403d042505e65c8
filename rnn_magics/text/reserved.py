"""Reserved tokens are whole: every tokenizer splits the text around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rnn_magics.text.characters import HAN, joined, literal
from rnn_magics.text.splitting.tokenizer import Codes, Tokenizer
from rnn_magics.text.tokenizers import APOSTROPHES

INNER = rf"[^\W{HAN}]"
"""One character of a word; a Chinese character does not make the word beside it longer."""


@dataclass(frozen=True)
class Whole:
    """Reserved tokens, and how they are found. Make one with `kept_whole`.

    Parameters
    ----------
    tokenizer
        Splits the text around them.
    tokens
        The reserved tokens.
    pattern
        Finds them.
    """

    tokenizer: Tokenizer
    tokens: tuple[str, ...]
    pattern: re.Pattern[str]

    def split(self, text: str) -> list[Any]:
        """Return the tokens of a text, in order."""
        tokens: list[Any] = []
        split, at = self.tokenizer.split, 0
        for found in self.pattern.finditer(text):
            if at < found.start():
                tokens += split(text[at : found.start()])
            tokens.append(found[0])
            at = found.end()
        return tokens + split(text[at:]) if at < len(text) or not text else tokens

    def codes(self, text: str) -> Codes:
        """Return the tokens of a text as `Tokenizer.codes` does, reserved ones after the others."""
        tokenizer, at = self.tokenizer, 0
        found: list[Codes] = []
        code_of = {token: code for code, token in enumerate(self.tokens, len(tokenizer.alphabet))}
        for each in self.pattern.finditer(text):
            found += [self._plain_codes(text[at : each.start()]), np.array([code_of[each[0]]])]
            at = each.end()
        return np.concatenate((*found, self._plain_codes(text[at:])))

    def _plain_codes(self, text: str) -> Codes:
        codes = self.tokenizer.codes
        return np.empty(0, np.int32) if codes is None or not text else codes(text)

    def uncut(self, pieces: Iterable[str]) -> Iterator[str]:
        """Join the pieces of a text between which a reserved token would be cut."""
        waiting = ""
        for piece in pieces:
            if waiting and not self._is_cut(waiting, piece):
                yield waiting
                waiting = ""
            waiting += piece
        if waiting:
            yield waiting

    def _is_cut(self, before: str, after: str) -> bool:
        longest = max(map(len, self.tokens))
        if len(after) < longest:
            return True  # more of the text has to be seen
        border, text = len(before), before + after[:longest]
        if self.tokenizer.breaks and re.match(r"\w\w", text[border - 1 : border + 1]):
            return True  # only the whole word tells whether it is a reserved token
        return any(f.start() < border < f.end() for f in self.pattern.finditer(text))


@lru_cache(maxsize=64)
def kept_whole(tokenizer: Tokenizer, reserved: tuple[str, ...]) -> Whole | None:
    """Return what keeps the reserved tokens whole; None if there are none.

    A tokenizer that cuts a text anywhere finds them anywhere. Another finds one that begins or
    ends with a letter or a digit only where no word goes on there: ``eos`` is not in ``videos``.
    """
    # Of two that begin at one place, the longer is meant.
    tokens = sorted(filter(None, dict.fromkeys(reserved)), key=len, reverse=True)
    if not tokens:
        return None
    pattern = bounded(tokens, INNER, joined()) if tokenizer.breaks != "" else anywhere(tokens)
    return Whole(tokenizer, tuple(tokens), re.compile(pattern))


def anywhere(tokens: Iterable[str]) -> str:
    """Return a pattern that finds tokens wherever they stand."""
    return "|".join(map(literal, tokens))


def bounded(tokens: Iterable[str], inner: str, joined: str = "") -> str:
    """Return a pattern that finds tokens where no word goes on.

    Parameters
    ----------
    tokens
        The tokens.
    inner
        A pattern for one character of a word.
    joined
        A pattern for the marks and joiners that a word may hold.
    """
    marks = joined and f"|{joined}"
    before = rf"(?<!{inner})(?<!{inner}{APOSTROPHES})" + (joined and f"(?<!{joined})")
    after = rf"(?!{APOSTROPHES}?{inner}{marks})"
    return "|".join(
        f"{before if re.match(inner, token) else ''}{literal(token)}"
        f"{after if re.match(inner, token[-1]) else ''}"
        for token in tokens
    )
