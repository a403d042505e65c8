"""n-gram language models: the Markov models that a neural model has to beat.

`fit_ngram` estimates an interpolated modified Kneser-Ney model (Kneser and Ney 1995; Chen and
Goodman 1999) of running text; `rnn_magics.models.sentences` estimates one of sentences. NumPy
counts integer keys: the key of an n-gram combines the number of its first n-1 tokens with its last
token, so there is no Python object per n-gram. The index ``vocab_size``, one above those of the
tokens, stands for ``<s>``, which does not occur in running text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_magics.errors import ModelError
from rnn_magics.language import say, say_number
from rnn_magics.text.vocab import Ids

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

MAX_ORDER = 12


@dataclass(frozen=True)
class _Level:
    """All n-grams of one order.

    Parameters
    ----------
    keys
        ``number_of_context * (vocab_size + 1) + last_token`` of each n-gram, in rising order; the
        place of a key is the number of its n-gram.
    discounted
        (count - discount) / total of the context, for each n-gram.
    backoff
        The weight that a context gives to the next lower order, by the number of the context; 1
        for a context that was never continued.
    """

    keys: Ids
    discounted: Floats
    backoff: Floats


@dataclass(frozen=True)
class NgramModel:
    """An interpolated modified Kneser-Ney model.

    Parameters
    ----------
    order
        The length of the longest n-grams.
    vocab_size
        The number of token indices; unseen tokens share the mass that the unigrams leave.
    levels
        One for each order, from the unigrams up.
    """

    order: int
    vocab_size: int
    levels: tuple[_Level, ...]

    def log_probs(self, ids: Ids, begin: int = 1) -> Floats:
        """Return the natural log-probability of each token given those before it.

        Parameters
        ----------
        ids
            Token indices, (num_tokens,).
        begin
            The place of the first token predicted; the tokens before it are only context.

        Returns
        -------
        numpy.ndarray
            Shape (num_tokens - begin,).
        """
        numbers: Ids = np.zeros(len(ids), np.int64)  # of the n-gram that starts here; 0: the empty
        places = np.arange(begin, len(ids))
        probs = np.full(len(places), 1 / self.vocab_size)
        for n, level in enumerate(self.levels[: len(ids)], start=1):
            starts = places - n + 1
            whole = starts >= 0  # the first tokens have fewer than n - 1 before them
            contexts = np.where(whole, numbers[np.maximum(starts, 0)], -1)
            known = contexts >= 0
            grown = self._numbers(level, contexts, ids[places])
            seen = grown >= 0
            probs[known] *= level.backoff[contexts[known]]
            probs[seen] += level.discounted[grown[seen]]
            last = len(ids) - n + 1
            numbers = self._numbers(level, numbers[:last], ids[n - 1 :])
        logs: Floats = np.log(probs)
        return logs

    def log_prob(self, context: Ids, token: int) -> float:
        """Return the natural log-probability of a token after a context, which may be empty."""
        return float(self.log_probs(np.append(context, token).astype(np.int64), len(context))[0])

    def perplexity(self, ids: Ids) -> float:
        r"""Return the perplexity of every token of a text but the first.

        .. math:: \exp\left(-\frac{1}{T - 1} \sum_{t=2}^{T} \ln p(x_t \mid x_{<t})\right)

        Raises
        ------
        ModelError
            When the text has fewer than two tokens.
        """
        if len(ids) < 2:  # noqa: PLR2004  (one token to read and one to predict)
            raise ModelError(
                say_number(
                    len(ids),
                    "the text has {num_tokens} token; a perplexity needs at least two: give a"
                    " longer text",
                    "the text has {num_tokens} tokens; a perplexity needs at least two: give a"
                    " longer text",
                    num_tokens=len(ids),
                )
            )
        return math.exp(-self.log_probs(ids).mean())

    def distribution(self, context: Ids) -> Floats:
        """Return the probabilities of all tokens after a context, shape (vocab_size,)."""
        tokens = np.arange(self.vocab_size)
        probs = np.full(self.vocab_size, 1 / self.vocab_size)
        for n, level in enumerate(self.levels, start=1):
            if n - 1 > len(context):
                break
            number: Ids = np.zeros(1, np.int64)
            for shorter, token in zip(self.levels, context[len(context) - n + 1 :], strict=False):
                number = self._numbers(shorter, number, np.array([token]))
            if number[0] < 0:
                break  # if a context was not seen, no longer one that ends in it was
            grown = self._numbers(level, np.repeat(number, len(tokens)), tokens)
            probs *= level.backoff[number[0]]
            probs[grown >= 0] += level.discounted[grown[grown >= 0]]
        return probs

    def _numbers(self, level: _Level, contexts: Ids, tokens: Ids) -> Ids:
        # The number of each context + token among the n-grams of the level; -1 if not found.
        wanted = contexts * (self.vocab_size + 1) + tokens
        places = np.minimum(np.searchsorted(level.keys, wanted), len(level.keys) - 1)
        found = (contexts >= 0) & (level.keys[places] == wanted)
        return np.where(found, places, -1)


def fit_ngram(ids: Ids, vocab_size: int, order: int) -> NgramModel:
    """Estimate an interpolated modified Kneser-Ney model of running text.

    The highest order is estimated from counts. The lower orders are estimated from continuation
    counts, that is, from the number of different left contexts in which an n-gram occurs. Each
    order has its own three discounts, which follow from how many n-grams occur one to four times
    (Chen and Goodman 1999, section 4.1).

    Parameters
    ----------
    ids
        Token indices of the training text, (num_tokens,).
    vocab_size
        The number of token indices.
    order
        The length of the longest n-grams, 1 to 12.

    Raises
    ------
    ModelError
        When the order is out of range, or the text is shorter than one n-gram.
    """
    require_order(order)
    if len(ids) < order:
        raise ModelError(
            say_number(
                len(ids),
                "the text has {num_tokens} token, too few for n-grams of order {order}; lower the"
                " order, or give a longer text",
                "the text has {num_tokens} tokens, too few for n-grams of order {order}; lower"
                " the order, or give a longer text",
                num_tokens=len(ids),
                order=order,
            )
        )
    return estimate(ids, vocab_size, order)


def require_order(order: int) -> None:
    """Raise `ModelError` if an order is out of range."""
    if not 1 <= order <= MAX_ORDER:
        raise ModelError(
            say(
                "the order of an n-gram model must be from 1 to {most}, not {order}",
                most=MAX_ORDER,
                order=order,
            )
        )


def estimate(ids: Ids, vocab_size: int, order: int) -> NgramModel:
    """Count and discount; no n-gram continues into a ``<s>``, the index ``vocab_size``.

    An n-gram that begins with ``<s>`` has no left context, so it keeps its plain count in the lower
    orders, too. ``<s>`` by itself is only context and counts 0 times.

    Parameters
    ----------
    ids
        Token indices, (num_tokens,), with at least one n-gram of the highest order.
    vocab_size, order
        As for `fit_ngram`.
    """
    start = vocab_size
    places = np.arange(len(ids))  # where an n-gram starts
    numbers = np.zeros(len(ids), np.int64)  # of the n-gram that starts at each place
    tables: list[tuple[Ids, Ids]] = []  # keys and counts of each order
    kept = np.zeros(0, np.bool_)  # whether an n-gram of the order below begins with <s>
    for n in range(1, order + 1):
        places = places[places < len(ids) - n + 1]
        if n > 1:
            places = places[ids[places + n - 1] != start]
        keys, first, found, counts = np.unique(
            numbers[places] * (vocab_size + 1) + ids[places + n - 1],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        if n > 1:  # the order below counts how many n-grams of this order end in each of its own
            below, raw = tables[-1]
            continued = np.bincount(numbers[places[first] + 1], minlength=len(below))
            tables[-1] = (below, np.where(kept, raw, continued))
        kept = ids[places[first]] == start
        tables.append((keys, np.where(kept, 0, counts) if n == 1 else counts))
        numbers[places] = found
    sizes = [1, *(len(keys) for keys, _ in tables[:-1])]
    levels = (
        _level(keys, counts, size, vocab_size)
        for (keys, counts), size in zip(tables, sizes, strict=True)
    )
    return NgramModel(order, vocab_size, tuple(levels))


def _level(keys: Ids, counts: Ids, num_contexts: int, vocab_size: int) -> _Level:
    contexts = keys // (vocab_size + 1)
    discounts = _discounts(counts)[np.minimum(counts, 3)]
    totals = np.bincount(contexts, counts, num_contexts)
    kept_back = np.bincount(contexts, discounts, num_contexts)
    continued = totals > 0
    backoff = np.ones(num_contexts)
    backoff[continued] = kept_back[continued] / totals[continued]
    discounted = (counts - discounts) / np.where(continued, totals, 1)[contexts]
    return _Level(keys, discounted, backoff)


def _discounts(counts: Ids) -> Floats:
    # D_1, D_2 and D_3+ at their places; no discount for a count of 0 (the very first n-gram).
    usual = np.array([0.0, 0.5, 0.75, 0.9])
    ones, twos, threes, fours = (max(int((counts == c).sum()), 0) for c in (1, 2, 3, 4))
    if not (ones and twos and threes and fours):  # too few n-grams for the estimate
        return usual
    y = ones / (ones + 2 * twos)
    estimate = [1 - 2 * y * twos / ones, 2 - 3 * y * threes / twos, 3 - 4 * y * fours / threes]
    # Where they say nothing, as in a small vocabulary: a discount of 0 would leave no probability
    # for what was not seen after a context.
    is_valid = all(0 < discount <= count for count, discount in enumerate(estimate, start=1))
    return np.array([0.0, *estimate]) if is_valid else usual


def uniform_model(vocab_size: int) -> NgramModel:
    """Return the model that gives every token the same probability."""
    return NgramModel(0, vocab_size, ())


def fit_add_k(ids: Ids, vocab_size: int, order: int, k: float = 1.0) -> NgramModel:
    """Estimate a model that adds `k` to each count of the highest order (Laplace; Lidstone).

    After a context that was never seen, all tokens are equally likely.

    Parameters
    ----------
    ids, vocab_size, order
        As for `fit_ngram`.
    k
        What is added, above 0.

    Raises
    ------
    ModelError
        As for `fit_ngram`; also when `k` is not a finite number above 0.
    """
    if not 0 < k < np.inf:
        raise ModelError(say("k must be a finite number above 0, not {k}", k=k))
    shape = fit_ngram(ids, vocab_size, order)
    below = [
        _Level(level.keys, np.zeros_like(level.discounted), np.ones_like(level.backoff))
        for level in shape.levels[:-1]
    ]
    keys, size = shape.levels[-1].keys, len(shape.levels[-1].backoff)
    numbers = np.zeros(len(ids), np.int64)
    for n, level in enumerate(shape.levels, start=1):
        last = len(ids) - n + 1
        numbers = np.searchsorted(level.keys, numbers[:last] * (vocab_size + 1) + ids[n - 1 :])
    counts = np.bincount(numbers, minlength=len(keys))
    contexts = keys // (vocab_size + 1)
    totals = np.bincount(contexts, counts, size) + k * vocab_size
    backoff: Floats = np.divide(k * vocab_size, totals, dtype=np.float64)
    top = _Level(keys, counts / totals[contexts], backoff)
    return NgramModel(order, vocab_size, (*below, top))
