"""Numbers for the words of running text: each distinct word is split only once.

Between two white spaces there are at most a few tokens, and mostly the same ones again. A word that
was seen before is found by its bytes in a NumPy table, all words of a piece at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

import numpy as np

from rnn_magics.text.indexing.ids import Ids, TypeNumbers, Types

_MEMO_WORDS = 1 << 18
_MEMO_CHARACTERS = 1 << 22
_LINE_END = "\0"  # stands for a line end where white space separates
_SLOTS = 18  # bits, for a table of 5 MB that stays in the processor's cache
_LONGEST = 16  # bytes of the longest word in the table, as two integers
_Int32s = np.ndarray[tuple[int], np.dtype[np.int32]]
_Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]

_IS_WORD = np.ones(256, bool)
_IS_WORD[list(b" \t\n\v\f\r")] = False
# Masks for the bytes that belong to a word of 0 to 16 bytes: for its first and second eight bytes.
_BITS = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)
_FIRST = _BITS[np.minimum(np.arange(_LONGEST + 1), 8)]
_SECOND = _BITS[np.maximum(np.arange(_LONGEST + 1) - 8, 0)]
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))  # odd, bits well spread


class _Table:
    # The numbers of short words, by their bytes. A word whose slot is taken is not stored.
    def __init__(self) -> None:
        self.first = np.zeros(1 << _SLOTS, np.uint64)
        # No word has a second half without a first, so this value marks a free slot.
        self.second = np.ones(1 << _SLOTS, np.uint64)
        self.numbers = np.zeros(1 << _SLOTS, np.int32)

    def learn(self, slots: _Keys, first: _Keys, second: _Keys, numbers: _Int32s) -> None:
        free = np.flatnonzero((self.first[slots] == 0) & (self.second[slots] == 1))
        taken, places = np.unique(slots[free], return_index=True)
        places = free[places]
        self.first[taken], self.second[taken] = first[places], second[places]
        self.numbers[taken] = numbers[places]


class _Memo(dict[str, int]):
    # Each stretch between white spaces is split once. A single token gives its number; several give
    # -1 - i, where i is their place in `starts` and `lengths`.
    def __init__(self, split: Callable[[str], Types], numbers: TypeNumbers) -> None:
        self.split, self.numbers = split, numbers
        self.characters = 0
        self.flat, self.starts, self.lengths = array("i"), array("q"), array("q")

    def __missing__(self, word: str) -> int:
        self.characters += len(word)
        if word.isascii() and word.isalpha():  # most words are letters only: nothing to split
            number = self[word] = self.numbers[word]
            return number
        tokens = self.split(word)
        if len(tokens) == 1:
            number = self.numbers[tokens[0]]
        else:
            number = -1 - len(self.starts)
            self.starts.append(len(self.flat))
            self.lengths.append(len(tokens))
            self.flat.extend(self.numbers[token] for token in tokens)
        self[word] = number
        return number

    @property
    def full(self) -> bool:
        """Whether to start over, so that memory stays bounded for any text."""
        return len(self) > _MEMO_WORDS or self.characters > _MEMO_CHARACTERS


class WordNumberer:
    """Numbers tokens that never reach across white space.

    Parameters
    ----------
    split
        The function of a tokenizer. Cutting the text at white space must not change its tokens,
        and a run of letters must be one token.
    line_ends
        Whether a line end is a token; if not, it only separates tokens.
    """

    def __init__(self, split: Callable[[str], Types], *, line_ends: bool = True) -> None:
        self._split = split
        self._line_ends = line_ends
        self._numbers = TypeNumbers()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._memo, self._table = _Memo(self._split_word, self._numbers), _Table()

    def _split_word(self, word: str) -> Types:
        return ["\n"] if word == _LINE_END else self._split(word)

    @property
    def types(self) -> Types:
        """The tokens seen so far."""
        return list(self._numbers)

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the tokens of the next piece."""
        if _LINE_END in piece:  # the text itself has a NUL, which no text file has
            lines = [piece] if self._line_ends else piece.split("\n")
            return self._numbers.of([token for line in lines for token in self._split(line)])
        if self._line_ends:
            piece = piece.replace("\n", f" {_LINE_END} ")
        numbers = self._look_up(piece.encode("utf-8", "surrogatepass"))
        if self._memo.starts and numbers.size and numbers.min() < 0:
            numbers = _spread(numbers, self._memo)
        if self._memo.full:
            self._begin_anew()
        return numbers

    def _look_up(self, text: bytes) -> _Int32s:
        inside = np.zeros(len(text) + 2, bool)
        inside[1:-1] = _IS_WORD[np.frombuffer(text, np.uint8)]
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        text += bytes(_LONGEST)  # so that sixteen bytes can be read from any place
        eights = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
        short = np.minimum(lengths, _LONGEST)
        first = eights[starts] & _FIRST[short]
        second = eights[starts + 8] & _SECOND[short]
        slots = (first * _MIX[0] ^ second * _MIX[1]) >> np.uint64(64 - _SLOTS)
        table = self._table
        numbers: _Int32s = table.numbers[slots]
        found = (table.first[slots] == first) & (table.second[slots] == second)
        missed = np.flatnonzero(~found | (lengths > _LONGEST))
        if len(missed):
            bounds = zip(starts[missed].tolist(), lengths[missed].tolist(), strict=True)
            words = (text[at : at + size].decode("utf-8", "surrogatepass") for at, size in bounds)
            numbers[missed] = np.fromiter(map(self._memo.__getitem__, words), np.int32)
            new = missed[lengths[missed] <= _LONGEST]
            table.learn(slots[new], first[new], second[new], numbers[new])
        return numbers


def _spread(found: _Int32s, memo: _Memo) -> _Int32s:
    # Replaces each negative number of the memo by the numbers of its tokens.
    places = np.flatnonzero(found < 0)
    several = -1 - found[places]
    lengths = np.frombuffer(memo.lengths, np.int64)[several]
    starts = np.frombuffer(memo.starts, np.int64)[several]
    repeats = np.ones(len(found), np.int64)
    repeats[places] = lengths
    spread = np.repeat(found, repeats)
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1])) - np.repeat(ends - lengths, lengths)
    targets = np.repeat(np.cumsum(repeats)[places] - lengths, lengths) + within
    spread[targets] = np.frombuffer(memo.flat, np.int32)[np.repeat(starts, lengths) + within]
    return spread
