"""Bytes become text, whole or block by block; bytes that are not text are refused in one line."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.reading.advice import SAMPLE, advised

_MARK = "\ufeff"  # the byte order mark as a character; codecs that name a byte order keep it
_HEAD = 8192  # a zero among the first bytes means that a file is binary
_BYTE_ORDER_MARKS = {  # each with the encoding that takes it off, and its other names
    codecs.BOM_UTF8: ("utf-8-sig", "utf-8"),
    codecs.BOM_UTF32_LE: ("utf-32", "utf-32-le"),  # before UTF-16: it begins with that mark
    codecs.BOM_UTF32_BE: ("utf-32", "utf-32-be"),
    codecs.BOM_UTF16_LE: ("utf-16", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("utf-16", "utf-16-be"),
}

_LINES_STAND_ALONE = {
    *("utf-8", "utf-8-sig", "gb2312", "gbk", "gb18030", "big5", "big5hkscs"),
    *("shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "cp950"),
}

_ON_THE_WEB = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}


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


def decoded(
    blocks: Iterable[bytes], encoding: str | None, what: str, start: int = 0
) -> Iterator[str]:
    """Decode bytes that come in blocks as `decode` does; the first block has four bytes or more.

    Parameters
    ----------
    blocks, encoding, what
        As for `decode`.
    start
        How many bytes came before; of a text that goes on, no byte order mark is looked for.

    Raises
    ------
    CorpusError
        As for `decode`, after the blocks before the error have been yielded.
    """
    blocks = iter(blocks)
    first = next(blocks, b"")
    encoding = encoding_used(b"" if start else first, encoding, what)
    decoder = codecs.getincrementaldecoder(encoding)()
    line_ends = io.IncrementalNewlineDecoder(None, translate=True)
    num_bytes, num_characters = start, 0
    before = b""  # the bytes before the block, from the start of a character
    for block, final in chain(((block, False) for block in chain([first], blocks)), [(b"", True)]):
        num_bytes += len(block)
        try:
            text = decoder.decode(block, final)
        except UnicodeDecodeError as error:
            # error.object holds the bytes left over from earlier blocks, and this block.
            offset = num_bytes - len(error.object) + error.start
            data = before + block
            if b"\0" in first[:_HEAD]:
                raise _binary(
                    what, say("zero byte at offset {place}", place=first.index(0)), data
                ) from None
            advice = advised(data, offset - num_bytes + len(data)) or say("another --encoding")
            raise CorpusError(
                say(
                    "{what!r} is not {encoding}: byte 0x{byte:02x} at offset {offset}; try"
                    " {advice}",
                    what=what,
                    encoding=encoding,
                    byte=error.object[error.start],
                    offset=offset,
                    advice=advice,
                )
            ) from None
        except (UnicodeError, ValueError) as error:  # some codecs raise these
            raise CorpusError(
                say(
                    "{what!r} is not {encoding}: {error}", what=what, encoding=encoding, error=error
                )
            ) from None
        if "\0" in text:
            place = num_characters + text.index("\0")
            raise _binary(
                what, say("zero character at offset {place}", place=place), before + block
            )
        if not num_characters and not start:
            text = text.removeprefix(_MARK)
        num_characters += len(text)
        before += block
        if len(before) > SAMPLE:
            before = before[before.find(b"\n", -SAMPLE) + 1 :] if b"\n" in before[-SAMPLE:] else b""
        yield line_ends.decode(text, final)


def encoding_of(data: bytes, charset: str) -> str | None:
    """Return the encoding of a download by what its server says; None for the usual rule.

    A byte order mark counts for more. Names that browsers take for a larger encoding are taken for
    that one, as in the Encoding Standard of the WHATWG.
    """
    if any(data.startswith(mark) for mark in _BYTE_ORDER_MARKS):
        return None
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return None
    return None if name == "utf-8" else _ON_THE_WEB.get(name, name)


def _binary(what: str, why: str, data: bytes) -> CorpusError:
    if advice := advised(data):
        return CorpusError(
            say(
                "{what!r} has another encoding ({why}); try {advice}",
                what=what,
                why=why,
                advice=advice,
            )
        )
    return CorpusError(
        say("{what!r} is a binary file ({why}); give a text file", what=what, why=why)
    )


def is_cut_at_line_ends(encoding: str) -> bool:
    """Whether each byte 10 of a text is a line end after which decoding may begin anew.

    So it is in UTF-8, where a character has one byte, and in the encodings of Chinese, Japanese and
    Korean that never use that byte for the second half of a character. It is not in UTF-16 and
    UTF-32, or where earlier bytes say how later ones are read.
    """
    name = codecs.lookup(encoding).name
    if name in _LINES_STAND_ALONE:
        return True
    try:
        single = len(bytes(range(256)).decode(encoding, "replace")) == 256  # noqa: PLR2004
        return single and b"\n".decode(encoding) == "\n"
    except (UnicodeError, LookupError):
        return False


def encoding_used(first: bytes, encoding: str | None, what: str) -> str:
    """Return the codec for a text: that of its byte order mark, which no other may contradict.

    Parameters
    ----------
    first
        Its first bytes, four or more.
    encoding, what
        As for `decode`.

    Raises
    ------
    CorpusError
        When there is no such encoding, or the mark is that of another.
    """
    marked = next((of for mark, of in _BYTE_ORDER_MARKS.items() if first.startswith(mark)), ())
    encoding = encoding if encoding is not None else next(iter(marked), "utf-8")
    try:
        with suppress(UnicodeError):
            b" ".decode(encoding)  # raises LookupError for a codec that is not a text encoding
        name = codecs.lookup(encoding).name
        codecs.getincrementaldecoder(encoding)
    except LookupError:
        raise CorpusError(
            say(
                "unknown encoding {encoding!r}; try utf-8, cp1252, gb18030 or shift_jis",
                encoding=encoding,
            )
        ) from None
    except ValueError as error:  # a NUL in its name
        raise CorpusError(
            say("{what!r} is not {encoding}: {error}", what=what, encoding=encoding, error=error)
        ) from None
    if marked and name not in marked:
        right = marked[-1] if marked[0] == "utf-8-sig" else marked[0]
        raise CorpusError(
            say(
                "{what!r} is not {encoding}: it begins with the byte order mark of {right}; try"
                " --encoding {right}",
                what=what,
                encoding=encoding,
                right=right,
            )
        )
    if marked:
        return marked[0]
    if name in ("utf-16", "utf-32"):
        # Without a mark the byte order is this machine's; an incremental decoder must be told.
        return f"{name}-{'le' if sys.byteorder == 'little' else 'be'}"
    return encoding
