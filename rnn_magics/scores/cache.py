"""A continuous cache: what followed the states most like this one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnn_magics.scores.evaluation import TokenScores


class ContinuousCache:
    r"""Predicts the next token from the last states of a model and what followed each of them.

    .. math:: p(w \mid x_{\le t}) = \frac{\sum_{i = t - N}^{t - 1} [x_{i+1} = w] \,
        e^{\theta \, h_t \cdot h_i}}{\sum_{i = t - N}^{t - 1} e^{\theta \, h_t \cdot h_i}}

    (Grave, Joulin and Usunier 2017). Nothing is learnt: the cache is a memory of the
    text that has been read. Before the first token it gives all tokens the same probability.

    Parameters
    ----------
    size
        How many states it keeps, N.
    theta
        How sharply it prefers the states that are most like the present one.
    vocab_size
        The number of token indices.
    """

    def __init__(self, size: int, theta: float, vocab_size: int) -> None:
        self._size, self._theta, self._vocab_size = size, theta, vocab_size
        self._states: Tensor | None = None
        self._labels: Tensor | None = None

    def read(self, states: Tensor, labels: Tensor) -> TokenScores:
        """Predict some tokens, each from those before it, and keep them.

        Parameters
        ----------
        states
            The states of the top layer after each token, (num_tokens, num_hiddens).
        labels
            The token that follows each, (num_tokens,).

        Returns
        -------
        TokenScores
            Of the labels; the log-probability is -inf where none of the states that are kept was
            followed by the label.
        """
        if self._states is None or self._labels is None:
            self._states, self._labels = states[:0], labels[:0]
        before = len(self._states)
        keys = torch.cat((self._states, states))  # (num_kept + num_tokens, num_hiddens)
        followed = torch.cat((self._labels, labels))
        here = torch.arange(before, len(keys), device=keys.device)[:, None]  # (num_tokens, 1)
        there = torch.arange(len(keys), device=keys.device)
        is_kept = (there < here) & (there >= here - self._size)  # (num_tokens, num_keys)
        logits = (self._theta * (states @ keys.T)).double().masked_fill(~is_kept, -math.inf)
        shares = logits.softmax(dim=1).nan_to_num(0.0)  # nan where nothing is kept yet
        probs = shares.new_zeros(len(states), self._vocab_size)
        probs.index_add_(1, followed, shares)  # (num_tokens, vocab_size)
        probs[~is_kept.any(dim=1)] = 1 / self._vocab_size
        self._states, self._labels = keys[-self._size :], followed[-self._size :]
        return TokenScores(probs.gather(1, labels[:, None])[:, 0].log(), probs.amax(dim=1))


__all__ = ["ContinuousCache"]
