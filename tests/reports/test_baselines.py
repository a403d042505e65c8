from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rnn_magics.reports.baselines import compare_with_baselines, marks
from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.training.curve import Curve
from rnn_magics.training.endings import Ending
from rnn_magics.training.history import History
from rnn_magics.training.run import Run
from rnn_magics.training.scoring.record import Record

LADDER = Ladder((Rung(1, 20, 22.0), Rung(2, 10, 12.0), Rung(3, 4, 8.0), Rung(4, 2, 9.0)), 28, 99)


def run(*valid: float | None, ladder: Ladder | None = LADDER, **changes: Any) -> Run:
    bits = [None if value is None else math.log2(value) for value in valid]
    history = History(
        train_perplexity=[1 / (epoch + 1) for epoch in range(len(valid))],
        train_bits=[-float(epoch) for epoch in range(len(valid))],
        valid_perplexity=list(valid),
        valid_bits=bits,
    )
    record = Record(history, Curve(), [], 9, Ending.EPOCHS, None)
    values = {
        "ladder": ladder,
        "history": history,
        "scored": record.scored,
        "turn": record.turn,
        "weights_from": None,
        "state_rule": "carried",
        "num_valid_tokens": 100,
    }
    return cast("Run", SimpleNamespace(**(values | changes)))


def test_the_marks_are_uniform_unigram_bigram_and_the_best() -> None:
    named = {mark.name: mark.perplexity for mark in marks(LADDER)}
    assert named == {"uniform": 28, "unigram": 22, "bigram": 12, "best, 3-gram": 8}


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        (30.0, "no better than guessing"),
        (25.0, "not learnt more than how frequent"),
        (12.0, "not learnt more than counting pairs"),
        (10.0, "10.000: above the best 3-gram (8.000) by 25.0%"),
        (7.04, "below the best 3-gram (8.000) by 12.0%"),
    ],
)
def test_the_words_say_where_a_run_stands(reached: float, words: str) -> None:
    said = compare_with_baselines(run(reached)).words
    if reached == 25.0:
        assert "no better than guessing" not in said
    assert words in said


def test_of_an_overfitted_run_the_words_say_what_its_best_epoch_was_worth() -> None:
    assert compare_with_baselines(run(20.0, 7.04, 16.0, 3e21)).words == (
        "best held-out perplexity 7.040 after epoch 2: below the best 3-gram (8.000) by 12.0%;"
        " memorising since, now 3e+21"
    )
    assert compare_with_baselines(run(20.0, 7.04, 16.0, None)).words.endswith(
        "; memorising since, 16.000 after epoch 3"
    )


def test_of_an_exploded_run_the_words_stay_short() -> None:
    said = compare_with_baselines(run(8 * 1.69e17)).words
    assert said.endswith(
        "no better than guessing; above the best 3-gram (8.000) by a factor of 1.69e+17"
    )
    for reached in (math.inf, math.nan):
        said = compare_with_baselines(run(reached)).words
        assert said == f"held-out perplexity {reached}: no better than guessing"


def test_a_mark_is_passed_at_the_first_epoch_below_it() -> None:
    passed = compare_with_baselines(run(29.0, 21.0, None, 11.0)).marks
    assert [mark.epoch for mark in passed] == [2, 2, 4, None]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (run(5.0, ladder=None), "no baselines"),
        (run(None), "the held-out text was not scored"),
        (run(None, ladder=replace(LADDER, num_valid_tokens=0)), "nothing is held out"),
        (run(5.0, state_rule="zero"), "not comparable"),
        (run(5.0, num_valid_tokens=50), "not comparable"),
    ],
)
def test_what_cannot_be_compared_is_not(made: Run, words: str) -> None:
    assert words in compare_with_baselines(made).words
    assert compare_with_baselines(made).marks == ()


def test_a_ladder_survives_strict_json() -> None:
    ladder = Ladder((Rung(1, math.inf, None), Rung(2, 3.5, math.inf)), 7, 0)
    text = json.dumps(ladder.to_dict(), allow_nan=False)
    assert Ladder.from_dict(json.loads(text)) == ladder


def test_the_passages_are_told_in_one_line() -> None:
    assert compare_with_baselines(run(29.0, 21.0, None, 11.0)).passages == (
        "passed: uniform (28.000) after epoch 2, unigram (22.000) after epoch 2,"
        " bigram (12.000) after epoch 4, best, 3-gram (8.000) not yet"
    )
    assert compare_with_baselines(run(None)).passages == ""
