"""Progress: what is shown of a run while it trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.notebook.live import drive
from rnn_magics.notebook.live.progress import NotebookProgress, TerminalProgress
from rnn_magics.reports.run_notes import run_notes
from rnn_magics.reports.run_report import report_run
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Compiling, EpochEnd, Evaluating, Event, StepEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.run import Run

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

FIRST_LINE = (
    "tiny: gru, 8 hidden units, 1 layer, 1,098 parameters, engine compiled,"
    " on cpu (as asked), 1 thread (one core)"
)
CONFIG = TrainConfig(epochs=2, clip=0.34, device="cpu")  # which about half of the steps exceed


def follow(
    batches: Batches,
    make: Callable[[Run], Callable[[Event], None]],
    then: Callable[[Event], None] = lambda _event: None,
    config: TrainConfig = CONFIG,
) -> Run:
    """Train, and call `then` after the progress has taken in each event."""
    run, state = begin(batches, ModelConfig(num_hiddens=8), config, "tiny")
    progress = make(run)
    for event in iter_train(run, state):
        progress(event)
        then(event)
    return run


def numbers(run: Run, epoch: int) -> list[str]:
    """Return what must be told of an epoch."""
    h = run.history
    assert h.valid_perplexity[epoch] is not None
    return [
        f"{h.train_perplexity[epoch]:.3f}",
        f"{h.valid_perplexity[epoch]:.3f}",
        f"{h.tokens_per_second[epoch]:,.0f}",
        f"{h.grad_norm[epoch]:.3g}",
        f"{h.grad_norm_max[epoch]:.3g}",
        f"{h.clipped[epoch]:.0%}",
    ]


def test_a_terminal_gets_a_row_for_each_epoch_then_the_verdict_first(batches: Batches) -> None:
    lines: list[str] = []
    made: list[TerminalProgress] = []

    def make(run: Run) -> TerminalProgress:
        made.append(TerminalProgress(run, lines.append))
        return made[0]

    run = follow(batches, make)
    made[0].settle("the verdict")
    made[0].explain()
    first, head, *epochs, verdict, held_out, training, defined, also_defined = lines
    assert first.startswith(FIRST_LINE)
    assert head.split()[:3] == ["epoch", "train", "ppl"]
    assert len(epochs) == 2
    for epoch, line in enumerate(epochs):
        assert line.split()[0] == f"{epoch + 1}/2"
        assert len(line) == len(head)
        assert [number for number in numbers(run, epoch) if number not in line] == []
    assert 0 < run.history.clipped[0] < 1
    assert verdict == "the verdict"
    assert [held_out, training] == report_run(run).figures
    assert held_out.endswith(" per word")
    assert "exp of the mean" not in held_out + training
    assert defined.startswith("Held-out: exp of the mean over all 224 predicted tokens")
    assert also_defined.startswith("Training: exp of the mean over the last epoch")


def test_a_narrow_terminal_gets_the_columns_that_fit(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_magics.notebook.live.progress.terminal_width", lambda: 50)
    monkeypatch.setattr("rnn_magics.tables.terminal_width", lambda: 50)
    lines: list[str] = []
    follow(batches, lambda run: TerminalProgress(run, lines.append))
    _, head, first, second = lines
    assert head.split("  ") == ["epoch", "train ppl", "held-out ppl", " tokens/s"]
    assert max(map(len, "\n".join(lines).splitlines())) <= 50
    assert len(head) == len(first) == len(second)


@pytest.mark.parametrize("in_notebook", [False, True])
def test_compiling_is_said_before_it_is_done(
    batches: Batches,
    shown: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    in_notebook: bool,
) -> None:
    ready: list[bool] = []
    lines: list[str] = []
    monkeypatch.setattr(RNNModel, "is_ready", property(lambda _: bool(ready)))
    monkeypatch.setattr(RNNModel, "make_ready", lambda _: ready.append(True))

    def said(event: Event) -> None:
        if isinstance(event, Compiling):
            texts = shown[-1]["data"]["text/plain"] if in_notebook else lines[-1]
            assert texts.endswith("compiling the gru cell for this CPU, once (about 15 seconds)")
            assert not ready

    make = NotebookProgress if in_notebook else lambda run: TerminalProgress(run, lines.append)
    run = follow(batches, make, said)
    assert ready == [True]
    assert run.reason == "epochs"
    assert not in_notebook or "compiling" not in shown[-1]["data"]["text/plain"]


def test_the_bar_of_a_terminal_tells_the_perplexity_so_far(
    batches: Batches, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[TerminalProgress] = []
    bars: list[tuple[int, str]] = []

    def make(run: Run) -> TerminalProgress:
        made.append(TerminalProgress(run, lambda _line: None))
        return made[0]

    def look(event: Event) -> None:
        if isinstance(event, StepEnd):
            bar = made[0]._bar
            assert (bar.n, bar.total) == (event.step, event.num_steps)
            bars.append((event.step, bar.postfix))
        if isinstance(event, Evaluating):
            assert made[0]._bar.postfix == "scoring held-out text"
        if isinstance(event, EpochEnd):
            assert made[0]._bar is None

    run = follow(batches, make, look)
    assert len(bars) == 20
    assert bars[9] == (10, f"ppl {run.history.train_perplexity[0]:.3f}")
    assert "epoch 2/2:   0%|" in capsys.readouterr().err


def test_a_notebook_gets_one_output_that_is_rewritten(
    batches: Batches, shown: list[dict[str, Any]]
) -> None:
    texts: dict[type, list[str]] = {}
    run = follow(
        batches,
        NotebookProgress,
        lambda event: texts.setdefault(type(event), []).append(shown[-1]["data"]["text/plain"]),
    )
    assert [output["update"] for output in shown] == [False] + [True] * (len(shown) - 1)
    assert len({output["transient"]["display_id"] for output in shown}) == 1
    assert shown[0]["data"]["text/plain"].startswith(FIRST_LINE)
    last_of_epoch = texts[StepEnd][9]
    assert "epoch 1/2: 100%" in last_of_epoch
    assert last_of_epoch.endswith(f"ppl {run.history.train_perplexity[0]:.3f}]")
    assert texts[Evaluating][0].endswith("epoch 1: scoring held-out text")
    end = shown[-1]["data"]["text/plain"]
    assert [n for epoch in (0, 1) for n in numbers(run, epoch) if n not in end] == []
    assert "ended: all epochs done" in end
    assert "all 224 predicted tokens" in end


@pytest.mark.parametrize("in_notebook", [False, True])
def test_a_bar_tells_the_time_left_of_the_whole_training(
    batches: Batches, shown: list[dict[str, Any]], *, in_notebook: bool
) -> None:
    run, state = begin(batches, ModelConfig(num_hiddens=8), CONFIG, "tiny")
    progress = NotebookProgress(run) if in_notebook else TerminalProgress(run, lambda _line: None)
    first, second, *_ = (e for e in iter_train(run, state) if isinstance(e, StepEnd))
    for event, seconds, left in ((first, 3725.0, "1:02:05"), (second, 40.4, "00:40")):
        progress(replace(event, seconds_left=seconds))
        bar = shown[-1]["data"]["text/plain"] if in_notebook else str(progress._bar)
        assert f"[{left} left, " in bar


def test_the_middle_of_many_epochs_is_left_out(
    batches: Batches, shown: list[dict[str, Any]]
) -> None:
    follow(batches, NotebookProgress, config=TrainConfig(epochs=14, device="cpu"))
    end = shown[-1]["data"]["text/plain"]
    left = [line.split()[0] for line in end.splitlines() if line[:1].isdigit() or line[:1] == "."]
    assert left == ["1", "2", "3", "4", "5", "6", "...", "9", "10", "11", "12", "13", "14"]


@pytest.mark.parametrize("make", [NotebookProgress, TerminalProgress])
def test_a_run_that_cannot_go_on_says_why(
    batches: Batches,
    shown: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Run], Callable[[Event], None]],
) -> None:
    config = TrainConfig(optimizer="sgd", lr=1e38, clip=None, schedule="constant", device="cpu")
    run = follow(batches, make, config=config)
    said = capsys.readouterr().out + "".join(o["data"]["text/plain"] for o in shown)
    assert run.message in said
    assert "try --clip 1 or --lr 1e+37" in run.message


def test_a_failing_progress_ends_its_run(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, EpochEnd):
            msg = "cannot draw"
            raise ZeroDivisionError(msg)

    monkeypatch.setattr(drive, "progress_for", lambda _shell, _run: fail)
    with pytest.raises(ZeroDivisionError, match="cannot draw"):
        prepared.run("%train_rnn --num-hiddens 8 --epochs 1000000")
    job = prepared.session.jobs["gru-1"]
    job.wait(60)
    assert not job.is_alive
    prepared.run("%generate the --length 2")


def test_steering_is_told_with_the_numbers(trained: Notebook) -> None:
    run = trained.session.runs["gru-1"]
    run.steer(replace(run.config.train, lr=0.25, clip=None), 7)
    note = "Steered while it trained: learning rate 0.25 and no clip from step 8 on."
    assert note in run_notes(run)
    assert note in trained.rich(run)["text/html"]
