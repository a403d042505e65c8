"""Reading that adapts: a model that goes on learning from the text that it is scored on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.batching import labels_of
from rnn_magics.errors import BatchError, ModelError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import RNNModel, copy_model, detach
from rnn_magics.options import FRACTION, POSITIVE, Options, Range, Spelling, option
from rnn_magics.scores.cache import ContinuousCache
from rnn_magics.scores.evaluation import TokenScores

_AT_ONCE = 128  # tokens read at a time by a model that does not learn
_WARM_UP = 50  # steps that are shorter, since little is known of the gradient yet
_DAMPING = 0.1  # of a step, by the mean root of all weights
_TINY = 1e-30  # where no weight has had a gradient


@dataclass(frozen=True, repr=False)
class AdaptConfig(Options):
    """How a model adapts to the text that it reads."""

    dynamic: bool = option(
        False,
        "go on learning from the text as it is read (dynamic evaluation), and score that, too",
        label="Learn as it reads",
    )
    dynamic_lr: float = option(
        0.0004, "learning rate of --dynamic", within=POSITIVE, label="Learning rate"
    )
    dynamic_decay: float = option(
        0.001,
        "how strongly each step of --dynamic pulls the weights back to the trained ones",
        within=FRACTION,
        label="Pull",
    )
    dynamic_steps: int = option(
        20, "tokens between two steps of --dynamic", within=Range(1, 10_000), label="Tokens a step"
    )
    cache: int | None = option(
        None,
        "also mix in what followed the most similar of so many last states, e.g. 2000",
        within=Range(1, 100_000),
        label="States in a cache",
        spelling=Spelling(metavar="N"),
    )
    cache_theta: float = option(
        1.0,
        "how sharply --cache prefers the states that are most like the present one",
        within=POSITIVE,
        label="Sharpness of the cache",
    )

    @property
    def adapts(self) -> bool:
        """Whether the model adapts at all."""
        return self.dynamic or self.cache is not None


class DynamicSteps:
    r"""Gradient steps on the text that has been read, with a pull towards the trained weights.

    .. math::

        r_i &= \sqrt{\frac{1}{i} \sum_{j \le i} g_j^2}, \quad g_i = \nabla_W L(s_i) \\
        W_{i+1} &= W_i - \eta \min\left(1, \frac{i}{50}\right) \frac{g_i}{r_i + \epsilon \bar{r}_i}
            + \min\left(1, \lambda \frac{r_i}{\bar{r}_i}\right) (W_0 - W_i)

    (Krause et al. 2018, the rule with RMS). :math:`L(s_i)` is the mean cross-entropy of segment i,
    which has been scored before the step, and :math:`\bar{r}` the mean over all weights. The
    published rule takes r from the training text. Here it follows from the segments read so far,
    so that any run can read any text; the first 50 steps are therefore shorter, and
    :math:`\epsilon = 0.1` bounds those of a weight that has hardly ever had a gradient.

    Parameters
    ----------
    model
        A copy of the model, whose weights are changed.
    config
        The learning rate and the pull.
    """

    def __init__(self, model: RNNModel, config: AdaptConfig) -> None:
        self._lr, self._pull = config.dynamic_lr, config.dynamic_decay
        self._weights = [*model.parameters()]
        self._trained = [weight.detach().clone() for weight in self._weights]
        self._squares = [torch.zeros_like(weight) for weight in self._weights]
        self._taken = 0

    def take(self, loss: Tensor) -> None:
        """Take one step.

        Parameters
        ----------
        loss
            The mean cross-entropy of the segment that was read last.

        Raises
        ------
        ModelError
            When the gradient is not finite.
        """
        gradients = torch.autograd.grad(loss, self._weights, materialize_grads=True)
        self._taken += 1
        with torch.no_grad():
            self._update(gradients)

    def _update(self, gradients: tuple[Tensor, ...]) -> None:
        for squares, gradient in zip(self._squares, gradients, strict=True):
            squares.mul_(1 - 1 / self._taken).addcmul_(gradient, gradient, value=1 / self._taken)
        roots = [squares.sqrt() for squares in self._squares]
        sums = torch.stack([root.sum() for root in roots])
        mean = sums.sum() / sum(root.numel() for root in roots)
        _require_finite(mean)
        rate = self._lr * min(1.0, self._taken / _WARM_UP)
        for weight, trained, gradient, root in zip(
            self._weights, self._trained, gradients, roots, strict=True
        ):
            pull = (root * (self._pull / (mean + _TINY))).clamp_(max=1.0)
            pull.mul_(trained - weight)
            weight.addcdiv_(gradient, root.add_(_DAMPING * mean + _TINY), value=-rate).add_(pull)


def _require_finite(mean: Tensor) -> None:
    if not mean.isfinite():
        raise ModelError(
            say(
                "the weights have become infinite while the model learnt from the text that it"
                " reads; try a smaller --dynamic-lr"
            )
        )


@dataclass(frozen=True)
class Adapted:
    """What a model makes of a text that it adapts to.

    Parameters
    ----------
    model
        Of the model; with dynamic evaluation, of the weights before a token was learnt from.
    cache
        Of the cache; None without one.
    """

    model: TokenScores
    cache: TokenScores | None = None


def adapt(model: RNNModel, ids: Tensor, config: AdaptConfig) -> Adapted:
    """Read a text from left to right, and adapt to it: learn from it, or remember it, or both.

    The model itself is not changed. Each token is predicted before anything is learnt from it.
    Where a document begins the state is zero again; weights and cache go on.

    Parameters
    ----------
    model
        The model; it reads from left to right.
    ids
        Token indices, (num_tokens,), of any integer type, on the model's device.
    config
        How it adapts.

    Raises
    ------
    BatchError
        When the text has fewer than two tokens, or the model is bidirectional.
    ModelError
        When learning makes a weight infinite.
    """
    slices = iter_adapt(model, ids, config)
    while not isinstance(result := next(slices), Adapted):
        pass
    return result


def iter_adapt(model: RNNModel, ids: Tensor, config: AdaptConfig) -> Iterator[Adapted | int]:
    """Adapt as `adapt` does: yield how many tokens have been scored after each slice, then all."""
    _require_readable(model, ids)
    cache = None
    if config.cache is not None:
        cache = ContinuousCache(config.cache, config.cache_theta, model.vocab_size)
    own: list[TokenScores] = []
    cached: list[TokenScores] = []
    done = 0
    # In 16 bits the squares of gradients vanish, and small steps are lost.
    learner = copy_model(model).to(torch.promote_types(model.output.weight.dtype, torch.float32))
    for states, labels, logits in _read(learner, ids, config):
        log_probs = logits.log_softmax(dim=1)  # (num_tokens, vocab_size)
        scored = log_probs.gather(1, labels[:, None])[:, 0]
        own.append(TokenScores(scored, log_probs.amax(dim=1).exp()))
        if cache is not None:
            cached.append(cache.read(states, labels))
        done += len(labels)
        yield done
    yield Adapted(_joined(own), _joined(cached) if cached else None)


def _joined(parts: Sequence[TokenScores]) -> TokenScores:
    return TokenScores(
        torch.cat([part.log_probs for part in parts]), torch.cat([part.greatest for part in parts])
    )


def _require_readable(model: RNNModel, ids: Tensor) -> None:
    if model.config.bidirectional:
        raise BatchError(
            say(
                "a bidirectional model sees each token before it predicts it, so it cannot adapt"
                " to what it reads; train a model without --bidirectional"
            )
        )
    if len(ids) < 2:  # noqa: PLR2004  (one token to read and one to predict)
        raise BatchError(
            say(
                "a text of {num_tokens} tokens has nothing to predict; give at least two tokens",
                num_tokens=len(ids),
            )
        )


def _read(
    model: RNNModel, ids: Tensor, config: AdaptConfig
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    # Yields of each segment the states of the top layer (num_tokens, num_hiddens), the labels and
    # the logits (num_tokens, vocab_size), float64.
    steps = DynamicSteps(model, config) if config.dynamic else None
    size = config.dynamic_steps if config.dynamic else _AT_ONCE
    top: list[Tensor] = []
    model.rnn.register_forward_hook(lambda *call: top.append(call[-1][0]))
    state, last = model.begin_state(1, ids.device), len(ids) - 1
    for first in range(0, last, size):
        X = ids[None, first : min(first + size, last)].long()  # (1, num_tokens)
        Y = labels_of(ids[first + 1 : first + 1 + X.shape[1]].long(), model.marks)
        with torch.set_grad_enabled(config.dynamic):
            logits, state = model(X, state)  # logits (1, num_tokens, vocab_size)
            scored = logits[0].double()
        if steps is not None:
            steps.take(F.cross_entropy(scored, Y))
        state = detach(state)
        yield top.pop()[:, 0].detach(), Y, scored.detach()
