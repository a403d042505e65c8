"""Interpolated modified Kneser-Ney with dictionaries, as the paper writes it: slow, and plain.

What the n-gram models compute is held beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

Gram = tuple[Any, ...]
BEGIN, END = "<s>", "</s>"


class KneserNey:
    """A model of n-gram counts.

    Parameters
    ----------
    counts
        Of the n-grams of each order, below the highest continuation counts.
    num_tokens
        How many tokens share the probability of a token that was never seen.
    """

    def __init__(self, counts: Mapping[int, Counter[Gram]], num_tokens: int) -> None:
        self._counts, self._num_tokens = counts, num_tokens
        self._discounts = {n: _discounts(list(of_n.values())) for n, of_n in counts.items()}
        self._followers: dict[Gram, list[int]] = defaultdict(list)
        for of_n in counts.values():
            for gram, count in of_n.items():
                self._followers[gram[:-1]].append(count)

    def prob(self, context: Gram, token: Any) -> float:
        lower = self.prob(context[1:], token) if context else 1 / self._num_tokens
        followers = self._followers.get(context, [])
        if not followers:
            return lower
        discounts = self._discounts[len(context) + 1]
        count = self._counts[len(context) + 1][(*context, token)]
        kept = count - discounts[min(count, 3)]
        backoff = sum(discounts[min(c, 3)] for c in followers)
        return (kept + backoff * lower) / sum(followers)

    def probs(self, tokens: Sequence[Any]) -> list[float]:
        """Return the probability of each token but the first."""
        before = max(self._counts) - 1
        return [
            self.prob(tuple(tokens[max(0, i - before) : i]), tokens[i])
            for i in range(1, len(tokens))
        ]


def _discounts(counts: list[int]) -> list[float]:
    n1, n2, n3, n4 = (counts.count(k) for k in (1, 2, 3, 4))
    usual = [0.0, 0.5, 0.75, 0.9]
    if not (n1 and n2 and n3 and n4):
        return usual
    y = n1 / (n1 + 2 * n2)
    raw = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return raw if all(0 < d <= c for c, d in enumerate(raw) if c) else usual


def of_text(ids: Sequence[int], vocab_size: int, order: int) -> KneserNey:
    """Count one running text."""
    counts = {}
    for n in range(1, order + 1):
        longer = {tuple(ids[i : i + n + 1]) for i in range(len(ids) - n)}
        whole = Counter(tuple(ids[i : i + n]) for i in range(len(ids) - n + 1))
        counts[n] = whole if n == order else Counter(gram[1:] for gram in longer)
    return KneserNey(counts, vocab_size)


def of_sentences(sentences: Sequence[Sequence[Any]], vocab_size: int, order: int) -> KneserNey:
    """Count sentences, each between `BEGIN` and `END`; what begins with one keeps its count."""
    counts = {}
    for n in range(1, order + 1):
        whole: Counter[Gram] = Counter()
        before: dict[Gram, set[Any]] = defaultdict(set)
        for tokens in map(marked, sentences):
            for i in range(len(tokens) - n + 1):
                gram = tuple(tokens[i : i + n])
                if gram[-1] != BEGIN:
                    whole[gram] += 1
                    before[gram].update(tokens[i - 1 : i])
        known = {gram: c if gram[0] == BEGIN else len(before[gram]) for gram, c in whole.items()}
        counts[n] = whole if n == order else Counter(known)
    return KneserNey(counts, vocab_size + 1)


def marked(sentence: Sequence[Any]) -> list[str]:
    """Return a sentence as words between its marks."""
    return [BEGIN, *map(str, sentence), END]
