"""``%evaluate_rnn`` and ``%baseline``: errors of a series ahead, answers of a task by distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.notebook.conftest import TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

X = np.sin(np.arange(2000) / 5)


def prepared(notebook: Notebook, corpus: str) -> Notebook:
    notebook.variables.update(x=X, y=X[:900] * 1.1)
    notebook.run("%config RNNMagics.figures = False")
    for line in (corpus, "%vocab", "%sample --num-steps 8", TRAIN):
        notebook.run(line)
    return notebook


@pytest.fixture
def waves(notebook: Notebook) -> Notebook:
    return prepared(notebook, "%corpus --data x --levels 9")


@pytest.fixture
def copies(notebook: Notebook) -> Notebook:
    return prepared(notebook, "%corpus task:copy --length 3 --examples 300")


def test_the_errors_of_a_run_stand_beside_those_of_the_rules(waves: Notebook) -> None:
    ladder, found = waves.run("%baseline --order 1-2"), waves.run("%evaluate_rnn")
    assert found.further.rows[1:] == ladder.series.rows
    names = ["gru-1", "mean", "persistence", "linear, 4 values"]
    assert [row.name for row in found.further.rows] == names
    for thing, first in ((found, "gru-1"), (ladder, "mean")):
        forms = waves.rich(thing)
        for form in (forms["text/plain"], forms["text/html"]):
            assert all(word in form for word in ("64 ahead", "persistence", first))
    assert waves.run("%baseline --lags 16").series["linear, 16 values"].errors[1] < 0.1
    assert waves.run("%baseline --order 1-2") == ladder


def test_lags_are_for_series(copies: Notebook) -> None:
    said = "--lags is for a series of numbers, and 'task:copy' is none; leave it out"
    assert copies.refused("%baseline --lags 3") == said
    assert copies.run("%baseline --order 1").series is None


def test_too_many_lags_are_refused(notebook: Notebook) -> None:
    prepared(notebook, "%corpus --data x --levels 9 --max-tokens 1000 --valid 0.1")
    said = "the training part has 900 values; a linear model of the last 450 needs at least 901"
    assert notebook.refused("%baseline --order 1 --lags 450").startswith(said)
    assert notebook.refused("%baseline --lags 0") == "--lags must be in [1, 1000], not 0"


def test_another_series_is_read_in_the_levels_of_the_run(waves: Notebook) -> None:
    printed = waves.printed("%evaluate_rnn --data y --valid 0.5")
    assert printed.startswith("read as the text of run 'gru-1' was: in 9 uniform levels from -")
    found = waves.run("%evaluate_rnn --data y --valid 0.5")
    assert (found.part, found.unk_share) == ("held-out part", 0)
    assert found.further is not None
    assert waves.run("%evaluate_rnn --data y").part == "whole text"
    said = "a run reads a series in its own 9 levels; leave --levels out, or add --as-is"
    assert waves.refused("%evaluate_rnn --data y --levels 5") == said
    assert waves.run("%evaluate_rnn --data y --levels 5 --as-is").further is None
    waves.variables["y"] = [1.0, None, 2.0]
    assert waves.refused("%evaluate_rnn --data y").startswith("'y': element 1 is a gap")


def test_the_answers_of_a_task_are_told_by_distance(copies: Notebook) -> None:
    found = copies.run("%evaluate_rnn")
    assert [each.distance for each in found.further.by_distance] == ["7", "8", "9"]
    forms = copies.rich(found)
    for form in (forms["text/plain"], forms["text/html"]):
        assert "knowing the rule of copy: perplexity" in form
        assert "tokens back" in form
    longer = copies.run("%evaluate_rnn task:copy --length 6 --examples 40")
    assert longer.further.by_distance[-1].distance == "12"
    assert longer.part == "whole text"
    both = copies.run("%evaluate_rnn task:copy task:parity --examples 40")
    assert [each.text for each in both] == ["task:copy", "task:parity"]


def test_explain_makes_the_same_evaluation(copies: Notebook) -> None:
    printed = copies.printed("%evaluate_rnn task:copy --examples 40 --explain")
    names = {"run": copies.session.runs["gru-1"]}
    exec(printed, names)
    assert names["evaluation"] == copies.run("%evaluate_rnn task:copy --examples 40")
