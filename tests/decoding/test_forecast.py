from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.forecast import Forecast, forecast_series
from rnn_magics.decoding.generate import generate, generate_many
from rnn_magics.errors import DecodingError
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.series.levels import LevelsConfig, Series
from rnn_magics.text.series.read import read_series
from rnn_magics.text.vocab import Vocab, VocabConfig

X = np.sin(np.arange(2000) / 9)
CORPUS = read_series(X, LevelsConfig(levels=12), CorpusConfig(valid=0.1), name="x")
AT_ONE = DecodingConfig(length=20, temperature=1.0)


def made(corpus: Corpus, config: VocabConfig | None = None) -> Any:
    vocab = Vocab.from_corpus(corpus, config)
    model = RNNModel(ModelConfig(num_hiddens=8), len(vocab), torch.Generator().manual_seed(0))
    return SimpleNamespace(model=model, vocab=vocab, reading=TextReading.of(corpus))


@pytest.fixture
def run() -> Any:
    return made(CORPUS)


def test_a_forecast_goes_on_where_the_training_part_ends(run: Any) -> None:
    found = forecast_series(run, CORPUS, AT_ONE, num=5)
    assert found.begins == 1800
    assert found.truth.tolist() == X[1800:1820].tolist()
    assert found.before.tolist() == X[1800 - 1024 : 1800].tolist()
    prefix = " ".join(map(str, CORPUS.data[1800 - 1024 : 1800]))
    config = DecodingConfig(length=20, temperature=1.0, no_unk=True)
    paths = generate_many(run, prefix, config, num=5)
    assert [path.tokens for path in found] == [path.tokens for path in paths]
    assert isinstance(CORPUS.behind, Series)
    stands_for = CORPUS.behind.levels.values
    assert found.values.tolist() == [[stands_for[t] for t in path.tokens] for path in found]
    assert (len(found), found.values.shape) == (5, (5, 20))
    assert found[0] is found.paths[0]
    assert list(found) == list(found.paths)


def test_its_default_is_a_hundred_paths_as_the_model_predicts(run: Any) -> None:
    found = forecast_series(run, CORPUS)
    assert found.values.shape == (100, 200)
    assert found[0].config == DecodingConfig(temperature=1.0, no_unk=True)
    assert len(found.truth) == 200  # all that is known


def test_bands_hold_their_share_of_the_paths_and_coverage_counts_the_truth(run: Any) -> None:
    found = forecast_series(run, CORPUS, AT_ONE, num=400)
    for share in (0.5, 0.9):
        lower, upper = found.band(share)
        assert (lower <= found.median).all()
        assert (found.median <= upper).all()
        tokens = np.array([path.tokens for path in found])
        assert isinstance(CORPUS.behind, Series)
        edges = np.array(CORPUS.behind.levels.edges)
        spread = np.random.default_rng(0).uniform(edges[tokens], edges[tokens + 1])
        held = np.mean((lower <= spread) & (spread <= upper), axis=0)
        assert held == pytest.approx(share, abs=0.05)
        inside = [low <= x <= high for low, x, high in zip(lower, found.truth, upper, strict=True)]
        assert found.coverage(share) == sum(inside) / 20
    error = np.sqrt(np.mean((found.values.mean(axis=0) - found.truth) ** 2))
    assert found.error == pytest.approx(error)
    assert f"the 90% band holds {found.coverage(0.9):.0%} of the 20 values" in repr(found)


def test_a_model_that_is_right_about_its_noise_has_bands_that_hold_their_share() -> None:
    # Independent draws from four levels, and a model that predicts just that distribution.
    chances = np.array([0.1, 0.4, 0.3, 0.2])
    x = np.random.default_rng(0).choice(4, 4000, p=chances).astype(float)
    x += np.random.default_rng(1).uniform(-0.5, 0.5, 4000)
    corpus = read_series(x, LevelsConfig(levels=4))
    run = made(corpus)
    with torch.no_grad():
        run.model.output.weight.zero_()
        for token, count in run.vocab.token_freqs:
            run.model.output.bias[run.vocab[token]] = float(np.log(count))
    found = forecast_series(run, corpus, DecodingConfig(length=400, temperature=1.0), num=500)
    assert found.coverage(0.5) == pytest.approx(0.5, abs=0.08)
    assert found.coverage(0.9) == pytest.approx(0.9, abs=0.05)


def test_levels_that_are_typed_are_continued(run: Any) -> None:
    found = forecast_series(run, "3 4 7", AT_ONE, num=3)
    assert isinstance(CORPUS.behind, Series)
    assert found.before.tolist() == [CORPUS.behind.levels.values[i] for i in (3, 4, 7)]
    assert (len(found.truth), found.begins, found.coverage(0.5), found.error) == (0, 0, None, None)
    assert found[0].prefix == "3 4 7"
    assert repr(found).endswith("what followed is not known")


def test_of_a_series_without_a_held_out_part_the_future_is_unknown(run: Any) -> None:
    whole = read_series(X, LevelsConfig(levels=12), CorpusConfig(valid=0.0))
    found = forecast_series(run, whole, AT_ONE, num=2)
    assert (found.begins, len(found.truth)) == (2000, 0)


def test_another_series_is_read_in_the_levels_of_the_run(run: Any) -> None:
    other = read_series(X[::-1].copy(), LevelsConfig(levels=3), CorpusConfig(valid=0.5))
    found = forecast_series(run, other, AT_ONE, num=2)
    assert found.begins == 1000
    assert found.levels == run.reading.levels


def test_a_text_of_a_run_on_a_series_has_values(run: Any) -> None:
    text = generate(run, "3 4 7", AT_ONE)
    assert text.values == tuple(run.reading.levels.value(token) for token in text.tokens)
    run.reading = None
    assert generate(run, "3 4 7", AT_ONE).values == ()


def test_what_cannot_be_forecast_is_refused_in_one_line(run: Any) -> None:
    for config, start, said in (
        (DecodingConfig(stop="3"), CORPUS, "a path of a series has no end token; leave --stop out"),
        (AT_ONE, Corpus.from_tokens(range(9), name="t"), "'t' is no series of numbers; read one"),
        (AT_ONE, "", "the prefix has no given tokens"),
    ):
        with pytest.raises(DecodingError) as caught:
            forecast_series(run, start, config)
        assert str(caught.value).startswith(said)
    run.reading = TextReading(CorpusConfig())
    with pytest.raises(DecodingError, match="the run was not trained on a series of numbers"):
        forecast_series(run, CORPUS)
    reserved = made(CORPUS, VocabConfig(reserved=("<a>",)))
    with pytest.raises(
        DecodingError, match="has tokens that are no levels: '<a>'; build it without"
    ):
        forecast_series(reserved, CORPUS)


def test_the_repr_counts_paths() -> None:
    one = forecast_series(made(CORPUS), CORPUS, AT_ONE, num=1)
    assert isinstance(one, Forecast)
    assert repr(one).startswith("Forecast(1 path of 20 steps, seed 0)\n  the 50% band holds")
