"""Bytes become text, whole or block by block; bytes that are not text are refused in one line."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

from rnn_magics.errors import CorpusError

_HEAD = 8192  # a zero among the first bytes means that a file is binary
_BYTE_ORDER_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, since it begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]


def decode(data: bytes, encoding: str | None, what: str) -> str:
    r"""Decode bytes to text, with ``\n`` as line ends.

    Parameters
    ----------
    data
        The bytes of a file or a download.
    encoding
        Their encoding; None means UTF-8, or the encoding that a byte order mark announces.
    what
        The name of the source in error messages.

    Raises
    ------
    CorpusError
        When the bytes are not text in that encoding, with the offset of the first wrong byte.
    """
    return "".join([text for text in decoded([data], encoding, what) if text])


def decoded(blocks: Iterable[bytes], encoding: str | None, what: str) -> Iterator[str]:
    """Decode bytes that come in blocks as `decode` does; the first block has four bytes or more.

    Raises
    ------
    CorpusError
        As for `decode`, after the blocks before the error have been yielded.
    """
    blocks = iter(blocks)
    first = next(blocks, b"")
    encoding = _encoding(first, encoding, what)
    decoder = codecs.getincrementaldecoder(encoding)()
    line_ends = io.IncrementalNewlineDecoder(None, translate=True)
    num_bytes = num_characters = 0
    for block, final in chain(((block, False) for block in chain([first], blocks)), [(b"", True)]):
        num_bytes += len(block)
        try:
            text = decoder.decode(block, final)
        except UnicodeDecodeError as error:
            # error.object holds the bytes left over from earlier blocks, and this block.
            offset = num_bytes - len(error.object) + error.start
            if b"\0" in first[:_HEAD]:
                msg = f"{what!r} is a binary file (zero byte at offset {first.index(0)}); give"
                msg += " a text file"
            else:
                byte = error.object[error.start]
                msg = (
                    f"{what!r} is not {encoding}: byte 0x{byte:02x} at offset {offset};"
                    " give its encoding, for instance --encoding latin-1 or --encoding gb18030"
                )
            raise CorpusError(msg) from None
        except (UnicodeError, ValueError) as error:  # some codecs raise these
            msg = f"{what!r} is not {encoding}: {error}"
            raise CorpusError(msg) from None
        if "\0" in text:
            place = num_characters + text.index("\0")
            msg = f"{what!r} is a binary file (zero character at offset {place}); give a text file"
            raise CorpusError(msg)
        num_characters += len(text)
        yield line_ends.decode(text, final)


def _encoding(first: bytes, encoding: str | None, what: str) -> str:
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if first.startswith(mark)), None)
    if encoding is None:
        encoding = marked or "utf-8"
    try:
        with suppress(UnicodeError):
            b" ".decode(encoding)  # raises LookupError for a codec that is not a text encoding
        name = codecs.lookup(encoding).name
        codecs.getincrementaldecoder(encoding)
    except LookupError:
        msg = f"unknown encoding {encoding!r}; try utf-8, latin-1, gb18030 or shift_jis"
        raise CorpusError(msg) from None
    except ValueError as error:  # a NUL in its name
        msg = f"{what!r} is not {encoding}: {error}"
        raise CorpusError(msg) from None
    if name in ("utf-16", "utf-32") and marked != name:
        # Without a mark the byte order is this machine's; an incremental decoder must be told.
        return f"{name}-{'le' if sys.byteorder == 'little' else 'be'}"
    return encoding
