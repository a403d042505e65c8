"""Generation: a model goes on from a prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnn_magics.decoding.beam import beam_search
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.prefix import (
    Prefix,
    Trained,
    read_prefix,
    read_tokens,
    select_rows,
    vocab_of,
)
from rnn_magics.errors import DecodingError
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.evaluation import perplexity


@dataclass(frozen=True, repr=False)
class Generation:
    """Text that a model wrote.

    Parameters
    ----------
    text
        The prefix and what follows it.
    prefix
        The prefix alone.
    tokens
        The tokens written, without the prefix.
    log_probs
        Their natural log-probabilities under the model itself (at temperature 1).
    prefix_perplexity
        Of the prefix under the model; None when it is shorter than two tokens.
    unknown
        Tokens of the prefix that are not in the vocabulary and were read as ``<unk>``.
    config
        How it was decoded.
    """

    text: str
    prefix: str
    tokens: list[Any]
    log_probs: list[float]
    prefix_perplexity: float | None
    unknown: tuple[Any, ...]
    config: DecodingConfig

    @property
    def perplexity(self) -> float:
        """Of the tokens written, under the model itself."""
        return perplexity(-sum(self.log_probs) / len(self.log_probs))

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def __repr__(self) -> str:
        """One line about the text; ``str()`` gives the text itself."""
        prefix = self.prefix_perplexity
        of_prefix = "" if prefix is None else f", prefix perplexity {prefix:.2f}"
        named = ", ".join(repr(token) for token in self.unknown)
        unknown = f", not in the vocabulary and read as {UNK}: {named}" if named else ""
        return (
            f"Generation({len(self.tokens)} tokens of perplexity {self.perplexity:.2f}"
            f"{of_prefix}{unknown})"
        )


@dataclass(frozen=True)
class Written:
    """One step of a decoding: the next token of every row.

    Parameters
    ----------
    indices
        Token indices, (num_rows,).
    log_probs
        Natural log-probabilities under the model, (num_rows,).
    """

    indices: Tensor
    log_probs: Tensor


def iter_decode(
    model: RNNModel, prefix: Prefix, config: DecodingConfig, num: int = 1
) -> Iterator[Written]:
    """Write `config.length` tokens in each of `num` rows, one step at a time."""
    generator = torch.Generator().manual_seed(config.seed)
    choose = DECODERS[config.decoder]
    logits = prefix.logits.expand(num, -1)  # (num, vocab_size)
    state = select_rows(prefix.state, torch.zeros(num, dtype=torch.long))
    for left in range(config.length, 0, -1):
        indices = choose(logits, config, generator)
        log_probs = logits.log_softmax(dim=-1).gather(-1, indices[:, None])[:, 0]
        yield Written(indices, log_probs)
        if left > 1:
            logits, state = read_tokens(model, indices[:, None], state)
            logits = logits[:, -1]


def generate(
    run: Trained,
    prefix: str,
    config: DecodingConfig | None = None,
    *,
    write: Callable[[str], None] | None = None,
) -> Generation:
    """Let a model go on from a prefix.

    Parameters
    ----------
    run
        What `train` returned, or anything with ``model`` and ``vocab``.
    prefix
        The text that warms the model up.
    config
        How the tokens are chosen and how many.
    write
        Called with each piece of text as it is written, the prefix first.

    Raises
    ------
    DecodingError
        When the model is bidirectional, or the prefix or the stop token is unusable.
    """
    (generation,) = generate_many(run, prefix, config, write=write)
    return generation


def generate_many(
    run: Trained,
    prefix: str,
    config: DecodingConfig | None = None,
    *,
    num: int = 1,
    write: Callable[[str], None] | None = None,
) -> list[Generation]:
    """Write several continuations of a prefix at once, as one batch.

    Parameters
    ----------
    run, prefix, config
        As for `generate`.
    num
        How many texts.
    write
        As for `generate`; called with the pieces of the first text.

    Raises
    ------
    DecodingError
        As `generate`, and when a beam search is to give more than one text.
    """
    config = config or DecodingConfig()
    vocab = vocab_of(run)
    if config.beam and num > 1:
        msg = f"a beam search finds one text, not {num}; leave --num or --beam out"
        raise DecodingError(msg)
    stop = _stop_index(vocab, config.stop)
    read = read_prefix(run, prefix)
    tell = write or (lambda _piece: None)
    tell(prefix)
    if config.beam:
        indices, log_probs = beam_search(run.model, read, config, stop)
        texts, all_log_probs = [indices], [log_probs]
        tell(_continued(vocab, prefix, indices))
    else:
        texts, all_log_probs = [[] for _ in range(num)], [[] for _ in range(num)]
        open_rows = set(range(num))
        for written in iter_decode(run.model, read, config, num):
            chosen = zip(written.indices.tolist(), written.log_probs.tolist(), strict=True)
            for row, (index, log_prob) in enumerate(chosen):
                if row not in open_rows:
                    continue
                if row == 0:
                    tell(_piece(vocab, prefix, texts[0][-1] if texts[0] else None, index))
                texts[row].append(index)
                all_log_probs[row].append(log_prob)
                if index == stop:
                    open_rows.remove(row)
            if not open_rows:
                break
    return [
        Generation(
            prefix + _continued(vocab, prefix, indices),
            prefix,
            vocab.to_tokens(indices),
            log_probs,
            read.perplexity,
            read.unknown,
            config,
        )
        for indices, log_probs in zip(texts, all_log_probs, strict=True)
    ]


def _stop_index(vocab: Vocab, stop: str | None) -> int | None:
    if stop is None:
        return None
    tokens = vocab.split(stop)
    if len(tokens) != 1 or tokens[0] not in vocab:
        msg = f"--stop {stop!r} is not one {vocab.token} token of the vocabulary"
        raise DecodingError(msg)
    return int(vocab[tokens[0]])


def _piece(vocab: Vocab, prefix: str, before: int | None, index: int) -> str:
    # What a token adds to the text. The first one is glued to the last token of the prefix, so
    # that words do not run together, unless the prefix ends with a space of its own.
    token, glue = vocab.to_tokens(index), vocab.tokenizer.glue
    if before is not None:
        return glue(vocab.to_tokens(before), token)
    piece = glue(vocab.split(prefix)[-1], token)
    return str(token) if prefix[-1].isspace() and piece == f" {token}" else piece


def _continued(vocab: Vocab, prefix: str, indices: Sequence[int]) -> str:
    pairs = zip([None, *indices], indices, strict=False)
    return "".join(_piece(vocab, prefix, before, index) for before, index in pairs)
