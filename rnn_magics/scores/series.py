"""How well a series is predicted some steps ahead, and what simple rules reach.

A rule is fitted on the training part of the series. To look k steps ahead it reads its own
predictions, as in Dive into Deep Learning, section 9.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch

from rnn_magics.digits import rounded
from rnn_magics.errors import BatchError
from rnn_magics.language import marked, say, say_number
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.tables import aligned
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.series.levels import Levels, Series
from rnn_magics.text.series.values import Values

STEPS_AHEAD = (1, 4, 16, 64)
LAGS = 4
MOST_ORIGINS = 128
_MOST_FITTED = 1_000_000  # values; a linear model of a few weights needs no more
_Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Ahead:
    """How well one model predicts a series.

    Parameters
    ----------
    name
        What predicts: ``mean``, ``persistence``, ``linear`` or the name of a run.
    perplexity
        Of the levels of the held-out part, one step ahead.
    errors
        The root mean squared error by the number of steps ahead.
    """

    name: str
    perplexity: float
    errors: dict[int, float]


@dataclass(frozen=True, repr=False)
class SeriesErrors(Result):
    """Errors of several models on one series, from the same places.

    Parameters
    ----------
    rows
        One for each model.
    num_origins
        From how many places each of them looks ahead.
    """

    rows: tuple[Ahead, ...]
    num_origins: int

    @property
    def steps(self) -> tuple[int, ...]:
        """How many steps ahead was looked."""
        return tuple(self.rows[0].errors)

    def __getitem__(self, name: str) -> Ahead:
        """Return the row of a model by its name."""
        return {row.name: row for row in self.rows}[name]

    def with_row(self, row: Ahead) -> SeriesErrors:
        """Return these errors with those of one more model, first."""
        return replace(self, rows=(row, *self.rows))

    @property
    def table(self) -> list[tuple[str, ...]]:
        """A head, and a row of text for each model."""
        ahead = [say("{number} ahead", number=k) for k in self.steps]
        rows = [
            (
                say(row.name),
                rounded(row.perplexity),
                *(rounded(error) for error in row.errors.values()),
            )
            for row in self.rows
        ]
        return [(say("error"), say("perplexity"), *ahead), *rows]

    @property
    def verdict(self) -> str:
        """Who predicts best, as far ahead as was looked."""
        farthest = self.steps[-1]
        best = min(self.rows, key=lambda row: row.errors[farthest])
        ahead = say_number(farthest, "{number} step", "{number} steps")
        return say(
            "smallest error {ahead} ahead: {best}, {error}",
            ahead=ahead,
            best=say(best.name),
            error=rounded(best.errors[farthest]),
        )

    @property
    def basis(self) -> str:
        """What the figures depend on."""
        return say(
            "root mean squared error of the values, from the same"
            " {number:,} places; perplexity of their levels one step ahead",
            number=self.num_origins,
        )

    def __repr__(self) -> str:
        """Return the verdict, the table, and what it depends on."""
        return f"{self.verdict}\n{aligned(self.table)}\n{self.basis}"


class Rule(Protocol):
    """Predicts the next value of a series, with a normal distribution around it."""

    name: str
    reads: int
    """How many values it reads, the last ones."""
    deviation: float
    """The standard deviation of its errors on the training part, one step ahead."""

    def __call__(self, windows: _Array) -> Values:
        """Return the value after each window, (num_windows, reads)."""


class Mean:
    """Always predicts the mean of the training part."""

    name, reads = marked("mean"), 1

    def __init__(self, values: Values) -> None:
        self._mean = float(values.mean())
        self.deviation = float(values.std())

    def __call__(self, windows: _Array) -> Values:
        """Return the mean for each window."""
        return np.full(len(windows), self._mean)


class Persistence:
    """Predicts that nothing changes: the last value again."""

    name, reads = marked("persistence"), 1

    def __init__(self, values: Values) -> None:
        self.deviation = _root_mean_square(np.diff(values))

    def __call__(self, windows: _Array) -> Values:
        """Return the last value of each window."""
        return windows[:, -1]


class Linear:
    r"""A linear autoregressive model, by least squares on the last k values.

    .. math:: \hat{x}_{t+1} = b + \sum_{i=1}^{k} w_i x_{t-k+i}
    """

    def __init__(self, values: Values, lags: int) -> None:
        if len(values) < (needed := 2 * lags + 1):
            msg = say_number(
                len(values),
                "the training part has {number:,} value; a linear model of the last {lags} needs"
                " at least {needed:,}: lower --lags",
                "the training part has {number:,} values; a linear model of the last {lags} needs"
                " at least {needed:,}: lower --lags",
                lags=lags,
                needed=needed,
            )
            raise BatchError(msg)
        values = values[-_MOST_FITTED:]
        self.reads, self.name = (
            lags,
            say_number(lags, "linear, {lags} value", "linear, {lags} values", lags=lags),
        )
        windows = np.lib.stride_tricks.sliding_window_view(values, lags)[:-1]
        inputs = np.column_stack((windows, np.ones(len(windows))))
        (*weights, bias), *_ = np.linalg.lstsq(inputs, values[lags:], rcond=None)
        self.weights, self.bias = np.array(weights), float(bias)
        self.deviation = _root_mean_square(values[lags:] - self(windows))

    def __call__(self, windows: _Array) -> Values:
        """Return a weighted sum of each window."""
        predicted: Values = windows @ self.weights + self.bias
        return predicted


def series_errors(corpus: Corpus, lags: int = LAGS) -> SeriesErrors | None:
    """Return what simple rules reach on the held-out part of a series.

    Parameters
    ----------
    corpus
        A series, made with `read_series`.
    lags
        How many values the linear model reads.

    Returns
    -------
    SeriesErrors or None
        None for another corpus, and where nothing is held out or the series is very short.

    Raises
    ------
    BatchError
        When the training part is too short for so many lags.
    """
    series = corpus.behind
    if not isinstance(series, Series):
        return None
    values = series.values[: corpus.config.max_tokens]
    cut = corpus.cut.num_train(len(values))
    places, steps = origins(len(values), cut)
    if not steps or cut <= 2 * LAGS:
        return None
    train = values[:cut]
    rows = [
        Ahead(
            rule.name,
            _perplexity(rule, values, cut, series.levels),
            _errors(rule, values, places, steps),
        )
        for rule in (Mean(train), Persistence(train), Linear(train, lags))
    ]
    return SeriesErrors(tuple(rows), len(places))


def origins(num_values: int, cut: int) -> tuple[Places, tuple[int, ...]]:
    """Return the places from which a held-out part is predicted, and how many steps ahead.

    Parameters
    ----------
    num_values
        The length of the series.
    cut
        The length of its training part.

    Returns
    -------
    places : numpy.ndarray
        The last value that is read, at most 128 places, evenly spread; from each one every number
        of steps ends in the held-out part.
    steps : tuple of int
        Those of 1, 4, 16, 64 that are at most half as long as the held-out part.
    """
    held_out = num_values - cut
    steps = tuple(k for k in STEPS_AHEAD if 2 * k <= held_out)
    last = num_values - 1 - max(steps, default=0)
    count = min(MOST_ORIGINS, last - cut + 2)
    return np.linspace(cut - 1, last, count).round().astype(np.int64), steps


def errors_of(
    predicted: _Array, values: Values, places: Places, steps: Sequence[int]
) -> dict[int, float]:
    """Return the root mean squared error by number of steps.

    Parameters
    ----------
    predicted
        The predictions 1, 2, ... steps after each place, (num_places, at least max(steps)).
    values
        The series.
    places, steps
        As `origins` returns them.
    """
    return {k: _root_mean_square(predicted[:, k - 1] - values[places + k]) for k in steps}


def _errors(rule: Rule, values: Values, places: Places, steps: Sequence[int]) -> dict[int, float]:
    windows = values[places[:, None] + np.arange(1 - rule.reads, 1)]  # (num_places, reads)
    predicted = np.empty((len(places), max(steps)))
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable model may grow without end
        for step in range(max(steps)):
            predicted[:, step] = rule(windows)
            windows = np.column_stack((windows[:, 1:], predicted[:, step]))
        return errors_of(predicted, values, places, steps)


def _perplexity(rule: Rule, values: Values, cut: int, levels: Levels) -> float:
    # Every held-out value but the first, as for a model of tokens.
    targets = np.arange(cut + 1, len(values))
    windows = values[targets[:, None] + np.arange(-rule.reads, 0)]
    edges = torch.tensor([-np.inf, *levels.edges[1:-1], np.inf], dtype=torch.float64)
    reached = torch.from_numpy(levels.of(values[targets]))
    middle = torch.from_numpy(rule(windows))
    deviation = max(rule.deviation, np.finfo(float).tiny)
    below, above = ((edges[reached + i] - middle) / deviation for i in (0, 1))
    # On the side where both lie far below the middle, their difference keeps its digits.
    flip = below > 0
    below, above = torch.where(flip, -above, below), torch.where(flip, -below, above)
    chance = torch.special.ndtr(above) - torch.special.ndtr(below)
    return perplexity(float(-chance.log().mean()))


def _root_mean_square(errors: Values) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))
