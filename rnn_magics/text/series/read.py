"""A series of numbers becomes a corpus whose tokens are levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.language import say, say_number
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.series.levels import Levels, LevelsConfig, Series
from rnn_magics.text.series.values import Values, numbers_of


def read_series(
    data: Any,
    levels: Levels | LevelsConfig,
    config: CorpusConfig | None = None,
    *,
    name: str = "series",
) -> Corpus:
    r"""Make a corpus from a series of numbers: each value becomes the number of its level.

    The edges of the levels follow from the training part alone, so the held-out part stays unseen.

    .. math:: x_t \mapsto \#\{i : e_i \le x_t, 0 < i < L\}

    Parameters
    ----------
    data
        A list, an array, a tensor or a column of numbers without gaps.
    levels
        How many levels, and of which kind; or the levels of another series, such as those of a run.
    config
        The split.
    name
        The name in listings.

    Raises
    ------
    ConfigError
        When the number of levels is missing.
    CorpusError
        When an element is no number, with its place; or the series is too short, or constant.

    Examples
    --------
    >>> read_series([0.0, 1.0] * 20, LevelsConfig(levels=2), CorpusConfig(valid=0.1))
    Corpus('series', 40 tokens, 10% held out)
    """
    config = config or CorpusConfig()
    notes: tuple[str, ...] = ()
    values = numbers_of(data, name)
    if isinstance(levels, LevelsConfig):
        asked = levels.levels
        if asked is None:
            msg = say("a series needs a number of levels, such as LevelsConfig(levels=20)")
            raise ConfigError(msg)
        levels = Levels.fit(_training_part(values, config), asked, levels.bins, name)
        if len(levels) < asked:
            told = {"name": name, "asked": asked}
            few = say_number(
                len(levels),
                "{name} has {number:,} level, not {asked:,}: one without a value to train on goes"
                " to the next",
                "{name} has {number:,} levels, not {asked:,}: one without a value to train on goes"
                " to the next",
                **told,
            )
            tried = say_number(
                len(levels),
                "{name} has {number:,} level, not {asked:,}: one without a value to train on goes"
                " to the next; try --bins quantile",
                "{name} has {number:,} levels, not {asked:,}: one without a value to train on goes"
                " to the next; try --bins quantile",
                **told,
            )
            notes = (few if levels.bins == "quantile" else tried,)
    corpus = _corpus(values, levels, config, name, say("variable {name}", name=name))
    return replace(corpus, notes=notes)


def with_levels(corpus: Corpus, levels: Levels | None) -> Corpus:
    """Return a series in other levels; a corpus without numbers behind it stays as it is."""
    series = corpus.behind
    if levels is None or not isinstance(series, Series) or series.levels == levels:
        return corpus
    whole = replace(corpus.config, test=0.0)  # the test part has been set aside
    made = _corpus(series.values, levels, whole, corpus.name, corpus.origin)
    test = None if corpus.test is None else with_levels(corpus.test, levels)
    return replace(made, config=corpus.config, test=test, is_test=corpus.is_test)


def _corpus(values: Values, levels: Levels, config: CorpusConfig, name: str, origin: str) -> Corpus:
    made = Corpus.from_tokens(levels.of(values), config, name=name, origin=origin)
    test, size = made.test, len(made)
    if test is not None:
        test = replace(test, behind=Series(values[size:], levels))
    return replace(made, behind=Series(values[:size], levels), test=test)


def _training_part(values: Values, config: CorpusConfig) -> Values:
    kept = values[: len(values) - int(len(values) * config.test)][: config.max_tokens]
    return kept[: len(kept) - int(len(kept) * config.held_out_share(len(kept)))]
