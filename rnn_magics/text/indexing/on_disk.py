"""A text on disk as numbers of token types, which are kept on disk, too."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import Any

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.given import require_listable
from rnn_magics.text.indexing.cache import IndexFile
from rnn_magics.text.indexing.numbered import Feed, Numbered
from rnn_magics.text.reading.sources import cache_folder
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.splitting.graphemes import split_graphemes
from rnn_magics.text.splitting.tokenizer import Tokenizer
from rnn_magics.text.tokenizers import require_breaks, split_words

_KNOWN = (list, split_words, split_graphemes)  # of the package
_NO_MATTER = ("documents", "seed", "test")  # documents are in memory; a test part is another text
_LISTED = 10_000_000  # tokens that may become a list of Python objects


def number_on_disk(
    text: StreamedText, config: CorpusConfig, name: str, token: str, feed: Feed
) -> Numbered:
    """Return the numbers of a text, made now or mapped from a file.

    Parameters
    ----------
    text, config, name
        The text of a corpus, how it was cleaned, and its name.
    token
        A name of `TOKENIZERS`.
    feed
        Feeds the text to the numberer of that tokenizer.

    Raises
    ------
    CorpusError
        When its tokenizer may not cut a text.
    """
    require_breaks(token, name, len(text))
    needed = bytes_needed(text, feed.tokenizer, config.max_tokens)
    # A notebook may have registered another function under the same name since.
    anew = not is_known(feed.tokenizer)
    file = index_file(text, config, name, token, feed)
    stored = file.mapped(
        lambda: feed.blocks(text.pieces()),
        lambda: feed.types,
        needed,
        anew=anew,
        mark=lambda: feed.num_train,
    )
    num_train = feed.num_train_of(len(stored.ids), stored.mark)
    known = stored.checksum, stored.notes, stored.counted
    return Numbered.of_numbers(stored.ids, stored.types, num_train, *known)


def bytes_needed(text: StreamedText, tokenizer: Tokenizer, limit: int | None = None) -> int:
    """Guess how many bytes the indices of a text take, the numbers and those of a vocabulary."""
    # For words this is a guess: one in every four characters begins one. Twice the size, for
    # the numbers here and for the indices of a vocabulary.
    guess = len(text) * 2 if tokenizer.split is list else len(text) // 4 * 4 * 2
    return guess if limit is None else min(guess, limit * 8)


def is_known(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer is one of the package, which is the same tomorrow and elsewhere."""
    return tokenizer.split in _KNOWN or bool(tokenizer.alphabet)


def index_file(
    text: StreamedText,
    config: CorpusConfig,
    name: str,
    token: str,
    feed: Feed,
    vocabulary: str = "",
) -> IndexFile:
    """Return the file that keeps the indices of a text on disk.

    Parameters
    ----------
    text, config, name, token, feed
        As for `number_on_disk`.
    vocabulary
        Identifies the vocabulary; empty for the numbers of token types.
    """
    cleaning = {name: v for name, v in config.to_dict().items() if name not in _NO_MATTER}
    what = {**cleaning, "valid": None, "token": token, **feed.identity}
    what |= {} if text.within is None else {"within": text.within}
    family = [part[:2] for part in text.identity]
    folder = cache_folder() / "indices" if text.storage is None else Path(text.storage)
    # Version 1 took combining marks off their letters.
    version = 2 if token == "word" or config.letters_only else 1
    return IndexFile(folder, family, text.identity, what, name, vocabulary, version)


def storage_folder(storage: str | PathLike[str] | None) -> str | None:
    """Return the absolute path of a folder for indices; None where none is named.

    Raises
    ------
    CorpusError
        When it is a file.
    """
    if storage is None:
        return None
    path = files.user_path(os.fspath(storage), CorpusError).absolute()
    if path.exists() and not path.is_dir():
        raise CorpusError(
            say("{path} is no folder; --storage takes one", path=files.shown(str(storage)))
        )
    return str(path)


def listed(numbered: Numbered, name: str) -> list[Any]:
    """Return the tokens themselves.

    Raises
    ------
    CorpusError
        When there are too many.
    """
    require_listable(numbered.size, name, _LISTED)
    numbers = [number for block in numbered.blocks() for number in block.tolist()]
    types = numbered.types()  # all of them, now that all blocks are read
    return [types[number] for number in numbers]
