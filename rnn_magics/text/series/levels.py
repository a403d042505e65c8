"""Levels: the range of a series cut into bins; a value becomes the number of its bin, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_magics.errors import CorpusError
from rnn_magics.language import say, say_number
from rnn_magics.options import Options, Range, option
from rnn_magics.results import Result
from rnn_magics.text.series.values import Values

_Ints = np.ndarray[Any, np.dtype[np.int64]]
LEVELS = Range(2, 10_000)


def uniform_edges(values: Values, num_levels: int) -> Values:
    """Cut the range into bins of one width."""
    return np.linspace(values.min(), values.max(), num_levels + 1)


def quantile_edges(values: Values, num_levels: int) -> Values:
    """Cut the range so that each bin has as many values."""
    return np.quantile(values, np.linspace(0, 1, num_levels + 1))


BINS: dict[str, Callable[[Values, int], Values]] = {
    "uniform": uniform_edges,
    "quantile": quantile_edges,
}
"""How the edges of levels follow from the values of the training part."""


@dataclass(frozen=True, repr=False)
class LevelsConfig(Options):
    """How a series of numbers becomes tokens."""

    levels: int | None = option(
        None,
        "read --data as a series of numbers, and cut its range into this many levels",
        within=LEVELS,
        label="Levels of a series",
    )
    bins: str = option(
        "uniform",
        "levels of one width, or with as many values in each",
        choices=lambda: list(BINS),
        label="Width of the levels",
    )


@dataclass(frozen=True, repr=False)
class Levels(Result):
    """Bins of the range of a series, and the value that each stands for.

    Make them with `fit`.

    Parameters
    ----------
    edges
        The borders of the bins, rising, one more than there are levels. What lies outside of them
        belongs to the first or the last level.
    values
        What each level stands for: the mean of the training values in it.
    bins
        How the edges were chosen, a name of `BINS` at the time.
    """

    edges: tuple[float, ...]
    values: tuple[float, ...]
    bins: str

    @classmethod
    def fit(cls, values: Values, num_levels: int, bins: str, name: str) -> Levels:
        r"""Return the levels of the training part of a series.

        .. math:: \ell(x) = \#\{i : e_i \le x, 0 < i < L\}, \quad
            v_\ell = \operatorname{mean}\{x_t : \ell(x_t) = \ell, t \le n_{train}\}

        Raises
        ------
        CorpusError
            When the values are all equal, or fewer than the levels, or their range is larger than
            a float.
        """
        if len(values) < num_levels:
            many = say_number(len(values), "{number:,} value", "{number:,} values")
            msg = say(
                "{name!r} has {many} to train on, fewer than {num_levels:,} levels; give a longer"
                " series, or fewer --levels",
                name=name,
                many=many,
                num_levels=num_levels,
            )
            raise CorpusError(msg)
        low, high = float(values.min()), float(values.max())
        middle = low / 2 + high / 2
        if not low < middle < high:
            msg = say(
                "{name!r} is constant: every value to train on is {low:g}, so there is nothing"
                " to predict; give a series that changes",
                name=name,
                low=low,
            )
            raise CorpusError(msg)
        if not np.isfinite(high - low):
            msg = say(
                "{name!r} has values from {low:g} to {high:g}, a range too large for a float;"
                " scale it first",
                name=name,
                low=low,
                high=high,
            )
            raise CorpusError(msg)
        edges = np.unique(BINS[bins](values, num_levels))
        counts, _ = np.histogram(values, edges)
        # A level without a value to train on would be unknown to the model: the next one takes it.
        edges = np.append(low, edges[1:][counts > 0])
        if len(edges) == 2:  # noqa: PLR2004  (one level says nothing)
            edges = np.array([low, middle, high])
        inside = np.searchsorted(edges[1:-1], values, side="right")
        means = np.bincount(inside, weights=values) / np.bincount(inside)
        return cls(tuple(edges.tolist()), tuple(means.tolist()), bins)

    def __len__(self) -> int:
        """Return the number of levels."""
        return len(self.values)

    def of(self, values: Values) -> _Ints:
        """Return the level of each value, counted from 0."""
        return np.searchsorted(np.array(self.edges[1:-1]), values, side="right").astype(np.int64)

    def value(self, token: Any) -> float:
        """Return the value that a token stands for; nan if it is no level, such as ``<unk>``."""
        is_level = type(token) is int and 0 <= token < len(self)
        return self.values[token] if is_level else float("nan")

    def quantiles(self, levels: _Ints, shares: Sequence[float]) -> Values:
        """Return quantiles of values of which only the levels are known.

        Within its level a value may lie anywhere, as in any table of grouped data: the share of the
        values below a point rises evenly from one edge of a level to the next.

        Parameters
        ----------
        levels
            Shape (num_paths, num_steps).
        shares
            Which quantiles, each in [0, 1].

        Returns
        -------
        numpy.ndarray
            Shape (len(shares), num_steps).
        """
        edges, least = np.array(self.edges), np.finfo(float).tiny
        found = np.empty((len(shares), levels.shape[1]))
        for step, column in enumerate(levels.T):
            below = np.cumsum(np.bincount(column, minlength=len(self))) / len(column)
            for row, share in enumerate(shares):
                # The first level that reaches the share; for 0, the first that is not empty.
                level = int(np.searchsorted(below, max(share, least)))
                before = below[level - 1] if level else 0.0
                within = (share - before) / (below[level] - before)
                found[row, step] = edges[level] + within * (edges[level + 1] - edges[level])
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `from_dict` reads them back."""
        return {"edges": list(self.edges), "values": list(self.values), "bins": self.bins}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Levels:
        """Read what `to_dict` returned.

        Raises
        ------
        ValueError
            When these are no levels.
        """
        numbers = [*plain["edges"], *plain["values"]]
        if not all(type(number) is float and np.isfinite(number) for number in numbers):
            msg = say("an edge or a value of the levels is no finite number")
            raise ValueError(msg)
        levels = cls(tuple(plain["edges"]), tuple(plain["values"]), str(plain["bins"]))
        rises = all(a < b for a, b in zip(levels.edges, levels.edges[1:], strict=False))
        if not rises or len(levels) not in LEVELS or len(levels.edges) != len(levels) + 1:
            msg = say(
                "the number of levels is not {range}, or their edges do not rise", range=LEVELS
            )
            raise ValueError(msg)
        return levels

    def __repr__(self) -> str:
        """One line: how many levels, of which kind, over which range."""
        return say(
            "{number:,} {bins} levels from {low:g} to {high:g}",
            number=len(self),
            bins=self.bins,
            low=self.edges[0],
            high=self.edges[-1],
        )


@dataclass(frozen=True, repr=False, eq=False)
class Series(Result):
    """The numbers behind a corpus of levels.

    Parameters
    ----------
    values
        Shape (num_values,), one for each token of the corpus.
    levels
        The levels that are its tokens.
    """

    values: Values
    levels: Levels

    def __repr__(self) -> str:
        """One line: the levels."""
        return repr(self.levels)
