from __future__ import annotations

import math
from pathlib import Path

import pytest

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
    assert len(found) == 2
    assert found[0].part == "whole text"
    assert found[0].unk_share == pytest.approx(1 / 16)


def test_without_a_run_nothing_is_scored(prepared: Notebook) -> None:
    assert prepared.refused("%evaluate_rnn").startswith("no run yet")
