"""%train_rnn --seeds: one run after the other, and how far they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.live import drive
from rnn_magics.reports.seeds import Spread
from rnn_magics.reports.texts import evaluate_text
from tests.notebook.conftest import TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_each_seed_is_a_run_of_the_session(prepared: Notebook) -> None:
    runs = prepared.run(f"{TRAIN} --seeds 2 --seed 7")
    assert list(prepared.session.runs) == ["gru-1-seed-7", "gru-1-seed-8"]
    assert list(prepared.session.runs.values()) == list(runs)
    assert [run.config.train.seed for run in runs] == [7, 8]
    assert all(run.ladder is not None for run in runs)
    assert f"held-out perplexity {runs.valid}" in prepared.rich(runs)["text/plain"]
    words = Spread.of([evaluate_text(run, prepared.session.corpus).word_perplexity for run in runs])
    assert f"held-out perplexity per word {words}" in repr(runs)
    assert repr(runs).endswith("state carried, 0.00% of the tokens read as <unk>")


def test_the_next_runs_have_a_number_of_their_own(prepared: Notebook) -> None:
    prepared.run(f"{TRAIN} --seeds 1")
    prepared.run(f"{TRAIN} --seeds 1")
    prepared.run(TRAIN)
    assert list(prepared.session.runs) == ["gru-1-seed-0", "gru-2-seed-0", "gru-3"]


def test_a_name_stands_before_each_seed(prepared: Notebook) -> None:
    prepared.run(f"{TRAIN} --seeds 2 --name mine")
    assert list(prepared.session.runs) == ["mine-seed-0", "mine-seed-1"]


def test_the_explained_call_trains_the_same(prepared: Notebook) -> None:
    with prepared.unchanged():
        source = prepared.printed(f"{TRAIN} --seeds 2 --explain")
    plain: dict[str, Any] = {"batches": prepared.session.batches}
    exec(source, plain)
    assert repr(plain["runs"]) == repr(prepared.run(f"{TRAIN} --seeds 2"))


def test_an_interrupt_ends_the_whole_series(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def interrupting(_shell: Any, run: Any) -> Any:
        def progress(_event: Any) -> None:
            if run.name.endswith("-1") and run.name not in begun:
                begun.append(run.name)
                raise KeyboardInterrupt

        progress.settle = lambda _verdict: None  # type: ignore[attr-defined]
        progress.explain = lambda: None  # type: ignore[attr-defined]
        return progress

    monkeypatch.setattr(drive, "progress_for", interrupting)
    printed = prepared.printed(f"{TRAIN} --epochs 50 --seeds 4")
    assert list(prepared.session.runs) == ["gru-1-seed-0", "gru-1-seed-1"]
    assert prepared.session.runs["gru-1-seed-1"].reason == "interrupted"
    assert "gru-1-seed-1 ended early: 2 of 4 seeds were started" in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--seeds 2 --background", "leave --background out"),
        ("--seeds 2 --checkpoint kept", "leave --checkpoint out"),
        ("--resume kept --seeds 2", "leave --seeds out"),
        ("--seeds 0", "--seeds must be at least 1, not 0"),
        ("--seeds 2 --seed 18446744073709551615", "seed must be"),
    ],
)
def test_what_does_not_go_with_seeds_is_refused(
    prepared: Notebook, options: str, words: str
) -> None:
    assert words in prepared.refused(f"%train_rnn {options}")
