"""The session: what a step keeps and what it makes meaningless."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_a_new_corpus_drops_what_was_made_of_the_old_one(trained: Notebook) -> None:
    trained.run("%%corpus other\nabc")
    session = trained.session
    assert session.corpus is not None
    assert session.corpus.name == "other"
    assert (session.vocab, session.batches) == (None, None)
    assert list(session.runs) == ["gru-1"]


def test_a_new_vocabulary_drops_the_minibatches(trained: Notebook) -> None:
    trained.run("%vocab --token word")
    assert trained.session.batches is None
    assert list(trained.session.runs) == ["gru-1"]


@pytest.mark.parametrize("line", ["%vocab", "%vocab --zipf", "%vocab --min-freq 1"])
def test_the_same_vocabulary_keeps_the_minibatches(trained: Notebook, line: str) -> None:
    batches = trained.session.batches
    assert batches is not None
    trained.run(line)
    assert trained.session.batches is batches


def test_a_run_writes_with_its_own_vocabulary(trained: Notebook) -> None:
    before = trained.run('%generate "the " --length 20')
    trained.run("%%corpus other\nABC")
    trained.run("%vocab")
    assert trained.run('%generate "the " --length 20').text == before.text


def test_runs_are_numbered(trained: Notebook) -> None:
    trained.run("%train_rnn --num-hiddens 8 --epochs 1")
    trained.run("%train_rnn --num-hiddens 8 --epochs 1 --cell rnn")
    assert list(trained.session.runs) == ["gru-1", "gru-2", "rnn-1"]


def test_a_name_used_again_keeps_the_older_runs(trained: Notebook) -> None:
    first = trained.session.runs["gru-1"]
    outs = [
        trained.printed(f"%train_rnn --num-hiddens 8 --epochs 1 --name gru-1 --seed {seed}")
        for seed in (1, 2)
    ]
    assert "the older run gru-1 is now called gru-1~1" in outs[0]
    assert "the older run gru-1 is now called gru-1~2" in outs[1]
    runs = trained.session.runs
    assert list(runs) == ["gru-1~1", "gru-1~2", "gru-1"]
    assert runs["gru-1~1"] is first
    assert [run.name for run in runs.values()] == list(runs)
    trained.run("%generate the --length 2 --run gru-1~1")


def test_reset_forgets_everything(trained: Notebook) -> None:
    trained.variables["mine"] = mine = object()
    status = trained.run("%rnn --reset")
    assert status.runs == []
    assert trained.session.corpus is None
    assert trained.session.runs == trained.session.jobs == {}
    assert trained.variables["mine"] is mine


def test_the_progress_can_be_switched_off(trained: Notebook) -> None:
    assert "  1/1  " in trained.printed("%train_rnn --num-hiddens 8 --epochs 1")
    trained.run("%config RNNMagics.progress = False")
    assert trained.printed("%train_rnn --num-hiddens 8 --epochs 1") == ""


@pytest.mark.parametrize("switch", [True, False])
def test_the_figure_can_be_switched_off(
    trained: Notebook, shown: list[dict[str, Any]], *, switch: bool
) -> None:
    trained.run(f"%config RNNMagics.figures = {switch}")
    trained.run("%train_rnn --num-hiddens 8 --epochs 2")
    assert ["image/png" in output["data"] for output in shown] == [True] * switch


def test_without_the_stream_the_text_comes_whole(
    trained: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.run("%config RNNMagics.stream = False")
    pieces: list[str] = []
    monkeypatch.setattr(sys.stdout, "write", pieces.append)
    text = trained.run("text = %generate the --length 9") or trained.variables["text"]
    assert f"{text}\n" in pieces


def test_config_lists_the_preferences(notebook: Notebook) -> None:
    listed = notebook.printed("%config RNNMagics")
    for name in ("progress", "figures", "stream"):
        assert f"RNNMagics.{name}=<Bool>" in listed
