"""What a tokenizer is: how text becomes tokens, and how tokens become text again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Codes: TypeAlias = np.ndarray[Any, np.dtype[np.integer[Any]]]
Learnt: TypeAlias = tuple[str, ...]
"""What a tokenizer has learnt from a text, as plain values that a file can hold."""
LAST_TOKENS = 4
"""How many tokens before one are needed to know what text it adds."""


@dataclass(frozen=True)
class Learning:
    """How a tokenizer is learnt from a text.

    Parameters
    ----------
    learn
        ``learn(pieces, size, min_freq)`` returns what it learns from the pieces of a text: at most
        `size` tokens, from what occurs at least `min_freq` times.
    tokenizer
        Returns the tokenizer that has learnt this. What it learnt identifies it.
    """

    learn: Callable[[Iterable[str], int, int], Learnt]
    tokenizer: Callable[[Learnt], Tokenizer]


@dataclass(frozen=True)
class Tokenizer:
    """How text becomes tokens and tokens become text.

    Parameters
    ----------
    split
        Returns the tokens of a text, in order.
    glue
        ``glue(previous, token)`` returns the text that `token` adds after `previous`, which is
        None at the beginning.
    help
        One line for the help of ``%vocab --token``.
    breaks
        Characters after which a text may be cut without changing its tokens; ``""`` if it may be
        cut anywhere, None if nowhere. A text larger than memory is cut there.
    alphabet
        Tokens that have an index in every vocabulary, so that no text has an unknown token.
    codes
        Returns the tokens of a text as numbers, shape (num_tokens,): the places of the tokens in
        `alphabet`, where a line end is one. It is for speed: `split` alone is enough.
    learning
        How it is learnt from a text, for a tokenizer that is.
    """

    split: Callable[[str], list[Any]]
    glue: Callable[[Any, Any], str]
    help: str
    breaks: str | None = None
    alphabet: tuple[str, ...] = ()
    codes: Callable[[str], Codes] | None = None
    learning: Learning | None = None

    def join(self, tokens: Iterable[Any]) -> str:
        """Return the text of a sequence of tokens."""
        return "".join(self.added([*tokens]))

    def added(self, tokens: Sequence[Any], before: Sequence[Any] = ()) -> list[str]:
        """Return the text that each token adds.

        Parameters
        ----------
        tokens
            The tokens.
        before
            The tokens before them; the last `LAST_TOKENS` are enough.
        """
        if self.glue is glue_plainly:
            return [*map(str, tokens)]
        pieces, previous = [], before[-1] if before else None
        for token in tokens:
            pieces.append(self.glue(previous, token))
            previous = token
        return pieces

    def encoded(self, token: Any) -> bytes:
        """Return a token in UTF-8."""
        return str(token).encode("utf-8", "surrogatepass")


def glue_plainly(_previous: object, token: object) -> str:
    """Return the token itself: the tokens are the text."""
    return str(token)
