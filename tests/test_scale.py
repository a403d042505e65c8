"""`benchmarks/scale.py`: the simulation, and the page that it writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.models.rnn_model import ModelConfig, RNNModel

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
from scale_model import Network, efficiency, fitted, gru_parameters, step_seconds  # noqa: E402

PAGE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
WRITTEN = re.compile(r"<!-- (\w+): begin -->(.*?)<!-- \1: end -->", re.DOTALL)


@given(
    latency=st.floats(1e-6, 1e-2),
    bandwidth=st.floats(1e6, 1e11),
    sizes=st.lists(st.integers(1, 1 << 28), min_size=2, max_size=6, unique=True),
)
def test_the_fit_finds_the_network_that_measured_times_come_from(
    latency: float, bandwidth: float, sizes: list[int]
) -> None:
    network = Network(latency, bandwidth)
    found = fitted({size: network.all_reduce(2, size) for size in sizes})
    for size in sizes:
        assert found.all_reduce(2, size) == pytest.approx(network.all_reduce(2, size), rel=1e-3)


def test_a_ring_sends_hardly_more_for_more_workers_but_waits_longer() -> None:
    fast = Network(0.0, 1e9)
    assert fast.all_reduce(1, 1e6) == 0
    assert fast.all_reduce(2, 1e6) == pytest.approx(1e-3)
    assert fast.all_reduce(64, 1e6) == pytest.approx(2e-3, rel=0.02)
    assert Network(1e-4, 1e15).all_reduce(64, 1e6) == pytest.approx(126e-4)


def test_a_step_lasts_as_long_as_that_of_the_slowest_worker() -> None:
    still = Network(0.0, 1e15)
    assert step_seconds([2.0], 64, 0, still) == 2.0
    drawn = np.random.default_rng(0).exponential(size=500)
    means = [step_seconds(drawn, workers, 0, still) for workers in (1, 2, 8, 64)]
    assert means == sorted(means)
    assert means[0] == pytest.approx(drawn.mean())
    assert means[1] == pytest.approx(1.5 * drawn.mean(), rel=0.05)  # of two exponentials


def test_nothing_is_lost_where_nothing_is_sent_and_all_are_as_fast() -> None:
    still = Network(0.0, 1e15)
    assert efficiency([8.0], [1.0], 8, 0, still) == pytest.approx(1.0)
    assert efficiency([8.0], [8.0], 8, 0, still, rows=8) == pytest.approx(1.0)
    assert efficiency([8.0], [4.0], 8, 0, still) == pytest.approx(0.25)


@pytest.mark.parametrize("hidden", [8, 64])
def test_the_parameters_are_those_of_the_model(hidden: int) -> None:
    model = RNNModel(ModelConfig("gru", num_hiddens=hidden), 100)
    assert sum(each.numel() for each in model.parameters()) == gru_parameters(hidden, 100)


def test_every_figure_of_the_prose_is_written_by_the_script() -> None:
    written = "".join(text for _, text in WRITTEN.findall(PAGE))
    told = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", "", WRITTEN.sub("", PAGE))
    figures = set(re.findall(r"\d[\d,]*\.\d+|\d{3,}|\d+,\d{3}", told))
    assert {figure for figure in figures if figure not in written} == set()
    assert {name for name, _ in WRITTEN.findall(PAGE)} == {
        *("circumstances", "steps", "network", "check", "predicted", "counting", "sweep"),
        "findings",
    }
