from __future__ import annotations

import threading
from typing import Any

import pytest

from rnn_magics.notebook.live import drive
from rnn_magics.notebook.live.dashboard import _lines
from rnn_magics.notebook.live.progress import NotebookProgress
from rnn_magics.notebook.show.runs import epoch_rows, run_table
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.scores.ladder import Ladder, Rung, fit_ladder
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.run import Run
from tests.notebook.conftest import Notebook

TRAIN = "%train_rnn --num-hiddens 8 --epochs 1 --seed 3"


def test_a_run_has_the_ladder_of_its_split_and_says_where_it_stands(
    prepared: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = prepared.run(TRAIN), prepared.run(TRAIN)
    assert first.ladder is second.ladder is not None
    assert first.ladder.num_valid_tokens == first.num_valid_tokens - 1
    assert "held-out perplexity" in capsys.readouterr().out


def test_without_it_the_same_seed_gives_the_same_run(prepared: Notebook) -> None:
    plain, compared = prepared.run(f"{TRAIN} --no-baseline"), prepared.run(TRAIN)
    assert plain.ladder is None
    assert plain.history.train_perplexity == compared.history.train_perplexity


@pytest.fixture
def passing(prepared: Notebook) -> Run:
    """A run of two epochs, the first of which passes two of its baselines and the second none."""
    run = prepared.run("%train_rnn --num-hiddens 8 --epochs 2 --no-baseline")
    first = max(run.history.valid_perplexity)
    run.history.valid_perplexity[:] = [first, first + 0.5]
    rungs = (Rung(1, 9.0, first + 1), Rung(2, 3.0, first - 1), Rung(3, 2.0, first - 2))
    run.ladder = Ladder(rungs, len(run.vocab), run.num_valid_tokens - 1)
    return run


def test_each_baseline_is_a_row_of_the_table(passing: Run) -> None:
    head, rows = run_table(passing)
    assert head[-1] == "baselines passed"
    assert [row[-1] for row in rows[:2]] == ["uniform; unigram", ""]
    first = passing.history.valid_perplexity[0]
    assert first is not None
    told = [(row[0], row[2], row[-1]) for row in rows[2:]]
    assert told == [
        ("uniform", f"{len(passing.vocab or ()):.3f}", "passed after epoch 1"),
        ("unigram", f"{first + 1:.3f}", "passed after epoch 1"),
        ("bigram", f"{first - 1:.3f}", "not passed"),
        ("best, 3-gram", f"{first - 2:.3f}", "not passed"),
    ]
    assert {len(row) for row in (head, *rows)} == {len(head)}


def test_without_baselines_the_table_is_that_of_the_epochs(passing: Run) -> None:
    passing.ladder = None
    assert run_table(passing)[1] == epoch_rows(passing)


def test_what_a_saved_notebook_keeps_has_the_rows(passing: Run, prepared: Notebook) -> None:
    forms = _lines(passing)
    plain, rich = forms["text/plain"], forms["text/html"]
    for text in (plain, rich, prepared.rich(passing)["text/html"]):
        assert "best, 3-gram" in text
        assert "passed after epoch 1" in text
        assert "not passed" in text


def test_a_terminal_gets_a_line_for_each_baseline(prepared: Notebook) -> None:
    printed = prepared.printed(TRAIN)
    for mark in compare_with_baselines(prepared.session.runs["gru-1"]).marks:
        assert f"  {mark}\n" in printed
    assert "  unigram " in printed


@pytest.mark.parametrize("background", ["", " --background"])
def test_a_notebook_without_live_views_gets_the_rows(
    prepared: Notebook,
    shown: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    background: str,
) -> None:
    over = threading.Event()

    def late(corpus: Corpus, vocab: Vocab) -> Ladder:
        assert over.wait(60)
        return fit_ladder(corpus, vocab)

    class Watched(NotebookProgress):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if isinstance(event, TrainEnd):
                over.set()

    monkeypatch.setattr("rnn_magics.notebook.session.desk.has_kernel", lambda _shell: True)
    monkeypatch.setattr(drive, "progress_for", lambda _shell, run: Watched(run))
    # The baselines come when the run is over, as they do where the text is long.
    monkeypatch.setattr("rnn_magics.scores.ladder.fit_ladder", late)
    prepared.run("%config RNNMagics.live = False")
    run = prepared.run(TRAIN + background)
    prepared.session.jobs[run.name].wait()
    for thread in threading.enumerate():
        if thread.name in ("baselines", "baselines shown"):
            thread.join()
    texts = [o["data"].get("text/plain", "") for o in shown]
    last = [text for text in texts if "ended: all epochs done" in text][-1]
    table = last.split("\n")
    assert any(line.startswith("unigram  ") for line in table)
    assert any(line.endswith(("not passed", "passed after epoch 1")) for line in table)
