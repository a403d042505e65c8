from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.sweeps.search.past import Past
from rnn_magics.sweeps.search.pruning import PRUNERS, above_median, hyperband

RUNGS = range(1, 10)


def curve(final: float, wobble: float = 0.0) -> dict[int, float]:
    """A learning curve that never crosses one with another final value by more than it wobbles."""
    return {rung: final + 3.0 / rung + (wobble if rung % 2 else 0.0) for rung in RUNGS}


def swept(name: str, finals: list[float]) -> list[Past]:
    past: list[Past] = []
    for number, final in enumerate(finals):
        whole, seen = curve(final), {}
        for rung in RUNGS:
            seen[rung] = whole[rung]
            if rung < max(RUNGS) and PRUNERS[name].prunes(number, seen, past):
                past.append(Past(number, {}, seen, is_pruned=True))
                break
        else:
            past.append(Past(number, {}, seen, final))
    return past


@pytest.mark.parametrize("name", PRUNERS)
@given(st.lists(st.floats(1, 9), min_size=1, max_size=40, unique=True))
def test_the_true_best_is_never_pruned(name: str, finals: list[float]) -> None:
    past = swept(name, finals)
    best = finals.index(min(finals))
    assert not past[best].is_pruned
    assert past[best].nats == min(finals)


@pytest.mark.parametrize("name", sorted(PRUNERS.keys() - {"none"}))
def test_those_that_fall_behind_are_pruned(name: str) -> None:
    finals = [1.0 + (7 * number % 30) / 10 for number in range(30)]
    past = swept(name, finals)
    spent = sum(len(trial.curve) for trial in past)
    assert spent < 0.75 * 9 * 30
    assert any(trial.is_pruned for trial in past)


def test_none_prunes_nothing() -> None:
    assert not any(t.is_pruned for t in swept("none", [9.0 - n / 10 for n in range(20)][::-1]))


def test_the_median_waits_for_four_trials_and_the_second_rung() -> None:
    past = [Past(n, {}, curve(1.0), 1.0) for n in range(3)]
    bad = {1: 99.0, 2: 99.0}
    assert not above_median(3, bad, past)
    past.append(Past(3, {}, curve(1.0), 1.0))
    assert above_median(4, bad, past)
    assert not above_median(4, {1: 99.0}, past)
    assert not above_median(4, {1: 0.5, 2: 99.0}, past)  # its best counts


def test_pruned_trials_are_no_part_of_the_median() -> None:
    past = [Past(n, {}, {2: 9.0}, is_pruned=True) for n in range(9)]
    assert not above_median(9, {2: 99.0}, past)


def test_a_third_of_a_bracket_goes_on() -> None:
    past: list[Past] = []
    for number in (0, 2, 4, 6, 7, 9, 11, 12, 14):  # the first bracket, the best first
        seen = {1: float(number)}
        pruned = hyperband(number, seen, past)
        assert pruned is (len(past) >= max((len(past) + 1) // 3, 1))
        past.append(Past(number, {}, seen, None if pruned else 1.0, is_pruned=pruned))


@given(
    st.lists(st.floats(1, 9), min_size=8, max_size=20),
    st.dictionaries(st.integers(1, 9), st.floats(0, 12), min_size=1),
)
def test_the_median_is_that_of_optuna(finals: list[float], seen: dict[int, float]) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    past = [Past(n, {}, curve(final), final) for n, final in enumerate(finals)]
    for trial in past:
        study.add_trial(
            optuna.trial.create_trial(value=trial.nats, intermediate_values=dict(trial.curve))
        )
    asked = study.ask()
    for rung, nats in sorted(seen.items()):
        asked.report(nats, rung)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2)
    expected = pruner.prune(study, study._storage.get_trial(asked._trial_id))
    assert above_median(len(past), seen, past) is bool(expected)
