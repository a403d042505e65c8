"""The data of a corpus (one text, documents or given tokens), and which part is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import TypeAlias

from rnn_magics.language import say, say_number
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.documents import (
    BOS,
    beginning,
    documents_in,
    fitting,
    num_trained,
    of_whole_documents,
    together,
)
from rnn_magics.text.indexing.numbered import Cut, Feed, Numbered
from rnn_magics.text.indexing.numbering import slices
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.reserved import kept_whole
from rnn_magics.text.splitting.tokenizer import Tokenizer

Data: TypeAlias = str | StreamedText | tuple[Hashable, ...]


def length(data: Data, config: CorpusConfig) -> int:
    """Return the number of characters, without the marks of documents, or of given tokens."""
    if isinstance(data, str) and config.documents is not None:
        return sum(len(document) for document in documents_in(data))
    return len(data)


def beginning_of(data: Data, config: CorpusConfig, count: int) -> str | tuple[Hashable, ...]:
    """Return the first characters or given tokens; of documents, each begins a line."""
    if isinstance(data, str) and config.documents is not None:
        return beginning(data, count)
    return data.beginning[:count] if isinstance(data, StreamedText) else data[:count]


def length_in_words(data: Data, config: CorpusConfig) -> str:
    """Say how many characters or tokens a corpus has."""
    number = length(data, config)
    if isinstance(data, tuple):
        return say_number(number, "{number:,} token", "{number:,} tokens")
    return say_number(number, "{number:,} character", "{number:,} characters")


def in_words(data: Data, config: CorpusConfig, aside: int | None = None) -> list[str]:
    """Say how large a corpus is, how it is split, and how much of it is set aside."""
    told, size, limit = [], length_in_words(data, config), config.max_tokens
    if isinstance(data, str) and config.documents is not None:
        number = len(documents_in(data))
        told.append(say_number(number, "{number:,} document", "{number:,} documents"))
    on_disk = isinstance(data, StreamedText)
    told.append(say("{length} on disk", length=size) if on_disk else size)
    if limit:
        told.append(say_number(limit, "the first token", "the first {number:,} tokens"))
    share = held_out_share(data, config)
    told.append(say("{share:.0%} held out", share=share) if share else say("nothing held out"))
    if aside is not None:
        told.append(say("{number:,} more set aside to test on", number=aside))
    return told


def fingerprint_of(data: Data) -> str:
    """Return the sha256 of the data."""
    if isinstance(data, StreamedText):
        return data.sha256
    digest = hashlib.sha256()
    for piece in slices(data if isinstance(data, str) else "\0".join(map(repr, data))):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def held_out_share(data: Data, config: CorpusConfig) -> float:
    """Return the share of a corpus that is held out."""
    return config.held_out_share(length(data, config))


def cut_of(data: Data, config: CorpusConfig) -> Cut:
    """Return where the held-out part of one text, or of given tokens, begins."""
    whole = Cut(None, held_out_share(data, config))
    if isinstance(data, tuple) or config.max_tokens is not None:
        return whole
    line_ends = data.num_line_ends if isinstance(data, StreamedText) else data.count("\n")
    return replace(whole, characters=whole.num_train(len(data) - line_ends * config.d2l))


def feed_of(
    tokenizer: Tokenizer, reserved: tuple[str, ...], cut: Cut, config: CorpusConfig
) -> Feed:
    """Return what turns a text into numbers of tokens.

    No token goes on from one document to the next, so documents are parted after it.
    """
    line_ends = not config.d2l
    if config.documents is not None:
        whole = kept_whole(tokenizer, tuple(dict.fromkeys((BOS, *reserved))))
        return Feed(tokenizer, whole, Cut(), line_ends=line_ends)
    whole = kept_whole(tokenizer, reserved)
    return Feed(tokenizer, whole, cut, config.max_tokens, line_ends=line_ends)


def parted(numbered: Numbered, data: str, config: CorpusConfig, name: str) -> Numbered:
    """Return the tokens of a text, of documents those that are whole.

    Raises
    ------
    CorpusError
        When every document is in the training part, or the first has too many tokens.
    """
    if config.documents is None:
        return numbered
    share = held_out_share(data, config)
    return of_whole_documents(numbered, documents_in(data), share, config.max_tokens, name)


def training_text(data: Data, config: CorpusConfig, name: str) -> Iterator[str]:
    """Yield the text that is trained on, in pieces; of given tokens, nothing.

    Raises
    ------
    CorpusError
        When every document is in the training part although a share is held out.
    """
    if isinstance(data, tuple):
        return
    if isinstance(data, str) and config.documents is not None:
        found = fitting(documents_in(data), config.max_tokens)
        yield together(found[: num_trained(found, held_out_share(data, config), name)])
        return
    pieces = data.pieces() if isinstance(data, StreamedText) else slices(data)
    cut, line_ends = cut_of(data, config), not config.d2l
    yield from cut.training_text(pieces, config.max_tokens, line_ends=line_ends)
