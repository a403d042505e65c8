"""How a text is split into tokens, which of them get an index, and what is learnt first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rnn_magics.errors import VocabError
from rnn_magics.language import say
from rnn_magics.options import AT_LEAST_ONE, Options, Spelling, option
from rnn_magics.text.indexing.numbering import token_pieces
from rnn_magics.text.reserved import kept_whole
from rnn_magics.text.splitting.bpe import DEFAULT_SIZE
from rnn_magics.text.splitting.tokenizer import Learnt
from rnn_magics.text.tokenizers import TOKENIZERS, UNK, tokenizer_of


@dataclass(frozen=True, repr=False)
class VocabConfig(Options):
    """How a text is split into tokens, and which tokens get an index."""

    token: str | None = option(
        None,
        "what splits the text into tokens; by default char",
        choices=lambda: list(TOKENIZERS),
        label="Token",
    )
    min_freq: int = option(
        1,
        "tokens that occur fewer times become <unk>; with bpe, pairs are not merged",
        within=AT_LEAST_ONE,
        label="Smallest count",
    )
    max_size: int | None = option(
        None,
        lambda: say(
            "at most this many indices, the most frequent tokens first; with bpe it learns as many,"
            " by default {size}",
            size=DEFAULT_SIZE,
        ),
        within=AT_LEAST_ONE,
        label="Largest vocabulary",
    )
    reserved: tuple[str, ...] = option(
        (),
        "tokens that get an index even if they do not occur, and are never taken apart",
        label="Reserved tokens",
        spelling=Spelling(metavar="A,B"),
    )


def learn(pieces: Iterable[str], config: VocabConfig) -> Learnt | None:
    """Return what a tokenizer learns from a text; None if it is none that learns.

    Parameters
    ----------
    pieces
        The training part, cut anywhere.
    config
        Names the tokenizer, and says how much it learns.

    Raises
    ------
    VocabError
        If the vocabulary has no room for what it always has, or would leave out a part of it.
    CorpusError
        If it needs a package that is missing.
    """
    tokenizer = tokenizer_of(config.token or "char")
    require_room(config, tokenizer.alphabet)
    if tokenizer.learning is None:
        if tokenizer.alphabet and config.min_freq > 1:
            raise VocabError(
                say(
                    "--min-freq changes nothing with --token {kind}, which always has all of its"
                    " {number:,} tokens; leave it out",
                    kind=config.token,
                    number=len(tokenizer.alphabet),
                )
            )
        return None
    whole = kept_whole(tokenizer, config.reserved)
    uncut: Iterable[str] = token_pieces(pieces, tokenizer, whole)
    if whole is not None:
        uncut = (part for piece in uncut for part in whole.pattern.split(piece))
    size = (config.max_size or DEFAULT_SIZE) - _num_named(config)
    return tokenizer.learning.learn(uncut, size, config.min_freq)


def require_room(config: VocabConfig, alphabet: tuple[str, ...]) -> None:
    """Refuse a vocabulary without one of its bytes, since it could not write every text.

    Raises
    ------
    VocabError
        If its largest size is below what it always has.
    """
    needed = _num_named(config) + len(alphabet)
    if alphabet and config.max_size is not None and config.max_size < needed:
        raise VocabError(
            say(
                "--max-size {size} has no room for the {number:,} tokens that {kind} always has;"
                " with {unk} and the reserved tokens they need {needed:,}: --max-size {needed}",
                size=config.max_size,
                number=len(alphabet),
                kind=config.token,
                unk=UNK,
                needed=needed,
            )
        )


def _num_named(config: VocabConfig) -> int:
    return len({UNK, *config.reserved})
