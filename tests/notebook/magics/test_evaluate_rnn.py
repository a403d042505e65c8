from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.notebook.conftest import TRAIN, Notebook


def test_the_sessions_held_out_text_scores_as_the_run_did(prepared: Notebook) -> None:
    run = prepared.run(TRAIN)
    found = prepared.run("%evaluate_rnn")
    assert found.perplexity == pytest.approx(run.valid_perplexity, rel=1e-5)
    nats = found.score.nats * found.score.num_tokens
    assert math.log(found.word_perplexity) == pytest.approx(nats / found.num_words)


def test_all_runs_against_a_file(prepared: Notebook, tmp_path: Path) -> None:
    prepared.run(TRAIN)
    prepared.run(TRAIN)
    path = tmp_path / "other.txt"
    path.write_text("the eyes \N{GREEK SMALL LETTER PHI} shone", encoding="utf-8")
    found = prepared.run(f"%evaluate_rnn {path} --run all")
    assert [[cell.run for cell in row] for row in found.rows] == [["gru-1"], ["gru-2"]]
    assert found[0].part == "whole text"
    assert found[0].unk_share == pytest.approx(1 / 16)
    assert prepared.rich(found)["text/plain"] == repr(found)


def test_without_a_run_nothing_is_scored(prepared: Notebook) -> None:
    assert prepared.refused("%evaluate_rnn").startswith("no run yet")


def test_a_run_against_two_files_is_a_row(trained: Notebook, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the grey eyes", encoding="utf-8")
    (tmp_path / "b.txt").write_text("and twinkled", encoding="utf-8")
    found = trained.run(f"%evaluate_rnn {tmp_path / 'a.txt'} {tmp_path / 'b.txt'}")
    assert [len(row) for row in found.rows] == [2]


def test_a_named_text_is_scored_without_a_corpus(trained: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("the eyes shone", encoding="utf-8")
    before = trained.run(f"%evaluate_rnn {path}")
    trained.run(f"%save_rnn {tmp_path / 'kept'}")
    trained.run("_ = %rnn --reset")
    trained.run(f"_ = %load_rnn {tmp_path / 'kept'}")
    printed = trained.printed(f"%evaluate_rnn {path}")
    assert printed == ""  # the run knows that its text was not cleaned
    assert trained.run(f"%evaluate_rnn {path}").perplexity == pytest.approx(before.perplexity)
    assert trained.refused("%evaluate_rnn").startswith("no corpus yet")


def test_tokens_that_the_run_does_not_read_are_refused(trained: Notebook) -> None:
    trained.variables["series"] = list(range(50))
    trained.run("%corpus --data series")
    assert "'gru-1' reads text (char tokens)" in trained.refused("%evaluate_rnn")


def test_the_explained_matrix_is_the_same(trained: Notebook, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the grey eyes", encoding="utf-8")
    (tmp_path / "b.txt").write_text("and twinkled", encoding="utf-8")
    cell = f"%evaluate_rnn {tmp_path / 'a.txt'} {tmp_path / 'b.txt'}"
    with trained.unchanged():
        source = trained.printed(f"{cell} --explain")
    plain: dict[str, Any] = {"run": trained.session.runs["gru-1"]}
    exec(source, plain)
    assert list(plain["evaluations"]) == list(trained.run(cell))


def test_a_run_is_mixed_with_counts_of_its_text(trained: Notebook) -> None:
    alone = trained.run("%evaluate_rnn")
    found = trained.run("%evaluate_rnn --ngram 3")
    assert found.run.perplexity == pytest.approx(alone.perplexity, rel=1e-6)
    assert [row.run for row in found.rows] == ["gru-1", "3-gram", "gru-1 + 3-gram"]
    assert trained.rich(found)["text/plain"] == repr(found)


def test_a_run_adapts_to_what_it_reads(trained: Notebook, tmp_path: Path) -> None:
    alone = trained.run("%evaluate_rnn")
    before = [weight.clone() for weight in trained.session.runs["gru-1"].model.parameters()]
    line = "%evaluate_rnn --dynamic --dynamic-lr 0.02 --cache 50 --ngram 3"
    found = trained.run(line)
    assert found.run.perplexity == pytest.approx(alone.perplexity, rel=1e-6)
    assert found.learning.perplexity < alone.perplexity
    named = ["gru-1, learning", "cache of 50", "3-gram"]
    assert [row.run for row in found.rows] == ["gru-1", named[0], "3-gram", " + ".join(named)]
    forms = trained.rich(found)
    assert forms["text/plain"] == repr(found)
    for told in ("bits per byte", named[0], "takes a step behind each 20 tokens", "the weights"):
        assert told in forms["text/plain"]
        assert told in forms["text/html"]
    after = trained.session.runs["gru-1"].model.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    text = tmp_path / "other.txt"
    text.write_text("the time traveller came back")
    assert trained.run(f"%evaluate_rnn {text} --dynamic --cache 5").run.part == "whole text"


def test_what_is_explained_adapts_alike(trained: Notebook) -> None:
    line = "%evaluate_rnn --dynamic --dynamic-steps 9 --cache 50 --ngram 3"
    with trained.unchanged():
        printed = trained.printed(f"{line} --explain")
    for told in ("step behind segment", "cache of the states", "mixture of the models", "(50, 8)"):
        assert told in printed
    plain: dict[str, Any] = {"run": trained.session.runs["gru-1"], "corpus": trained.session.corpus}
    exec(printed, plain)
    assert repr(plain["evaluation"]) == repr(trained.run(line))


def test_a_model_that_sees_the_future_does_not_adapt(prepared: Notebook) -> None:
    prepared.run("%train_rnn --bidirectional --num-hiddens 4 --epochs 1")
    for ways in ("--dynamic", "--cache 9", "--ngram 2"):
        said = prepared.refused(f"%evaluate_rnn {ways}")
        assert said.startswith("run 'gru-1' is bidirectional: it sees each token before")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%evaluate_rnn time_machine --ngram 3", "leave TEXT out, and name one --run"),
        ("%evaluate_rnn --run all --ngram 3", "leave TEXT out, and name one --run"),
        ("%evaluate_rnn --ngram 99", "order of an n-gram model must be from 1 to 12, not 99"),
        ("%evaluate_rnn --ngram seven", "--ngram"),
        ("%evaluate_rnn time_machine --ngram 3 --dynamic", "leave TEXT out, and name one --run"),
        ("%evaluate_rnn --run all --dynamic", "are for one run and one text; name one of each"),
        ("%evaluate_rnn a.txt b.txt --cache 9", "are for one run and one text; name one of each"),
        ("%evaluate_rnn --cache 0", "--cache must be in [1, 100000], not 0"),
        ("%evaluate_rnn --dynamic --dynamic-lr 0", "--dynamic-lr must be above 0, not 0.0"),
        ("%evaluate_rnn --dynamic --dynamic-lr 1e38", "try a smaller --dynamic-lr"),
    ],
)
def test_what_cannot_be_mixed_is_refused_in_a_line(trained: Notebook, line: str, said: str) -> None:
    trained.run(TRAIN)
    with trained.unchanged():
        assert said in trained.refused(line)
