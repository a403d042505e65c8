"""Linear interpolation of the probabilities of two language models.

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

_BEGINNING = 100.0  # tokens that the initial weight of one half counts for


@dataclass(frozen=True)
class Interpolation:
    """The result of mixing two models on a text.

    Parameters
    ----------
    log_probs
        Natural log-probability of each token under the mixture, (num_tokens,).
    weight
        The weight of the second model after the last token, in (0, 1).
    """

    log_probs: Floats
    weight: float

    @property
    def nats(self) -> float:
        """Mean of -ln p over the tokens."""
        return -math.fsum(self.log_probs) / len(self.log_probs)


def interpolate(first: Floats, second: Floats) -> Interpolation:
    r"""Mix two models with a weight that is learnt from the tokens read so far.

    .. math::

        p(x_t \mid x_{<t}) &= (1 - \lambda_t) \, p_1(x_t \mid x_{<t})
            + \lambda_t \, p_2(x_t \mid x_{<t}) \\
        \lambda_t &= \frac{1}{n_0 + t - 1} \left(\frac{n_0}{2} + \sum_{s<t}
            \frac{\lambda_s \, p_2(x_s \mid x_{<s})}{p(x_s \mid x_{<s})}\right)

    with :math:`n_0 = 100`. The weight is the share of the tokens so far that the second model
    accounts for: one step of expectation-maximisation per token. As :math:`\lambda_t` depends on
    the past alone, the mixture is itself a language model, and nothing is fitted to the text that
    it is scored on.

    Parameters
    ----------
    first, second
        Natural log-probabilities of the same tokens under each model, (num_tokens,) each.

    Raises
    ------
    ModelError
        When their shapes differ, or there are no tokens.
    """
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise ModelError(
            say(
                "two models are mixed token by token, so their log-probabilities must have the"
                " same shape (num_tokens,), not {one} and {other}",
                one=first.shape,
                other=second.shape,
            )
        )
    # Relative to the larger of the two, so that one of them is 1 and they cannot both underflow.
    better = np.maximum(first, second)
    shares = np.exp(first - better).tolist(), np.exp(second - better).tolist()
    weight, owed, seen = 0.5, _BEGINNING / 2, _BEGINNING
    mixed = np.empty(len(first))
    for place, (one, other) in enumerate(zip(*shares, strict=True)):
        part = weight * other
        whole = (1 - weight) * one + part
        mixed[place] = whole
        owed, seen = owed + part / whole, seen + 1
        weight = owed / seen
    return Interpolation(better + np.log(mixed), weight)
