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

_BEGINNING, _POWER = 20, 0.6  # of the steps of the weights
_FLOOR = 0.001  # of all the weight, which the models always share alike


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
        \lambda_{k,t+1} &= (1 - \eta_n) \lambda_{k,t} + \eta_n \left((1 - \epsilon)
            \frac{\lambda_{k,t} \, p_k(x_t \mid x_{<t})}{p(x_t \mid x_{<t})}
            + \frac{\epsilon}{K}\right), \quad \eta_n = (20 + n)^{-0.6}

    This is online expectation-maximisation (Cappé and Moulines 2009): the weight of a model moves
    towards the share of the token that it accounts for, in steps that become shorter with the
    number n of tokens read; :math:`\epsilon = 0.001` keeps every model at hand. All weights begin
    at :math:`1 / K`. Each kind of place has weights and a number of its own, and begins with the
    weights of all places so far. As the weights depend on the past alone, the mixture is itself a
    language model, and nothing is fitted to the text that it is scored on.

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
    whole = _Weights([1 / len(models)] * len(models))
    of_kind: dict[int, _Weights] = {}
    places = [0] * len(best) if kinds is None else kinds.tolist()
    for place, (kind, found) in enumerate(zip(places, shares.T.tolist(), strict=True)):
        weights = of_kind.setdefault(kind, _Weights(whole.now))
        parts = [share * weight for share, weight in zip(found, weights.now, strict=True)]
        mixed[place] = total = math.fsum(parts)
        accounted = [part / total for part in parts]
        weights.move(accounted)
        whole.move(accounted)
    return Interpolation(best + np.log(mixed), tuple(whole.now))


@dataclass
class _Weights:
    # The weights of the models now, and how many tokens they have been learnt from.
    now: list[float]
    seen: int = 0

    def move(self, accounted: list[float]) -> None:
        # Towards the shares that the models account for of the token read last.
        self.seen += 1
        step, even = (_BEGINNING + self.seen) ** -_POWER, _FLOOR / len(self.now)
        self.now = [
            weight + step * ((1 - _FLOOR) * share + even - weight)
            for weight, share in zip(self.now, accounted, strict=True)
        ]
