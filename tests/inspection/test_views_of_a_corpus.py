"""Views of a corpus: its states, what is like a span of a text, what drives a unit."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.batching import BATCHERS, BatchConfig, Batches
from rnn_magics.errors import InspectionError
from rnn_magics.inspection import inspect_batches, inspect_hidden, inspect_match, inspect_units
from rnn_magics.inspection.views.corpus_states import read_corpus
from rnn_magics.inspection.views.match import MatchConfig, apart, similarities
from rnn_magics.inspection.views.units import UnitsConfig, said, selectivities
from rnn_magics.inspection.views.windows import WindowsConfig
from rnn_magics.text.corpus import Corpus, CorpusConfig

Make = Callable[..., Any]


@pytest.mark.parametrize("options", [{"cell": "lstm", "num_layers": 2}, {"embedding_size": 3}])
def test_the_states_of_a_short_corpus_are_those_of_its_text(
    make_run: Make, corpus: Corpus, options: dict[str, Any]
) -> None:
    run = make_run(**options)
    read = read_corpus(run, corpus, 0)
    text = "".join(run.vocab.to_tokens(read.ids.tolist()))
    np.testing.assert_allclose(read.states, inspect_hidden(run, text).states[0], atol=5e-4)


def test_a_long_corpus_is_read_in_rows_that_are_warmed_up(make_run: Make, corpus: Corpus) -> None:
    run = make_run()
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.mul_(0.4)  # so that what lies 256 tokens back is forgotten
    long = Corpus.from_text(str(corpus.data) * 40, CorpusConfig(valid=0))
    read = read_corpus(run, long, num_tokens=9_999)
    assert read.states.shape == (9_999, 6)
    with torch.no_grad():
        outputs, _ = run.model.rnn(
            torch.from_numpy(read.ids.astype(np.int64))[:, None],
            run.model.rnn.begin_state(1, torch.device("cpu")),
        )
    np.testing.assert_allclose(read.states, outputs[:, 0], atol=1e-3)


def test_states_are_kept_until_the_weights_change(make_run: Make, corpus: Corpus) -> None:
    run = make_run()
    first = read_corpus(run, corpus)
    assert read_corpus(run, corpus) is first
    assert read_corpus(make_run(), corpus) is first  # the same weights in another object
    assert read_corpus(run, corpus, num_tokens=50) is not first
    with torch.no_grad():
        run.model.output.weight.add_(1)
    assert read_corpus(run, corpus) is not first


def test_a_corpus_remembers_a_few_sets_of_states_only(make_run: Make, corpus: Corpus) -> None:
    run = make_run()
    read = [read_corpus(run, corpus, num_tokens=num_tokens) for num_tokens in range(10, 20)]
    again = [read_corpus(run, corpus, num_tokens=len(states)) for states in reversed(read)]
    assert [a is b for a, b in zip(again, reversed(read), strict=True)] == [True] * 4 + [False] * 6


def test_states_go_with_their_corpus(make_run: Make, corpus: Corpus) -> None:
    run, passing = make_run(), replace(corpus)
    states = weakref.ref(read_corpus(run, passing))
    gc.collect()
    assert states() is not None
    del passing
    gc.collect()
    assert states() is None


def test_similarity_is_the_cosine() -> None:
    drawn = np.random.default_rng(0)
    states = drawn.normal(size=(20_000, 5)).astype(np.float16)
    pattern, units = drawn.normal(size=(3, 5)), np.array([0, 3])
    found = similarities(states, pattern, units)
    assert found.shape == (19_998,)
    for place in (0, 1, 8190, 8191, 8192, 19_997):  # also at the seams of the blocks
        a = states[place : place + 3, units].astype(float).ravel()
        b = pattern[:, units].ravel()
        expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert found[place] == pytest.approx(expected, abs=1e-5)


def test_the_best_places_lie_apart() -> None:
    scores = np.array([1.0, 5, 4, np.nan, 3, 2])
    assert apart(scores, 9, 2).tolist() == [1, 4]
    assert apart(scores, 1, 2).tolist() == [1]
    assert apart(np.empty(0), 3, 1).tolist() == []


def test_a_span_of_the_corpus_is_found_in_it(make_run: Make, corpus: Corpus) -> None:
    run = make_run()
    text = str(corpus.data)[:60]  # its beginning, so that the states are the same
    found = inspect_match(run, text, corpus, MatchConfig(span="20:26", num=3, margin=4))
    assert found.places[0] == 20
    assert found.similarities[0] == pytest.approx(1, abs=1e-3)
    assert (np.diff(found.similarities) <= 0).all()
    start, tokens = found.contexts[0]
    assert (start, "".join(tokens)) == (16, text[16:30])
    held = np.abs(inspect_hidden(run, text).states[0][20:26]).min(axis=0)
    assert found.units.tolist() == np.nonzero(held >= 0.3)[0].tolist()
    named = inspect_match(run, text, corpus, MatchConfig(span="20:26", units=("4", "1")))
    assert named.units.tolist() == [1, 4]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"span": "3"}, r"span must be A:B with 0 <= A < B <= 8, not '3'"),
        ({"span": "3:3"}, "not '3:3'"),
        ({"span": "0:9"}, "not '0:9'"),
        ({"span": "-1:3"}, "not '-1:3'"),
        ({"span": "²:3"}, "not '²:3'"),
        ({"units": ("6",)}, "units must be whole numbers from 0 to 5, not '6'"),
        ({"units": ("x",)}, "not 'x'"),
        ({"threshold": 1.0}, "no unit stays 1 away from 0 in the whole span"),
        ({"layer": 1}, "no layer 1"),
    ],
)
def test_a_match_that_cannot_be_looked_for(
    make_run: Make, corpus: Corpus, config: dict[str, Any], said: str
) -> None:
    with pytest.raises(InspectionError, match=said):
        inspect_match(make_run(), "the time", corpus, MatchConfig(**config))


def test_a_span_longer_than_what_is_searched_has_no_match(make_run: Make, corpus: Corpus) -> None:
    config = MatchConfig(search=4, units=("0",))
    assert len(inspect_match(make_run(), "the time", corpus, config).places) == 0


def test_peaks_are_the_extremes_of_the_unit(make_run: Make, corpus: Corpus) -> None:
    run = make_run()
    found = inspect_units(run, corpus, UnitsConfig(unit=2, num=3, margin=5))
    values = read_corpus(run, corpus).states[:, 2]
    assert found.highest[0].place == values.argmax()
    assert found.lowest[0].place == values.argmin()
    for peak in (*found.highest, *found.lowest):
        end = peak.start + len(peak.tokens)
        np.testing.assert_array_equal(peak.values, values[peak.start : end])
    assert found.unit == 2
    assert inspect_units(run, corpus).unit == found.order[0]


def test_a_unit_that_follows_the_token_is_selective_and_noise_is_not() -> None:
    drawn = np.random.default_rng(0)
    ids = drawn.integers(0, 300, 4000)
    follows, noise, still = ids == 7, drawn.normal(size=4000), np.ones(4000)
    states = np.stack((follows, noise, still), 1).astype(np.float16)
    shares, tokens, above = selectivities(states, ids)
    assert shares[0] == pytest.approx(1, abs=1e-6)
    assert abs(shares[1]) < 0.05  # not lifted by the number of tokens
    assert np.isnan(shares[2])
    assert tokens[0] == 7
    assert above[0]
    *_, below = selectivities(-states, ids)
    assert not below[0]


@pytest.mark.parametrize(
    ("highest", "lowest", "words"),
    [
        ([",", ",", "."], ["m", "m", "m"], "high after ',', low after 'm'"),
        ([",", ".", "!", "?"], ["m", " "], "high after ',' or '.', low after 'm'"),
        ([" ", " ", ","], ["m", " "], "high after no token in particular, low after 'm'"),
        (list("abcdefgh"), [" "], "high after no token in particular, low after ' '"),
    ],
)
def test_what_a_unit_does_is_said_as_its_lists_show_it(
    highest: list[str], lowest: list[str], words: str
) -> None:
    assert said(highest, lowest) == words


def test_what_units_refuses(make_run: Make, corpus: Corpus) -> None:
    with pytest.raises(InspectionError, match="no unit 6: its units are 0 to 5"):
        inspect_units(make_run(), corpus, UnitsConfig(unit=6))
    with pytest.raises(InspectionError, match="bidirectional"):
        inspect_units(make_run(bidirectional=True), corpus)


@pytest.mark.parametrize("name", BATCHERS)
def test_windows_stand_where_the_minibatches_are_read(name: str) -> None:
    batches = Batches(range(200), BatchConfig(name, batch_size=3, num_steps=7))
    before = batches._generator.get_state()
    found = inspect_batches(batches, WindowsConfig(show=2, seed=5))
    assert torch.equal(batches._generator.get_state(), before)
    plan = batches.plan(torch.Generator().manual_seed(5))
    for number in range(len(plan)):
        X, _ = batches.batch(plan, number)
        assert X[:, 0].tolist() == found.starts[number].tolist()  # token i is i
    carried = BATCHERS[name].carries_state
    assert len(found.arrows) == (3 * (len(plan) - 1) if carried else 0)
    for minibatch, row, after, next_row in found.arrows:
        assert found.starts[after, next_row] == found.starts[minibatch, row] + 7
    assert len(found.arrows_shown) == (3 if carried else 0)
    assert found.num_shown == len(found.to_data()["starts"]) == 2
