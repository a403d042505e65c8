"""Warm-up: a model reads a prefix before it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from rnn_magics.errors import DecodingError
from rnn_magics.language import marked, say
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel, read, require_finite
from rnn_magics.results import PARTS, listed
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.text.agreement import disagreement
from rnn_magics.text.documents import BOS, MARKS
from rnn_magics.text.read_as import TextReading, part_as
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab

ESCAPES_HINT = marked(r"--escapes reads \n as a line break")


class Trained(Protocol):
    """The part of a run that decoding needs: a model, and the vocabulary of its training."""

    @property
    def model(self) -> RNNModel:
        """The model."""

    @property
    def vocab(self) -> Vocab | None:
        """Maps its indices to tokens."""


@dataclass(frozen=True)
class Prefix:
    """A prefix that a model has read.

    Parameters
    ----------
    text
        The prefix.
    unknown
        Its tokens that are not in the vocabulary.
    logits
        The logits of the token after it, (1, vocab_size), float32 on the CPU.
    state
        The state of the model after it, for one row.
    nats
        -ln p of its tokens from the second on; may be empty.
    packed
        The weights that read it, packed for the compiled loop, which writes with them at once; None
        where the model itself has read. They are a copy: keep no such prefix.
    """

    text: str
    unknown: tuple[Any, ...]
    logits: Tensor
    state: State
    nats: list[float]
    packed: Any = None

    @property
    def perplexity(self) -> float | None:
        """The perplexity of the tokens from the second on; None if there is only one."""
        return perplexity(sum(self.nats) / len(self.nats)) if self.nats else None


Read = tuple[Tensor, State, list[float], Any]
"""The last four fields of a `Prefix`."""
Reader = Callable[[RNNModel, Tensor], Read]
"""Reads tokens (1, num_steps) from the first state of a model."""


def read_by_model(model: RNNModel, indices: Tensor) -> Read:
    """Read a prefix by the model's own forward pass."""
    logits, state = read_tokens(model, indices)
    return logits[:, -1], state, nats_of(logits[0, :-1], indices[0, 1:]), None


def read_prefix(run: Trained, prefix: str, reader: Reader = read_by_model) -> Prefix:
    """Warm up a model on a prefix.

    Parameters
    ----------
    run
        The model and its vocabulary.
    prefix
        The text.
    reader
        What reads it.

    Raises
    ------
    DecodingError
        When the model cannot write text, or the prefix has no tokens.
    ModelError
        When a weight of the model is not finite.
    """
    model, vocab = run.model, vocab_of(run)
    if model.config.bidirectional:
        raise DecodingError(
            say(
                "a bidirectional model predicts a token from the text after it, so it cannot"
                " write text; train a model without --bidirectional"
            )
        )
    require_finite(model)
    tokens, unknown = split_prefix(vocab, prefix)
    return Prefix(prefix, unknown, *reader(model, torch.tensor([vocab[tokens]])))


def split_text(vocab: Vocab, text: str) -> list[Any]:
    """Return the tokens of a text as a model reads it: a document begins with ``<bos>``."""
    return [*([] if vocab.marks is None else [BOS]), *vocab.split(text)]


def added(vocab: Vocab, tokens: Sequence[Any], before: Sequence[Any] = ()) -> list[str]:
    """Return the text that each token adds after those before; the marks of documents add none."""
    if vocab.marks is None:
        return vocab.tokenizer.added(tokens, before)
    plain, last = ([token for token in each if token not in MARKS] for each in (tokens, before))
    texts = iter(vocab.tokenizer.added(plain, last))
    return ["" if token in MARKS else next(texts) for token in tokens]


def split_prefix(vocab: Vocab, prefix: str) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the tokens of a prefix, and those that are not in the vocabulary.

    Raises
    ------
    DecodingError
        When the prefix has no tokens.
    """
    tokens = split_text(vocab, prefix)
    if not tokens:
        raise DecodingError(
            say(
                "the prefix has no {kind} tokens; give a text to continue, such as 'The '",
                kind=vocab.token,
            )
        )
    return tokens, tuple(dict.fromkeys(t for t in tokens if t not in vocab and t != UNK))


def usual_prefix(vocab: Vocab) -> str:
    """Return the text of the most frequent token that is text by itself, and no part of one.

    Documents begin without one.
    """
    if vocab.marks is not None:
        return ""
    texts = (str(token) for token, _ in vocab.token_freqs)
    return next((text for text in texts if not PARTS.search(text)), "\n")


def named_unknown(unknown: tuple[Any, ...]) -> str:
    """Say which tokens were read as ``<unk>``; of none, nothing."""
    if not unknown:
        return ""
    escaped = any("\\" in str(token) for token in unknown)
    hint = say("; ") + say(ESCAPES_HINT) if escaped else ""
    return say("read as {unk}: {tokens}{hint}", unk=UNK, tokens=listed(unknown), hint=hint)


def vocab_of(run: Trained) -> Vocab:
    """Return the vocabulary of a run.

    Raises
    ------
    DecodingError
        When the model was trained on bare indices, or with other tokens.
    """
    if run.vocab is None:
        raise DecodingError(
            say(
                "this model was trained on bare indices, so it can neither read nor write text;"
                " train it on a Corpus with a Vocab"
            )
        )
    if differ := disagreement(run.model.vocab, run.vocab):
        raise DecodingError(
            say(
                "the model was trained with other tokens than those of this vocabulary: {differ};"
                " take the vocabulary of its run: run.vocab",
                differ=differ,
            )
        )
    return run.vocab


def reading_of(run: Trained) -> TextReading | None:
    """Return how the text of a run was read; None where an object of another kind does not say."""
    reading: TextReading | None = getattr(run, "reading", None)
    return reading


def which_weights(run: Trained) -> str:
    """Say which weights a run has if these are not the last; empty for an object without a say."""
    weights: str = getattr(run, "which_weights", "")
    return weights


def as_read(run: Trained, text: str) -> str:
    """Return a text as the model reads it: cleaned as the text of its training was.

    Raises
    ------
    DecodingError
        When the model was trained on bare indices, or with other tokens.
    """
    return part_as(reading_of(run), text, vocab_of(run).config.reserved)


def read_tokens(
    model: RNNModel, indices: Tensor, state: State | None = None
) -> tuple[Tensor, State]:
    """Read tokens with a model, without a gradient and without dropout.

    Parameters
    ----------
    model
        A model on any device; its training mode is kept.
    indices
        Token indices, (num_rows, num_steps).
    state
        The state from an earlier call; by default zeros.

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
    """Return the state of some rows of the batch, in the order of `rows`.

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
