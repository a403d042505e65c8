from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import ConfigError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.seeds import SeedRuns, Spread, train_seeds
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

CONFIG = TrainConfig(epochs=1, device="cpu", seed=3)
MODEL = ModelConfig(num_hiddens=4)
FINITE = st.floats(1.0, 1e300)


def batches(valid: int = 20) -> Batches:
    whole = [i % 7 for i in range(140)]
    return Batches(whole[valid:], BatchConfig("seq", 2, 5), valid=whole[:valid])


@pytest.fixture(scope="module")
def runs() -> SeedRuns:
    return train_seeds(batches(), MODEL, CONFIG, num=3)


def test_each_run_has_the_next_seed_and_a_name_of_its_own(runs: SeedRuns) -> None:
    assert [run.config.train.seed for run in runs] == [3, 4, 5]
    assert [run.name for run in runs] == ["gru-seed-3", "gru-seed-4", "gru-seed-5"]
    assert len({run.valid_perplexity for run in runs}) == len(runs) == 3
    alone = train(batches(), MODEL, TrainConfig(epochs=1, device="cpu", seed=4))
    assert runs[1].valid_perplexity == alone.valid_perplexity


def test_the_spread_is_that_of_the_last_perplexities(runs: SeedRuns) -> None:
    values = [run.history.valid_perplexity[-1] for run in runs]
    known = [value for value in values if value is not None]
    assert runs.valid is not None
    assert runs.train is not None
    assert runs.valid.mean == pytest.approx(statistics.fmean(known))
    assert runs.valid.std == pytest.approx(statistics.stdev(known))
    assert (runs.valid.lowest, runs.valid.highest) == (min(known), max(known))
    trained = [run.history.train_perplexity[-1] for run in runs]
    assert runs.train.mean == pytest.approx(statistics.fmean(trained))


def test_the_table_has_a_line_for_each_run_and_the_interval(runs: SeedRuns) -> None:
    lines = repr(runs).split("\n")
    assert len(lines) == 8
    assert lines[2].split()[:2] == ["gru-seed-4", "4"]
    assert f"{runs[1].valid_perplexity:.3f}" in lines[2]
    assert lines[4] == f"training perplexity {runs.train}"
    assert lines[5] == f"held-out perplexity {runs.valid}"
    bits = Spread.of([run.history.valid_bits[-1] for run in runs])
    assert lines[6] == f"held-out bits per token {bits}"
    assert lines[7] == "over 19 held-out tokens, state carried"


def test_nothing_held_out_has_no_spread() -> None:
    runs = train_seeds(batches(valid=0), MODEL, CONFIG, num=1, name="mine")
    assert runs.valid is None
    assert runs[0].name == "mine-seed-3"
    assert "held-out perplexity" not in repr(runs)
    assert "+-" not in repr(runs)


@given(st.lists(FINITE | st.none() | st.just(math.inf), max_size=5))
def test_a_spread_is_of_the_numbers_that_are_there(values: list[float | None]) -> None:
    known = [value for value in values if value is not None]
    spread = Spread.of(values)
    if spread is None:
        assert not known
        return
    assert (spread.lowest, spread.highest) == (min(known), max(known))
    assert spread.mean == pytest.approx(statistics.fmean(known))
    assert ("+-" in repr(spread)) == (len(known) > 1 and math.inf not in known)


def test_a_spread_reads_as_one_line() -> None:
    assert repr(Spread.of([1.0, 2.0, 3.0])) == "2.000 +- 1.000, from 1.000 to 3.000"


@pytest.mark.parametrize(
    ("num", "seed", "words"), [(0, 0, "at least 1, not 0"), (2, 2**64 - 1, "seed must be")]
)
def test_seeds_that_cannot_be_are_refused(num: int, seed: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        train_seeds(batches(), MODEL, TrainConfig(seed=seed), num=num)
