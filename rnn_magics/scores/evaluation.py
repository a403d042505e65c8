"""The perplexity of a text under a model, over all of its tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.batching import labels_of
from rnn_magics.errors import BatchError
from rnn_magics.language import say_number
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel, as_tuple, read
from rnn_magics.scores.rows import Rows

_IGNORED = -100


def perplexity(nats: float) -> float:
    r"""Return exp of a mean cross-entropy in nats; inf if that is beyond the range of a float.

    .. math:: \exp\left(-\frac{1}{n} \sum_{t=1}^{n} \ln p(x_t \mid x_{<t})\right)
    """
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def bits_per_token(nats: float) -> float:
    """Return a mean cross-entropy in bits; for characters this is bpc."""
    return nats / math.log(2)


@dataclass(frozen=True)
class Evaluation:
    """The mean cross-entropy of a text, and how it was computed.

    Parameters
    ----------
    nats
        Mean of -ln p over the predicted tokens.
    num_tokens
        The number of predicted tokens: all tokens of the text but the first.
    state
        ``carried`` if the state was carried through the text, ``zero`` if it was reset to zero for
        each window.
    """

    nats: float
    num_tokens: int
    state: str

    @property
    def perplexity(self) -> float:
        """The perplexity, exp of the mean."""
        return perplexity(self.nats)

    @property
    def bits(self) -> float:
        """Bits per token."""
        return bits_per_token(self.nats)


def evaluate(model: RNNModel, ids: Tensor, num_steps: int = 128) -> Evaluation:
    """Score every token of a text but the first.

    The text is read in up to 64 rows at once. Each row but the first begins with a state that was
    warmed up on the 256 tokens before it, so the result is that of one pass from left to right with
    the state carried. A bidirectional model has no state to carry: it reads windows of `num_steps`
    from zero. Its result is not the perplexity of a language model, since it sees each token before
    it predicts it.

    Parameters
    ----------
    model
        The model; its training mode is kept.
    ids
        Token indices, (num_tokens,), of any integer type, on the model's device.
    num_steps
        The number of steps read at a time. It changes the result only for a bidirectional model.

    Raises
    ------
    BatchError
        When the text has fewer than two tokens.

    Examples
    --------
    >>> score = evaluate(run.model, batches.valid)
    >>> score.num_tokens, score.perplexity == run.valid_perplexity
    (79, True)
    """
    slices = iter_evaluate(model, ids, num_steps)
    while (result := next(slices)) is None:
        pass
    return result


def iter_evaluate(
    model: RNNModel, ids: Tensor, num_steps: int = 128
) -> Iterator[Evaluation | None]:
    """Evaluate as `evaluate` does, in short slices: yield None after each, then the result."""
    total = torch.zeros((), dtype=torch.float64, device=ids.device)
    for _, losses in _read(model, ids, num_steps):
        total += losses.sum(dtype=torch.float64)
        yield None
    carried = not model.config.bidirectional
    predicted = len(ids) - 1
    yield Evaluation(total.item() / predicted, predicted, "carried" if carried else "zero")


def token_log_probs(model: RNNModel, ids: Tensor, num_steps: int = 128) -> Tensor:
    """Return the natural log-probability of every token of a text but the first.

    Their mean is minus the `nats` that `evaluate` returns for the same arguments.

    Returns
    -------
    Tensor
        Shape (num_tokens - 1,), float64, on the model's device.

    Raises
    ------
    BatchError
        When the text has fewer than two tokens.
    """
    found = torch.empty(len(ids), dtype=torch.float64, device=ids.device)
    for places, losses in _read(model, ids, num_steps):
        inside = places < len(ids) - 1
        found[places[inside]] = -losses[inside].double()
    return found[:-1]


@dataclass(frozen=True)
class TokenScores:
    """What a model says of every token of a text but the first.

    Parameters
    ----------
    log_probs
        Natural log-probabilities, (num_tokens - 1,), float64.
    greatest
        The greatest probability that it gives to any token in each place, in the same shape: how
        sure it is before the token is known.
    """

    log_probs: Tensor
    greatest: Tensor


def token_scores(model: RNNModel, ids: Tensor, num_steps: int = 128) -> TokenScores:
    """Return what `token_log_probs` does, and how sure the model is in each place.

    Raises
    ------
    BatchError
        When the text has fewer than two tokens.
    """
    found = torch.empty(2, len(ids), dtype=torch.float64, device=ids.device)
    for places, Y, logits in iter_logits(model, ids, num_steps):
        inside = places < len(ids) - 1
        log_probs = logits.float().log_softmax(dim=-1)
        scored = log_probs.gather(-1, Y.clamp(min=0)[..., None])[..., 0]
        found[0, places[inside]] = scored[inside].double()
        found[1, places[inside]] = log_probs.amax(dim=-1).exp()[inside].double()
    return TokenScores(found[0, :-1], found[1, :-1])


def _read(model: RNNModel, ids: Tensor, num_steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    # Yields places (num_rows, steps) and the nats of the tokens after them, 0 beyond the end.
    for places, Y, logits in iter_logits(model, ids, num_steps):
        losses = F.cross_entropy(
            logits.flatten(0, 1).float(), Y.flatten(), ignore_index=_IGNORED, reduction="none"
        )
        yield places, losses.view(places.shape)


def iter_logits(
    model: RNNModel, ids: Tensor, num_steps: int = 128
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Read a text as `evaluate` does, and yield what the model says of it, some steps at a time.

    Yields
    ------
    places : Tensor
        (num_rows, steps); a place beyond the last but one token is not in the text.
    Y : Tensor
        The index of the token after each place, or of the end of its document; negative beyond
        the end.
    logits : Tensor
        (num_rows, steps, vocab_size).

    Raises
    ------
    BatchError
        When the text has fewer than two tokens.
    """
    predicted = len(ids) - 1
    if predicted < 1:
        raise BatchError(
            say_number(
                len(ids),
                "a text of {num_tokens} token has nothing to predict; give at least two tokens",
                "a text of {num_tokens} tokens has nothing to predict; give at least two tokens",
                num_tokens=len(ids),
            )
        )
    carried = not model.config.bidirectional
    rows = Rows.of(predicted, ids.device)
    state: State | None = None
    if carried and len(rows) > 1:
        _, state = read(model, ids[rows.warm_up()].long())
        begin = as_tuple(model.begin_state(1, ids.device))
        state = rows.begin(state, tuple(part.detach() for part in begin))
    for _, _, places in rows.places(num_steps):
        X = ids[places.clamp(max=predicted)].long()
        # The last row may be shorter than the others: nothing beyond the end is scored.
        Y = labels_of(ids[(places + 1).clamp(max=predicted)].long(), model.marks)
        Y = Y.masked_fill(places >= predicted, _IGNORED)
        logits, state = read(model, X, state if carried else None)
        yield places, Y, logits
