r"""Byte pair encoding: the pairs that are most frequent in a text become tokens.

The tokens of a text are its bytes at first. Again and again the pair of neighbours that is most
frequent becomes a token (Sennrich, Haddow and Birch 2016; of bytes: Radford et al. 2019). No
token reaches from one word, number, run of marks or line into the next; a space belongs to the
word after it. The library ``tokenizers`` counts and merges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_magics.errors import CorpusError, VocabError
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import marked, say
from rnn_magics.text.splitting.bytewise import ByteTokenizer, as_token, byte_codes
from rnn_magics.text.splitting.tokenizer import Codes, Learnt, Tokenizer, glue_plainly

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Library

HELP = marked("pieces of words, learnt from the training text; needs the package tokenizers")
DEFAULT_SIZE = 512
"""Of a vocabulary for which no size is named."""
PIECES = r"\n| ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|[^\S\n]+(?!\S)|[^\S\n]+"
"""What the text is cut into first; ``(?!\\S)`` leaves the last space to the word after it."""
_LEAST_FREQ = 2  # a pair that occurs once is no pattern
_AT_ONCE = 1 << 13  # characters; so many pieces that each processor has some
_SURROGATES = re.compile("[\ud800-\udfff]+")  # the library takes none


def _names() -> tuple[str, ...]:
    # The library reads bytes as letters; those that print stand for themselves.
    prints = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte) if byte in prints else chr(next(others)) for byte in range(256))


NAMES = _names()
"""The letter that stands for each byte in what is learnt."""
_BYTE_OF = {name: byte for byte, name in enumerate(NAMES)}


def learn_pairs(pieces: Iterable[str], size: int, min_freq: int) -> Learnt:
    """Learn which pairs become tokens.

    Parameters
    ----------
    pieces
        A text, cut at line ends.
    size
        The most tokens, the 256 bytes among them.
    min_freq
        How often a pair must occur.

    Returns
    -------
    tuple of str
        The pairs in the order in which they were learnt, such as ``t h``; `NAMES` are the bytes.

    Raises
    ------
    CorpusError
        If the package is missing.
    """
    library = _library()
    learner = library.Tokenizer(library.models.BPE())
    learner.pre_tokenizer = _cutter()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=max(min_freq, _LEAST_FREQ),
        initial_alphabet=list(NAMES),
        show_progress=False,
    )
    texts = (part for piece in pieces for part in _SURROGATES.split(piece) if part)
    learner.train_from_iterator(texts, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return tuple(" ".join(pair) for pair in merges)


@lru_cache(maxsize=16)
def bpe(learnt: Learnt) -> Tokenizer:
    """Return the tokenizer that has learnt these pairs.

    Raises
    ------
    VocabError
        If they are no pairs of tokens that are known before.
    """
    names = _vocabulary(learnt)
    tokens = tuple(as_token(bytes(_BYTE_OF[letter] for letter in name)) for name in names)

    def codes(text: str) -> Codes:
        return _encode(learnt, text)

    def split(text: str) -> list[str]:
        return [tokens[code] for code in codes(text).tolist()]

    return ByteTokenizer(split, glue_plainly, HELP, breaks="\n", alphabet=tokens, codes=codes)


def _vocabulary(learnt: Learnt) -> list[str]:
    # By code. Two pairs may give the same token, which then has one code.
    found = dict.fromkeys(NAMES)
    for pair in learnt:
        left, _, right = pair.partition(" ")
        if left not in found or right not in found:
            raise VocabError(
                say("{pair!r} is no pair of tokens that were learnt before it", pair=pair)
            )
        found[left + right] = None
    return list(found)


@lru_cache(maxsize=16)
def _encoder(learnt: Learnt) -> Library:
    library = _library()
    vocab = {name: code for code, name in enumerate(_vocabulary(learnt))}
    merges = [(left, right) for left, _, right in (pair.partition(" ") for pair in learnt)]
    encoder: Library = library.Tokenizer(library.models.BPE(vocab=vocab, merges=merges))
    encoder.pre_tokenizer = _cutter()
    return encoder


def _encode(learnt: Learnt, text: str) -> Codes:
    encoder, found = _encoder(learnt), []
    for part, is_odd in _around_surrogates(text):
        if is_odd:
            found.append(byte_codes(part).astype(np.int32))
            continue
        encodings = encoder.encode_batch_fast([*_batch(part)], add_special_tokens=False)
        found += [np.array(encoding.ids, np.int32) for encoding in encodings]
    return np.concatenate(found) if found else np.empty(0, np.int32)


def _around_surrogates(text: str) -> Iterator[tuple[str, bool]]:
    at = 0
    for odd in _SURROGATES.finditer(text):
        if at < odd.start():
            yield text[at : odd.start()], False
        yield odd[0], True
        at = odd.end()
    if at < len(text):
        yield text[at:], False


def _batch(text: str) -> Iterator[str]:
    # A text may be cut after a line end.
    at = 0
    while at < len(text):
        end = text.rfind("\n", at, at + _AT_ONCE) + 1 or text.find("\n", at + _AT_ONCE) + 1
        yield text[at : end or None]
        at = end or len(text)


def _cutter() -> Any:
    library = _library()
    cut = library.pre_tokenizers
    return cut.Sequence(
        [
            cut.Split(library.Regex(PIECES), "isolated"),
            cut.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _library() -> Any:
    try:
        with whole_imports():
            import tokenizers  # noqa: PLC0415  (an optional extra)
    except ImportError:
        raise CorpusError(
            say("byte pair encoding needs the package tokenizers: pip install 'rnn_magics[bpe]'")
        ) from None
    return tokenizers


def split_unlearnt(_text: str) -> list[str]:
    """Refuse: what a tokenizer has to learn, it learns when a vocabulary is made.

    Raises
    ------
    CorpusError
        Always.
    """
    raise CorpusError(
        say(
            "a tokenizer of learnt pieces splits only after it has learnt them: make a vocabulary"
            " first, Vocab.from_corpus(corpus, VocabConfig(token='bpe')), and let that split"
        )
    )
