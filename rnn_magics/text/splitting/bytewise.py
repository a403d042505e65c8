r"""Tokens that are bytes: a text in UTF-8, one byte a token or several.

A token is written as text where its bytes are whole characters. A byte that is only a part of a
character in its token is written as U+DC80 to U+DCFF, as Python does with the names of files (PEP
383), and shown as an escape such as ``\xe4``. So every sequence of bytes is one text, and back.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rnn_magics.text.splitting.tokenizer import LAST_TOKENS, Codes, Tokenizer

_UNFINISHED = 3  # bytes of a character that may be missing their last one
_ERRORS = "rnn_magics.bytes"


def as_token(data: bytes) -> str:
    """Return bytes as a token."""
    return data.decode("utf-8", "surrogateescape")


def _as_shown(error: UnicodeError) -> tuple[str, int]:
    # A text may have lone surrogates, of which UTF-8 knows nothing; three bytes hold one.
    if not isinstance(error, UnicodeDecodeError):
        raise error
    try:
        return error.object[error.start : error.start + 3].decode("utf-8", "surrogatepass")[
            :1
        ], error.start + 3
    except UnicodeDecodeError:
        return "\N{REPLACEMENT CHARACTER}", error.end


codecs.register_error(_ERRORS, _as_shown)
_decoder = codecs.getincrementaldecoder("utf-8")


class ByteTokenizer(Tokenizer):
    """A tokenizer whose tokens are bytes.

    Bytes that are no UTF-8 become U+FFFD. A character that is not finished at the end of the tokens
    is not shown.
    """

    def join(self, tokens: Iterable[Any]) -> str:
        """Return the text of a sequence of tokens."""
        decoder = _decoder(_ERRORS)
        return decoder.decode(b"".join(map(self.encoded, tokens)))

    def added(self, tokens: Sequence[Any], before: Sequence[Any] = ()) -> list[str]:
        """Return the text that each token adds: nothing until a character is complete."""
        decoder = _decoder(_ERRORS)
        decoder.decode(_tail(b"".join(map(self.encoded, before[-LAST_TOKENS:]))))
        return [decoder.decode(self.encoded(token)) for token in tokens]

    def encoded(self, token: Any) -> bytes:
        """Return the bytes of a token."""
        return str(token).encode("utf-8", "surrogateescape")


def _tail(data: bytes) -> bytes:
    # Where the last character begins, which may be unfinished; a byte of another is in none.
    begins = [at for at in range(1, _UNFINISHED + 1) if data[-at:][:1] >= b"\xc0"]
    return data[-begins[0] :] if begins else b""


BYTES = tuple(as_token(bytes([byte])) for byte in range(256))
"""The token of each byte."""


def byte_codes(text: str) -> Codes:
    """Return the bytes of a text, shape (num_bytes,)."""
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def split_bytes(text: str) -> list[str]:
    """Split into bytes of UTF-8."""
    return [BYTES[byte] for byte in text.encode("utf-8", "surrogatepass")]
