"""Two language models read one text together: the linear interpolation of their probabilities.

Counting knows the phrases of its text by heart and nothing else; a recurrent model generalises
and remembers few phrases. Where their errors differ, the mean of the two probabilities is better
than either (Jelinek and Mercer 1980; Mikolov et al. 2010 report a recurrent model so).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_magics.errors import ModelError
from rnn_magics.models.ngram import Floats

_BEGINNING = 100.0  # tokens that the even weights of the beginning count for


@dataclass(frozen=True)
class Interpolation:
    """What two models make of a text together.

    Parameters
    ----------
    log_probs
        Natural log-probability of each token under both, (num_tokens,).
    weight
        Of the second model behind the last token, in (0, 1).
    """

    log_probs: Floats
    weight: float

    @property
    def nats(self) -> float:
        """Mean of -ln p over the tokens."""
        return -math.fsum(self.log_probs) / len(self.log_probs)


def interpolate(first: Floats, second: Floats) -> Interpolation:
    r"""Mix two models, with a weight that is learnt from the tokens already read.

    .. math::

        p(x_t \mid x_{<t}) &= (1 - \lambda_t) \, p_1(x_t \mid x_{<t})
            + \lambda_t \, p_2(x_t \mid x_{<t}) \\
        \lambda_t &= \frac{1}{n_0 + t - 1} \left(\frac{n_0}{2} + \sum_{s<t}
            \frac{\lambda_s \, p_2(x_s \mid x_{<s})}{p(x_s \mid x_{<s})}\right)

    with :math:`n_0 = 100`: the share of the tokens so far that the second model accounts for,
    one step of expectation-maximisation a token. As :math:`\lambda_t` depends on the past alone,
    the mixture is a language model like each of the two, and nothing is fitted to the text that
    it is scored on.

    Parameters
    ----------
    first, second
        Natural log-probabilities of the same tokens under either model, (num_tokens,) each.

    Raises
    ------
    ModelError
        When they are not of the same tokens, or there are none.
    """
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        msg = f"two models are mixed token by token, not {first.shape} with {second.shape}"
        raise ModelError(msg)
    # Relative to the better of the two, which keeps one of them at 1 whatever the range of floats.
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
