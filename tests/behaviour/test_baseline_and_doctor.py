"""%baseline and %rnn doctor: what stands beside a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_the_ladder_has_a_row_for_each_order(prepared: Notebook) -> None:
    prepared.run("ladder = %baseline --order 1-3")
    rows = list(prepared.variables["ladder"])
    assert [row.order for row in rows] == [1, 2, 3]
    assert rows[2].valid_perplexity < rows[1].valid_perplexity < rows[0].valid_perplexity
    shown = prepared.rich(prepared.variables["ladder"])["text/plain"]
    for row in rows:
        assert f"{row.valid_perplexity:.3f}" in shown
        assert f"{row.train_perplexity:.3f}" in shown
    verdict, *_, best = shown.splitlines()
    assert best.endswith("<- best")
    assert verdict.startswith("the best is the 3-gram: held-out perplexity ")
    assert verdict.endswith(" bits per byte")


def test_the_explained_ladder_is_the_same(prepared: Notebook) -> None:
    with prepared.unchanged():
        source = prepared.printed("%baseline --order 2 --explain")
    plain: dict[str, Any] = {
        "corpus": prepared.session.corpus,
        "vocab": prepared.session.vocab,
    }
    exec(source, plain)
    assert list(plain["ladder"]) == list(prepared.run("%baseline --order 2"))


@pytest.mark.parametrize("order", ["0", "3-1", "1-99", "x", "1-", "-1", "''"])
def test_an_order_that_makes_no_sense_is_refused(prepared: Notebook, order: str) -> None:
    assert "order must be a number or a range from 1 to 12, such as 3 or 1-6" in prepared.refused(
        f"%baseline --order {order}"
    )


def test_a_ladder_needs_a_vocabulary(notebook: Notebook) -> None:
    assert notebook.refused("%baseline").startswith("no corpus yet")
    notebook.run("%%corpus\nabc")
    assert notebook.refused("%baseline").startswith("no vocabulary yet")


def test_the_doctor_finds_nothing_in_a_sound_model(trained: Notebook) -> None:
    with trained.unchanged():
        shown = repr(trained.run("_ = %rnn doctor\n_"))
    assert "PROBLEM" not in shown
    assert "ok       streaming" in shown


def test_the_doctor_says_that_a_bidirectional_model_sees_the_future(prepared: Notebook) -> None:
    prepared.run("%train_rnn --bidirectional --num-hiddens 8 --epochs 1")
    assert "PROBLEM  future: a bidirectional model" in repr(prepared.run("%rnn doctor gru-1"))


def test_the_doctor_needs_a_run_and_its_vocabulary(trained: Notebook) -> None:
    assert trained.refused("%rnn doctor gru-9").startswith("no run 'gru-9'; did you mean 'gru-1'?")
    trained.run("%vocab --token word")
    assert trained.refused("%rnn doctor").startswith("no minibatches yet")
    trained.run("%sample --batch-size 2 --num-steps 3")
    assert "have different vocabularies" in trained.refused("%rnn doctor")


def test_the_doctor_looks_at_a_copy_of_a_run_that_trains(prepared: Notebook) -> None:
    run = prepared.run("%train_rnn --num-hiddens 8 --epochs 1000000 --background")
    assert "PROBLEM" not in repr(prepared.run("%rnn doctor"))
    assert run.reason is None
