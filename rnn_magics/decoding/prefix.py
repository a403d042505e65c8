"""The warm-up: a model reads a prefix before it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from rnn_magics.errors import DecodingError
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel, read, require_finite
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab


class Trained(Protocol):
    """What decoding needs of a run: a model and the vocabulary it was trained with."""

    @property
    def model(self) -> RNNModel:
        """The model."""

    @property
    def vocab(self) -> Vocab | None:
        """The map of its tokens."""


@dataclass(frozen=True)
class Prefix:
    """A prefix that a model has read.

    Parameters
    ----------
    text
        As given.
    unknown
        Its tokens that are not in the vocabulary.
    logits
        For the token after it, (1, vocab_size), float32 on the CPU.
    state
        The model's, for one row.
    nats
        The natural log-probabilities of its tokens from the second on, negated; maybe empty.
    """

    text: str
    unknown: tuple[Any, ...]
    logits: Tensor
    state: State
    nats: list[float]

    @property
    def perplexity(self) -> float | None:
        """Of the tokens from the second on."""
        return perplexity(sum(self.nats) / len(self.nats)) if self.nats else None


def read_prefix(run: Trained, prefix: str) -> Prefix:
    """Warm a model up on a prefix.

    Raises
    ------
    DecodingError
        When the model cannot write text, or the prefix has no tokens.
    ModelError
        When a weight is not finite.
    """
    model, vocab = run.model, vocab_of(run)
    if model.config.bidirectional:
        msg = (
            "a bidirectional model needs the text after a token to predict it, so it cannot write"
            " any; train one without --bidirectional"
        )
        raise DecodingError(msg)
    require_finite(model)
    tokens, unknown = split_prefix(vocab, prefix)
    logits, state = read_tokens(model, torch.tensor([vocab[tokens]]))
    nats = nats_of(logits[0, :-1], torch.tensor(vocab[tokens][1:], dtype=torch.long))
    return Prefix(prefix, unknown, logits[:, -1], state, nats)


def split_prefix(vocab: Vocab, prefix: str) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the tokens of a prefix, and those of them that are not in the vocabulary.

    Raises
    ------
    DecodingError
        When there are none.
    """
    tokens = vocab.split(prefix)
    if not tokens:
        msg = f"the prefix has no {vocab.token} tokens; give the model something to go on from"
        raise DecodingError(msg)
    return tokens, tuple(dict.fromkeys(t for t in tokens if t not in vocab and t != UNK))


def vocab_of(run: Trained) -> Vocab:
    """Return the vocabulary of a run.

    Raises
    ------
    DecodingError
        When it was trained on bare indices.
    """
    if run.vocab is None:
        msg = "this model was trained on bare indices; text needs a vocabulary"
        raise DecodingError(msg)
    return run.vocab


def read_tokens(
    model: RNNModel, indices: Tensor, state: State | None = None
) -> tuple[Tensor, State]:
    """Let a model read tokens, without a gradient and without dropout.

    Parameters
    ----------
    model
        On any device; its training mode is left as it was.
    indices
        Token indices, (num_rows, num_steps).
    state
        From an earlier call; zeros if not given.

    Returns
    -------
    logits : Tensor
        Shape (num_rows, num_steps, vocab_size), float32 on the CPU.
    state : tuple of Tensor
        On the device of the model.
    """
    logits, state = read(model, indices.to(model.output.weight.device), state)
    return logits.float().cpu(), state


def select_rows(state: State, rows: Tensor) -> State:
    """Return the state of some rows of the batch, in the order asked for.

    Parameters
    ----------
    state
        Tensors (num_layers, batch, num_hiddens).
    rows
        Places in the batch, (num_rows,).
    """
    return tuple(part[:, rows.to(part.device)].contiguous() for part in state)


def nats_of(logits: Tensor, targets: Tensor) -> list[float]:
    """Return -ln p of each target.

    Parameters
    ----------
    logits
        Shape (num_steps, vocab_size).
    targets
        Token indices, (num_steps,).
    """
    chosen = logits.log_softmax(dim=-1).gather(-1, targets[:, None])[:, 0]
    return [-value for value in chosen.tolist()]
