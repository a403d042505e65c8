"""A text on disk as numbers of token types, which are kept on disk, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.given import require_listable
from rnn_magics.text.indexing.cache import IndexFile
from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.indexing.numbering import Numbered, cut_off, numberer_for, token_pieces
from rnn_magics.text.reading.sources import cache_folder
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.reserved import Whole
from rnn_magics.text.tokenizers import TOKENIZERS, require_breaks, split_words

_NO_MATTER = ("documents", "seed")  # documents are in memory
_LISTED = 10_000_000  # tokens that may become a list of Python objects


def number_on_disk(
    text: StreamedText, config: CorpusConfig, name: str, token: str, whole: Whole | None
) -> Numbered:
    """Return the numbers of a text, made now or mapped from a file.

    Parameters
    ----------
    text, config, name
        The text of a corpus, how it was cleaned, and its name.
    token
        A name of `TOKENIZERS`.
    whole
        The reserved tokens.

    Raises
    ------
    CorpusError
        When its tokenizer may not cut a text.
    """
    tokenizer, limit = TOKENIZERS[token], config.max_tokens
    require_breaks(token, name, len(text))
    numberer = numberer_for(tokenizer, whole, line_ends=not config.d2l)

    def blocks() -> Iterator[Ids]:
        return cut_off(map(numberer.feed, token_pieces(text.pieces(), tokenizer, whole)), limit)

    # For words this is a guess: one in every four characters begins one. Twice the size, for
    # the numbers here and for the indices of a vocabulary.
    guess = len(text) * 2 if tokenizer.split is list else len(text) // 4 * 4 * 2
    needed = guess if limit is None else min(guess, limit * 8)
    # A notebook may have registered another function under the same name since.
    anew = tokenizer.split not in (list, split_words)
    file = index_file(text, config, name, token, whole)
    stored = file.mapped(blocks, lambda: numberer.types, needed, anew=anew)
    return Numbered.of_numbers(stored.ids, stored.types, stored.checksum, stored.notes)


def index_file(
    text: StreamedText,
    config: CorpusConfig,
    name: str,
    token: str,
    whole: Whole | None,
    vocabulary: str = "",
) -> IndexFile:
    """Return the file that keeps the indices of a text on disk.

    Parameters
    ----------
    text, config, name, token, whole
        As for `number_on_disk`.
    vocabulary
        Identifies the vocabulary; empty for the numbers of token types.
    """
    identity = text.identity
    reserved = {} if whole is None else {"reserved": whole.tokens}
    cleaning = {name: v for name, v in config.to_dict().items() if name not in _NO_MATTER}
    what = {**cleaning, "valid": None, "token": token, **reserved}
    family, folder = [part[:2] for part in identity], cache_folder() / "indices"
    # Version 1 took combining marks off their letters.
    version = 2 if token == "word" or config.letters_only else 1
    return IndexFile(folder, family, identity, what, name, vocabulary, version)


def listed(numbered: Numbered, name: str) -> list[Any]:
    """Return the tokens themselves.

    Raises
    ------
    CorpusError
        When there are too many.
    """
    require_listable(numbered.size, name, _LISTED)
    types = numbered.types()
    return [types[number] for block in numbered.blocks() for number in block.tolist()]
