"""Limits: what one call can write, in memory and in a while, and what ends a text."""

from __future__ import annotations

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.prefix import ESCAPES_HINT
from rnn_magics.errors import DecodingError
from rnn_magics.language import marked, say
from rnn_magics.options import Range
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab

NUM_TEXTS = Range(1, 1000)
"""How many texts one call writes; each is a row of the batch."""
MOST_TOKENS = 10_000_000
"""Tokens of one call, over all texts or candidates. Each takes some 50 bytes until the end."""
MOST_LOGITS = 50_000_000
"""Rows times tokens of the vocabulary in one call. Each takes up to 30 bytes in a beam search."""


def check_size(config: DecodingConfig, num: int, vocab_size: int) -> None:
    """Check that what one call writes fits into memory and ends in a while.

    Raises
    ------
    DecodingError
        When `num` is not in [1, 1000], more than 1 for a beam search, or more is asked for than
        `MOST_TOKENS` or `MOST_LOGITS`.
    """
    if num not in NUM_TEXTS:
        raise DecodingError(say("num must be {range}, not {num}", range=NUM_TEXTS, num=num))
    if config.beam and num > 1:
        raise DecodingError(
            say("a beam search finds one text, not {num}; leave out --num or --beam", num=num)
        )
    rows, name = (config.beam, "--beam") if config.beam else (num, "--num")
    if rows * config.length > MOST_TOKENS:
        one = marked(
            "{length:,} tokens are too many for one call, which writes at most {most:,}; lower"
            " --length"
        )
        many = marked(
            "{rows:,} x {length:,} tokens are too many for one call, which writes at most {most:,};"
            " lower --length or {name}"
        )
        text = many if rows > 1 else one
        raise DecodingError(say(text, rows=rows, length=config.length, most=MOST_TOKENS, name=name))
    if rows * vocab_size > max(MOST_LOGITS, vocab_size):
        most = max(MOST_LOGITS // vocab_size, 1)
        raise DecodingError(
            say(
                "with {vocab_size:,} tokens in the vocabulary {name} must be at most {most:,},"
                " not {rows:,}: the logits of all rows are in memory at once",
                vocab_size=vocab_size,
                name=name,
                most=most,
                rows=rows,
            )
        )


def check_unk(config: DecodingConfig, vocab: Vocab) -> None:
    """Check that a token is left where ``<unk>`` is excluded.

    Raises
    ------
    DecodingError
        When the vocabulary has no other token.
    """
    if config.no_unk and len(vocab) == 1:
        raise DecodingError(
            say(
                "the vocabulary has only {unk}, so nothing is left to write; leave out --no-unk",
                unk=UNK,
            )
        )


def stop_index(vocab: Vocab, stop: str | None) -> int | None:
    """Return the index of the token that ends a text; None if there is none.

    Raises
    ------
    DecodingError
        When `stop` is not exactly one token of the vocabulary.
    """
    if stop is None:
        return None
    tokens = vocab.split(stop)
    if len(tokens) != 1 or tokens[0] not in vocab:
        if tokens == ["\n"]:
            text = marked(
                "--stop {stop!r} is not a single {kind} token of the vocabulary, whose text has no"
                " line breaks; give one that it has"
            )
        else:
            text = marked(
                "--stop {stop!r} is not a single {kind} token of the vocabulary; {advice}"
            )
        advice = say(ESCAPES_HINT if "\\" in stop else marked("give one"))
        raise DecodingError(say(text, stop=stop, kind=vocab.token, advice=advice))
    return int(vocab[tokens[0]])


def ends_of(vocab: Vocab, stop: int | None) -> set[int]:
    """Return the indices that end a text: the stop token, and the end of a document."""
    ends = set() if stop is None else {stop}
    return ends if vocab.marks is None else {*ends, vocab.marks.end}
