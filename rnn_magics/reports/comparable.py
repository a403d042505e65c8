"""Which runs have perplexities that can be compared: those that predict the same tokens.

Runs with other tokens of the same text can be compared by the bits that a byte of it costs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from rnn_magics.language import marked, say
from rnn_magics.training.run import Run


@dataclass(frozen=True)
class Basis:
    """What the perplexity of a run is a perplexity of.

    Parameters
    ----------
    token
        The kind of token; ``index`` for a run on bare indices.
    tokens
        A digest of the tokens of the vocabulary, in any order; their number for bare indices.
    text
        A digest of the text; empty for bare indices.
    split
        The lengths of its training part and its held-out part, in tokens.
    state
        How held-out text is read, see `Run.state_rule`.
    """

    token: str
    tokens: str
    text: str
    split: tuple[int, int]
    state: str


_WORDS = {
    "token": marked("kinds of token"),
    "tokens": marked("vocabularies"),
    "text": marked("texts"),
    "split": marked("held-out parts"),
    "state": marked("state rules"),
}


def basis_of(run: Run) -> Basis:
    """Return what the perplexity of a run depends on, besides its model."""
    vocab, split = run.vocab, (run.num_train_tokens, run.num_valid_tokens)
    if vocab is None:
        return Basis("index", str(run.model.vocab_size), "", split, run.state_rule)
    tokens = sorted(map(repr, vocab.to_tokens(list(range(len(vocab))))))
    digest = hashlib.sha256(repr(tokens).encode()).hexdigest()
    text = "" if run.corpus is None else run.corpus[1]
    return Basis(vocab.token, digest, text, split, run.state_rule)


def comparable(runs: Sequence[Run]) -> list[list[Run]]:
    """Group runs by their basis: perplexities can be compared within a group only."""
    groups: dict[Basis, list[Run]] = {}
    for run in runs:
        groups.setdefault(basis_of(run), []).append(run)
    return list(groups.values())


def basis_in_words(run: Run) -> str:
    """Say what the perplexity of a run is a perplexity of."""
    size = f"{run.model.vocab_size:,}"
    kind = (
        say("{size} indices", size=size)
        if run.vocab is None
        else say("{size} {token} tokens", size=size, token=run.vocab.token)
    )
    text = say("bare indices") if run.corpus is None else repr(run.corpus[0])
    held_out = f"{run.num_valid_tokens:,}" if run.num_valid_tokens else say("none")
    return say(
        "{kind}; {text}, {num_train_tokens:,} tokens to train on,"
        " {held_out} held out; state {state_rule}",
        kind=kind,
        text=text,
        num_train_tokens=run.num_train_tokens,
        held_out=held_out,
        state_rule=say(run.state_rule),
    )


def difference_in_words(groups: Sequence[Sequence[Run]]) -> str:
    """Say why the perplexities of different groups cannot be compared; nothing for one group."""
    if len(groups) < 2:  # noqa: PLR2004
        return ""
    bases = [basis_of(group[0]) for group in groups]
    differing = [f.name for f in fields(Basis) if len({getattr(b, f.name) for b in bases}) > 1]
    if "text" in differing or "token" in differing or "tokens" in differing:
        differing = [name for name in differing if name != "split"]  # which follows from them
    named = [say(_WORDS[name]) for name in differing]
    listed = say(", ").join(named[:-1]) + (say(" and ") if named[:-1] else "") + named[-1]
    return say(
        "Perplexities of different groups cannot be compared: they have different {listed}.",
        listed=listed,
    )


def bits_per_byte(run: Run, bits: float) -> float | None:
    """Return what a byte of the held-out text costs where a token costs so many bits.

    Returns
    -------
    float or None
        None where the length of the text is not known: without a text, or with given tokens.
    """
    size = None if run.valid_counts is None else run.valid_counts.size
    if size is None:
        return None
    return size.per_byte(bits * math.log(2) * (run.num_valid_tokens - 1))


def why_not_by_bytes(runs: Sequence[Run]) -> str:
    """Say why the bits per byte of runs cannot be compared; nothing where they can."""
    if len({run.corpus and run.corpus[1] for run in runs}) > 1:
        return say("they have different texts")
    if len({run.state_rule for run in runs}) > 1:
        return say("they have different state rules")
    if len({_split(run) for run in runs}) > 1 or _split(runs[0]) == ("tokens",):
        return say("they have different held-out parts")
    if any(run.valid_counts is None or run.valid_counts.size is None for run in runs):
        return say("of some the length of the held-out text in bytes is not known")
    return ""


def _split(run: Run) -> tuple[object, ...]:
    # The share counts characters of the text, but with a largest number of tokens.
    cleaning = None if run.reading is None else run.reading.cleaning
    if cleaning is None or cleaning.max_tokens is not None:
        return ("tokens",)
    return ("characters", cleaning)
