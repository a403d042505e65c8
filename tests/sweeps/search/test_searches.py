from __future__ import annotations

import sys
from typing import Any

import pytest

from rnn_magics.errors import ConfigError
from rnn_magics.sweeps.search.past import Past
from rnn_magics.sweeps.search.searches import SEARCHES, grid, next_params
from rnn_magics.sweeps.space import Space


def ended(params: list[dict[str, Any]], score: Any) -> list[Past]:
    return [Past(n, each, {1: score(each)}, score(each)) for n, each in enumerate(params)]


def searched(name: str, space: Space, number: int, score: Any, seed: int = 0) -> list[Any]:
    taken: list[dict[str, Any]] = []
    for _ in range(number):
        past = ended(taken, score)
        params = next_params(name, space.dimensions, past, taken, seed)
        if params is None:
            break
        taken.append(params)
    return taken


def zero(_params: dict[str, Any]) -> float:
    return 1.0


@pytest.mark.parametrize("name", SEARCHES)
def test_no_point_is_tried_twice_and_all_are_found(name: str) -> None:
    space = Space(cell="rnn,gru,lstm", num_layers="1:3")
    found = searched(name, space, 99, zero)
    assert len(found) == 9
    assert all(found.count(params) == 1 for params in found)


@pytest.mark.parametrize("name", SEARCHES)
def test_the_next_settings_follow_from_the_past_and_the_seed(name: str) -> None:
    space = Space(lr="1e-4:1e-1", cell="gru,lstm", num_hiddens="8:64", clip="none,1")

    def score(params: dict[str, Any]) -> float:
        return abs(params["lr"] - 0.01)

    first, again = (searched(name, space, 10, score) for _ in range(2))
    assert first == again
    assert len(first) == 10
    for params in first:
        assert 1e-4 <= params["lr"] <= 1e-1
        assert params["cell"] in ("gru", "lstm")
        assert params["clip"] in (None, 1.0)
        assert type(params["num_hiddens"]) is int
    if name != "grid":
        assert searched(name, space, 10, score, seed=1) != first


def test_a_grid_has_five_values_of_a_range() -> None:
    points = list(grid(Space(lr="1e-4:1", cell="gru,lstm").dimensions))
    assert len(points) == 10
    assert points[0] == {"cell": "gru", "lr": 1e-4}


def test_the_estimator_of_optuna_looks_where_it_was_good() -> None:
    pytest.importorskip("optuna")
    space = Space(dropout="0:0.9")

    def score(params: dict[str, Any]) -> float:
        return (params["dropout"] - 0.2) ** 2

    def late(name: str) -> float:
        found = [searched(name, space, 30, score, seed)[15:] for seed in range(3)]
        return sum(abs(p["dropout"] - 0.2) for each in found for p in each)

    assert late("tpe") < 0.6 * late("random")


def test_trials_that_failed_or_were_pruned_are_known_to_optuna() -> None:
    pytest.importorskip("optuna")
    dimensions = Space(dropout="0:0.9").dimensions
    past = [
        Past(0, {"dropout": 0.1}, {1: 2.0}, 1.0),
        Past(1, {"dropout": 0.5}, {1: 4.0}, is_pruned=True),
        Past(2, {"dropout": 0.7}, {1: float("nan")}),
    ]
    taken = [dict(trial.params) for trial in past]
    assert next_params("tpe", dimensions, past, taken, 0) is not None


def test_without_optuna_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    dimensions = Space(cell="gru,lstm").dimensions
    with pytest.raises(ConfigError) as caught:
        next_params("tpe", dimensions, [], [], 0)
    assert "pip install 'rnn_magics[sweep]', or use --search random" in str(caught.value)
    assert next_params("random", dimensions, [], [], 0) is not None
