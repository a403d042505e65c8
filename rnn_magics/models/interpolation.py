"""Linear interpolation of the probabilities of two or more language models.

An n-gram model knows the phrases of its text by heart and nothing else; a recurrent model
generalises but remembers few phrases. Since their errors differ, a weighted mean of their
probabilities is better than either (Jelinek and Mercer 1980; Mikolov et al. 2010 for a recurrent
model).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_magics.errors import ModelError
from rnn_magics.language import say
from rnn_magics.models.ngram import Floats
from rnn_magics.text.vocab import Ids

_BEGINNING = 100.0  # tokens that the initial weights, all the same, count for


@dataclass(frozen=True)
class Interpolation:
    """The result of mixing models on a text.

    Parameters
    ----------
    log_probs
        Natural log-probability of each token under the mixture, (num_tokens,).
    weights
        The weight of each model after the last token, in (0, 1); they sum to 1.
    """

    log_probs: Floats
    weights: tuple[float, ...]

    @property
    def weight(self) -> float:
        """The weight of the last model."""
        return self.weights[-1]

    @property
    def nats(self) -> float:
        """Mean of -ln p over the tokens."""
        return -math.fsum(self.log_probs) / len(self.log_probs)


def interpolate(*models: Floats, kinds: Ids | None = None) -> Interpolation:
    r"""Mix models with weights that are learnt from the tokens read so far.

    .. math::

        p(x_t \mid x_{<t}) &= \sum_{k=1}^K \lambda_{k,t} \, p_k(x_t \mid x_{<t}) \\
        \lambda_{k,t} &= \frac{1}{n_0 + n} \left(n_0 \, \mu_k + \sum_{s}
            \frac{\lambda_{k,s} \, p_k(x_s \mid x_{<s})}{p(x_s \mid x_{<s})}\right)

    The sum is over the n places before t of the same kind as t, and :math:`n_0 = 100`. The weight
    of a model is the share of these tokens that it accounts for: one step of
    expectation-maximisation per token. It begins at :math:`\mu_k = 1 / K`; in a kind of place
    that is new, at the share of all tokens so far. As the weights depend on the past alone, the
    mixture is itself a language model, and nothing is fitted to the text that it is scored on.

    Parameters
    ----------
    *models
        Natural log-probabilities of the same tokens under each model, (num_tokens,) each; -inf
        where a model rules a token out, if another does not.
    kinds
        The kind of each place, a number that follows from what is before it, (num_tokens,): in some
        places one model is the better, elsewhere the other (Jelinek and Mercer 1980). By default
        all places are of one kind.

    Raises
    ------
    ModelError
        When there are fewer than two models, their shapes differ, or there are no tokens.
    """
    shapes = {each.shape for each in models}
    if len(models) < 2 or len(shapes) > 1 or models[0].ndim != 1 or not models[0].size:  # noqa: PLR2004
        raise ModelError(
            say(
                "models are mixed token by token, two or more of them, so their log-probabilities"
                " must have the same shape (num_tokens,), not {shapes}",
                shapes=say(", ").join(str(each.shape) for each in models),
            )
        )
    # Relative to the largest, so that one of them is 1 and they cannot all underflow.
    best: Floats = np.max(models, axis=0)
    shares = np.exp(np.stack(models) - best)  # (num_models, num_tokens)
    mixed = np.empty(len(best))
    whole = _Owed.equal(len(models))
    of_kind: dict[int, _Owed] = {}
    places = [0] * len(best) if kinds is None else kinds.tolist()
    for place, (kind, found) in enumerate(zip(places, shares.T.tolist(), strict=True)):
        owed = of_kind.setdefault(kind, whole.like_it())
        weights = owed.weights
        parts = [share * weight for share, weight in zip(found, weights, strict=True)]
        mixed[place] = total = math.fsum(parts)
        accounted = [part / total for part in parts]
        owed.add(accounted)
        whole.add(accounted)
    return Interpolation(best + np.log(mixed), tuple(whole.weights))


@dataclass
class _Owed:
    # How many of the tokens so far each model accounts for, with what it begins with.
    tokens: list[float]
    seen: float = _BEGINNING

    @classmethod
    def equal(cls, number: int) -> _Owed:
        return cls([_BEGINNING / number] * number)

    @property
    def weights(self) -> list[float]:
        return [tokens / self.seen for tokens in self.tokens]

    def like_it(self) -> _Owed:
        return _Owed([_BEGINNING * weight for weight in self.weights])

    def add(self, accounted: list[float]) -> None:
        self.tokens = [a + b for a, b in zip(self.tokens, accounted, strict=True)]
        self.seen += 1
