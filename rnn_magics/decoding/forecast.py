"""Forecasts: many futures of a series, drawn by a model, and how well they cover what came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import Generation, generate_many
from rnn_magics.decoding.prefix import Trained, reading_of, vocab_of
from rnn_magics.digits import rounded
from rnn_magics.errors import DecodingError
from rnn_magics.language import say, say_number
from rnn_magics.results import Result, listed
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading, corpus_as
from rnn_magics.text.series.levels import Levels, Series
from rnn_magics.text.series.values import Values

BANDS = (0.5, 0.9)
NUM_PATHS = 100
_READ_BEFORE = 1024  # values that the model reads before it writes
_Paths = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, repr=False, eq=False)
class Forecast(Result, Sequence[Generation]):
    """Several futures of a series.

    Parameters
    ----------
    paths
        One text of levels for each future; the forecast is a sequence of them.
    levels
        What the levels stand for.
    before
        The values that came before, (num_before,).
    truth
        The values that really followed, as far as they are known, (num_known,).
    begins
        The place in the series of the first value that is forecast; 0 where that is unknown.
    """

    paths: tuple[Generation, ...]
    levels: Levels
    before: Values
    truth: Values
    begins: int = 0

    @cached_property
    def values(self) -> _Paths:
        """The values of each path, (num_paths, num_steps)."""
        return np.array([path.values for path in self.paths])

    @cached_property
    def median(self) -> Values:
        """The median at each step, (num_steps,)."""
        found: Values = self._quantiles([0.5])[0]
        return found

    def band(self, share: float) -> tuple[Values, Values]:
        """Return the lower and the upper edge of the middle `share` of the futures.

        Returns
        -------
        lower, upper : numpy.ndarray
            Shape (num_steps,). Within a level the values are spread evenly.
        """
        lower, upper = self._quantiles([(1 - share) / 2, (1 + share) / 2])
        return lower, upper

    def coverage(self, share: float) -> float | None:
        """Return the share of the known values that lie in a band; None where none is known."""
        if not len(self.truth):
            return None
        lower, upper = (edge[: len(self.truth)] for edge in self.band(share))
        return float(np.mean((lower <= self.truth) & (self.truth <= upper)))

    @property
    def error(self) -> float | None:
        """The root mean squared error of the mean of the paths; None without known values."""
        if not len(self.truth):
            return None
        mean = self.values.mean(axis=0)[: len(self.truth)]
        return float(np.sqrt(np.mean(np.square(mean - self.truth))))

    def _quantiles(self, shares: Sequence[float]) -> _Paths:
        tokens = np.array([path.tokens for path in self.paths], np.int64)
        return self.levels.quantiles(tokens, shares)

    def __len__(self) -> int:
        """Return the number of paths."""
        return len(self.paths)

    def __getitem__(self, place: Any) -> Any:
        """Return one path, or those of a slice."""
        return self.paths[place]

    def __iter__(self) -> Iterator[Generation]:
        """Yield the paths."""
        return iter(self.paths)

    @property
    def size(self) -> str:
        """How many paths of how many steps."""
        num, steps = self.values.shape
        return say(
            "{paths} of {steps}",
            paths=say_number(num, "{number:,} path", "{number:,} paths"),
            steps=say_number(steps, "{number:,} step", "{number:,} steps"),
        )

    @property
    def verdict(self) -> str:
        """How well the bands cover what followed."""
        if self.error is None:
            return say("what followed is not known")
        bands = (
            say("the {share:.0%} band holds {held:.0%}", share=share, held=self.coverage(share))
            for share in BANDS
        )
        return say_number(
            len(self.truth),
            "{bands} of the one value that followed; error of the mean {error}",
            "{bands} of the {number:,} values that followed; error of the mean {error}",
            bands=say(" and ").join(bands),
            error=rounded(self.error),
        )

    def __repr__(self) -> str:
        """Two lines: the size and the seed, and the coverage."""
        return f"Forecast({self.size}{self.seed})\n  {self.verdict}"

    @property
    def seed(self) -> str:
        """The seed in words, behind the size; empty where nothing is drawn."""
        config = self.paths[0].config
        return say(", seed {seed}", seed=config.seed) if config.draws else ""


def forecast_series(
    run: Trained,
    start: Corpus | str,
    config: DecodingConfig | None = None,
    *,
    num: int = NUM_PATHS,
) -> Forecast:
    r"""Draw futures of a series, each from the model's own predictions.

    .. math:: \mathrm{coverage} = \frac{1}{n} \sum_{k=1}^{n} [l_k \le x_{t+k} \le u_k]

    where l_k and u_k are the edges of a band at step k.

    Parameters
    ----------
    run
        A run that was trained on a series, made with `read_series`.
    start
        A series, which is continued where its training part ends: what is held out is the truth.
        Or levels with spaces between them, such as ``"3 4 4 5"``.
    config
        How many steps, and how they are drawn; by default at temperature 1, as the model
        predicts. ``<unk>`` is never written.
    num
        How many paths.

    Raises
    ------
    DecodingError
        When the run reads no levels, or its vocabulary has other tokens besides; `start` is no
        series; or a stop token is given. Also as for `generate_many`.
    """
    reading = reading_of(run)
    if reading is None or reading.levels is None:
        msg = say(
            "the run was not trained on a series of numbers; read one with %corpus --data NAME"
            " --levels 20, and train on it"
        )
        raise DecodingError(msg)
    levels, config = reading.levels, config or DecodingConfig(temperature=1.0)
    if config.stop is not None:
        msg = say(
            "a path of a series has no end token; leave --stop out, and say how many steps with"
            " --length"
        )
        raise DecodingError(msg)
    tokens = vocab_of(run).to_tokens(list(range(1, len(vocab_of(run)))))
    if others := [token for token in tokens if np.isnan(levels.value(token))]:
        msg = say(
            "the vocabulary of the run has tokens that are no levels: {others}; build it"
            " without --reserved",
            others=listed(others),
        )
        raise DecodingError(msg)
    before, truth, begins = _known(start, reading, levels)
    prefix = start if isinstance(start, str) else " ".join(map(str, levels.of(before).tolist()))
    paths = generate_many(run, prefix, replace(config, no_unk=True), num=num)
    return Forecast(tuple(paths), levels, before, truth[: config.length], begins)


def _known(start: Corpus | str, reading: TextReading, levels: Levels) -> tuple[Values, Values, int]:
    # The values before the forecast, those after its begin, and the place of the first of these.
    if isinstance(start, str):
        words = (int(word) if word.isdecimal() else None for word in start.split())
        known = np.array([levels.value(word) for word in words], float)
        return known[~np.isnan(known)], np.empty(0), 0
    corpus = corpus_as(reading, start)
    if not isinstance(corpus.behind, Series):
        msg = say(
            "{corpus!r} is no series of numbers; read one with %corpus --data NAME --levels"
            " {number}, or give levels to continue, such as 0 1 1 2",
            corpus=corpus.name,
            number=len(levels),
        )
        raise DecodingError(msg)
    values = corpus.behind.values[: corpus.config.max_tokens]
    cut = corpus.cut.num_train(len(values))
    return values[max(cut - _READ_BEFORE, 0) : cut], values[cut:], cut
