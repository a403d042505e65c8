"""Numbering: tokens as numbers of their types, without a Python object for each token.

A numberer is fed a text piece by piece and gives every token the number of its type; types are
numbered in order of first appearance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

import numpy as np

from rnn_magics.text.indexing.ids import Ids, TypeNumbers, Types
from rnn_magics.text.indexing.words import WordNumberer
from rnn_magics.text.reserved import Whole
from rnn_magics.text.splitting.tokenizer import Codes, Tokenizer
from rnn_magics.text.tokenizers import split_words

PIECE = 1 << 16  # characters numbered at once: few enough for the second-level cache
_CODES = 0x110000  # of Unicode
_LINE_END = ord("\n")


class Numberer(Protocol):
    """Turns the pieces of a text into numbers of token types."""

    @property
    def types(self) -> Types:
        """The token types seen so far, in order of first appearance."""

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the tokens of the next piece, shape (num_tokens,)."""


class CodeNumberer:
    """Numbers tokens that are codes already, without a Python object for any of them.

    Parameters
    ----------
    codes
        Returns the codes of the tokens of a text, shape (num_tokens,).
    token_of
        Returns the token of a code.
    line_ends
        Whether a line end, code 10, is a token; if not, it is dropped.
    """

    def __init__(
        self,
        codes: Callable[[str], Codes],
        token_of: Callable[[int], Any],
        *,
        line_ends: bool = True,
    ) -> None:
        self._codes_of, self._token_of = codes, token_of
        self._line_ends = line_ends
        self._codes: list[int] = []
        self._number = np.full(0x100, -1, np.int32)  # of each code; -1 if not seen yet

    @property
    def types(self) -> Types:
        """The tokens seen so far."""
        return list(map(self._token_of, self._codes))

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the tokens of the next piece."""
        codes = self._codes_of(piece)
        if not self._line_ends:
            codes = codes[codes != _LINE_END]
        highest = int(codes.max(initial=0))
        if highest >= len(self._number):
            more = (1 << highest.bit_length()) - len(self._number)
            self._number = np.concatenate((self._number, np.full(more, -1, np.int32)))
        numbers = self._number.take(codes, mode="clip")  # "clip" saves a copy for bounds checks
        if numbers.size and numbers.min() < 0:
            self._meet(codes[numbers < 0])
            numbers = self._number.take(codes, mode="clip")
        return numbers

    def _meet(self, codes: Codes) -> None:
        new, first = np.unique(codes, return_index=True)
        new = new[np.argsort(first)]
        self._number[new] = np.arange(len(self._codes), len(self._codes) + len(new))
        self._codes.extend(new.tolist())


def _characters(whole: Whole | None, piece: str) -> Codes:
    # The code points. A reserved token has a code that no character has, in the place of its first.
    codes = np.frombuffer(piece.encode("utf-32-le", "surrogatepass"), np.uint32)
    if whole is None:
        return codes
    code_of = {token: code for code, token in enumerate(whole.tokens, _CODES)}
    codes, inside = codes.copy(), np.zeros(len(codes), bool)
    for found in whole.pattern.finditer(piece):
        codes[found.start()] = code_of[found[0]]
        inside[found.start() + 1 : found.end()] = True
    return codes[~inside]


def _character(whole: Whole | None, code: int) -> str:
    return chr(code) if whole is None or code < _CODES else whole.tokens[code - _CODES]


class PlainNumberer:
    """Numbers the tokens of any tokenizer, one by one.

    Parameters
    ----------
    split
        The function of the tokenizer.
    line_ends
        Whether a line end is a token; if not, each line is split on its own.
    """

    def __init__(self, split: Callable[[str], Types], *, line_ends: bool = True) -> None:
        self._split = split
        self._line_ends = line_ends
        self._numbers = TypeNumbers()

    @property
    def types(self) -> Types:
        """The tokens seen so far."""
        return list(self._numbers)

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the tokens of the next piece."""
        texts = [piece] if self._line_ends else piece.split("\n")
        return self._numbers.of([token for text in texts for token in self._split(text)])


def numberer_for(tokenizer: Tokenizer, whole: Whole | None, *, line_ends: bool) -> Numberer:
    """Return the fastest numberer for a tokenizer and its reserved tokens."""
    if whole is None or line_ends:
        if tokenizer.split is list:
            codes, token_of = partial(_characters, whole), partial(_character, whole)
            return CodeNumberer(codes, token_of, line_ends=line_ends)
        if tokenizer.codes is not None:
            split_codes = tokenizer.codes if whole is None else whole.codes
            tokens = (*tokenizer.alphabet, *(() if whole is None else whole.tokens))
            return CodeNumberer(split_codes, tokens.__getitem__, line_ends=line_ends)
    split = tokenizer.split if whole is None else whole.split
    has_space = whole is not None and any(
        len(t.split()) > 1 or t != t.strip() for t in whole.tokens
    )
    if tokenizer.split is split_words and not has_space:
        return WordNumberer(split, line_ends=line_ends)
    return PlainNumberer(split, line_ends=line_ends)


def at_breaks(pieces: Iterable[str], breaks: str | None) -> Iterator[str]:
    """Cut a text only where no token is cut.

    Parameters
    ----------
    pieces
        The text, cut anywhere.
    breaks
        See `Tokenizer.breaks`.
    """
    if breaks == "":
        yield from pieces
        return
    waiting: list[str] = []
    for piece in pieces:
        end = 1 + max((piece.rfind(mark) for mark in breaks or ()), default=-1)
        if end:
            yield "".join((*waiting, piece[:end]))
            waiting = []
        waiting.append(piece[end:])
    if rest := "".join(waiting):
        yield rest


def token_pieces(pieces: Iterable[str], tokenizer: Tokenizer, whole: Whole | None) -> Iterator[str]:
    """Cut a text, which comes cut anywhere, where neither a token nor a reserved one is cut."""
    pieces = at_breaks(pieces, tokenizer.breaks)
    return pieces if whole is None else whole.uncut(pieces)


def slices(text: str) -> Iterator[str]:
    """Cut a text into pieces of the size that is numbered at once."""
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))
