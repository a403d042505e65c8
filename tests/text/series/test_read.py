from __future__ import annotations

import numpy as np
import pytest

from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading, corpus_as
from rnn_magics.text.series.levels import Levels, LevelsConfig, Series
from rnn_magics.text.series.read import read_series, with_levels
from rnn_magics.text.vocab import Vocab, encode_corpus

X = np.sin(np.arange(2000) / 9) + np.linspace(0, 1, 2000)  # it rises, so its end is new


def behind(corpus: Corpus) -> Series:
    assert isinstance(corpus.behind, Series)
    return corpus.behind


def test_tokens_are_levels_and_the_values_are_kept() -> None:
    corpus = read_series(X, LevelsConfig(levels=20), name="x")
    assert corpus.data == tuple(behind(corpus).levels.of(X).tolist())
    assert behind(corpus).values.tolist() == X.tolist()
    assert (corpus.name, corpus.origin, corpus.default_token) == ("x", "variable x", "given")
    assert repr(corpus) == "Corpus('x', 2,000 tokens, 10% held out)"


@pytest.mark.parametrize("bins", ["uniform", "quantile"])
def test_levels_follow_from_the_training_part_alone(bins: str) -> None:
    corpus = read_series(X, LevelsConfig(levels=20, bins=bins), CorpusConfig(valid=0.25))
    changed = X.copy()
    changed[1500:] = 1000.0
    again = read_series(changed, LevelsConfig(levels=20, bins=bins), CorpusConfig(valid=0.25))
    assert behind(corpus).levels == behind(again).levels
    assert behind(corpus).levels.edges[-1] == X[:1500].max()
    assert X.max() > X[:1500].max()


def test_the_levels_follow_from_the_tokens_that_are_kept() -> None:
    corpus = read_series(X, LevelsConfig(levels=5), CorpusConfig(valid=0.2, max_tokens=100))
    assert behind(corpus).levels == Levels.fit(X[:80], 5, "uniform", "x")


def test_a_vocabulary_has_every_level_so_nothing_held_out_is_unknown() -> None:
    x = np.concatenate((X[:1000], [50.0], X[1000:1400], np.linspace(-3, 60, 200)))
    corpus = read_series(x, LevelsConfig(levels=40))
    vocab = Vocab.from_corpus(corpus)
    assert len(vocab) == len(behind(corpus).levels) + 1
    assert encode_corpus(corpus, vocab).valid_unk_share == 0
    (note,) = corpus.notes
    assert note.startswith(f"series has {len(behind(corpus).levels)} levels, not 40")
    assert note.endswith("try --bins quantile")


def test_another_series_is_read_in_the_levels_of_a_run() -> None:
    corpus = read_series(X, LevelsConfig(levels=20))
    reading = TextReading.of(corpus)
    other = read_series(X[:500] * 2, LevelsConfig(levels=7), CorpusConfig(valid=0.5))
    as_run = corpus_as(reading, other)
    assert behind(as_run).levels == behind(corpus).levels
    assert as_run.data == tuple(behind(corpus).levels.of(X[:500] * 2).tolist())
    assert as_run.config.valid == 0.5
    assert corpus_as(reading, corpus) is corpus
    assert corpus_as(TextReading(CorpusConfig()), other) is other
    plain = Corpus.from_tokens(range(9))
    assert with_levels(plain, behind(corpus).levels) is plain
    assert str(reading).startswith("in 20 uniform levels from -")


def test_bad_input_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="a series needs a number of levels"):
        read_series(X, LevelsConfig())
    with pytest.raises(CorpusError, match="leave out --lower"):
        read_series(X, LevelsConfig(levels=3), CorpusConfig(lower=True))
    with pytest.raises(CorpusError, match="'y' is constant"):
        read_series(np.append(np.zeros(1800), np.ones(200)), LevelsConfig(levels=3), name="y")
