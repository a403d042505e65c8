"""Runs in the background, and interrupts: the shell stays usable and the model whole."""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rnn_magics.notebook.live import drive
from rnn_magics.training import job as job_module
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.job import Job
from rnn_magics.training.run import Run

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

ENDLESS = "%train_rnn --num-hiddens 8 --epochs 1000000"
PATIENCE = 60  # seconds until a test gives up; nothing waits so long when it works


class Background:
    """A notebook with an endless run in the background."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.run: Run = notebook.run(f"{ENDLESS} --background")
        self.job: Job = notebook.session.jobs["gru-1"]

    def steps(self) -> int:
        return self.job.between_steps(lambda: self.job._state.total_steps)

    def let_it_train(self) -> None:
        """Wait until it is a step further."""
        before = self.steps()
        while self.steps() == before:
            pass

    def weights(self) -> torch.Tensor:
        return self.job.between_steps(lambda: weights_of(self.run))


def weights_of(run: Run) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in run.model.parameters()])


@pytest.fixture
def background(prepared: Notebook) -> Background:
    return Background(prepared)


def test_the_cell_returns_while_the_run_goes_on(background: Background) -> None:
    assert background.run.reason is None
    assert background.job.is_alive
    background.let_it_train()
    status = background.notebook.run("%rnn")
    assert status.runs[0][:3] == ("gru-1", "gru, 8 hidden units, 1 layer", "training")


def test_stop_ends_it_with_a_usable_model(background: Background) -> None:
    background.let_it_train()
    status = background.notebook.run("%rnn stop")
    assert not background.job.is_alive
    assert background.run.reason == "stopped"
    assert status.runs[0][2] == "stopped"
    assert len(background.run.history) >= 1
    assert torch.isfinite(weights_of(background.run)).all()
    assert not background.run.model.training
    background.notebook.run("%generate the --length 3")
    background.notebook.run("%train_rnn --num-hiddens 8 --epochs 1")


def test_a_paused_run_takes_no_step_until_it_is_resumed(background: Background) -> None:
    status = background.notebook.run("%rnn pause gru-1")
    assert status.runs[0][2] == "paused"
    before = background.steps()
    assert background.steps() == before
    status = background.notebook.run("%rnn resume")
    assert status.runs[0][2] == "training"
    background.let_it_train()


def test_a_paused_run_can_be_stopped(background: Background) -> None:
    background.notebook.run("%rnn pause")
    background.notebook.run("%rnn stop gru-1")
    assert background.run.reason == "stopped"


@pytest.mark.parametrize(
    ("cell", "magic"),
    [
        ("%train_rnn", "%train_rnn"),
        ("%train_rnn --background", "%train_rnn"),
        ("%corpus", "%corpus"),
        ("%%corpus\nabc", "%corpus"),
        ("%vocab", "%vocab"),
        ("%sample", "%sample"),
    ],
)
def test_what_would_disturb_it_has_to_wait(background: Background, cell: str, magic: str) -> None:
    background.notebook.run("%rnn pause")  # so that the session can be compared
    background.steps()
    assert background.notebook.refused(cell) == (
        f"{magic} has to wait: run 'gru-1' is training; end it with %rnn stop gru-1"
    )


@pytest.mark.parametrize("magic", ["%corpus", "%vocab", "%sample", "%train_rnn"])
def test_what_has_to_wait_can_be_explained_meanwhile(background: Background, magic: str) -> None:
    assert "from rnn_magics import" in background.notebook.printed(f"{magic} --explain")
    assert background.job.is_alive


def test_generation_reads_a_snapshot(background: Background) -> None:
    background.notebook.run("%rnn pause")
    first = background.notebook.run("%generate the --length 20 --seed 3")
    before = background.weights()
    background.notebook.run("%rnn resume")
    background.let_it_train()
    assert not torch.equal(background.weights(), before)
    background.notebook.run("%generate the --length 20")
    background.notebook.run("%generate --score 'the time'")
    background.notebook.run("%rnn pause")
    background.notebook.run("%rnn stop")
    assert background.run.model.output.weight.isfinite().all()
    assert first.text.startswith("the")


def test_generating_does_not_change_what_is_learnt(prepared: Notebook) -> None:
    line = "%train_rnn --num-hiddens 8 --epochs 4 --dropout 0.2"
    alone = prepared.run(line)
    watched = prepared.run(f"{line} --background")
    for seed in range(5):
        prepared.run(f"%generate the --length 5 --seed {seed}")
    prepared.session.jobs[watched.name].wait(PATIENCE)
    assert watched.history.train_perplexity == alone.history.train_perplexity


def test_an_older_run_can_write_meanwhile(trained: Notebook) -> None:
    text = trained.run("%generate the --length 9")
    trained.run(f"{ENDLESS} --background --name second")
    assert trained.run("%generate the --length 9 --run gru-1").text == text.text


def test_reset_stops_it(background: Background) -> None:
    background.notebook.run("%rnn --reset")
    background.job.wait(PATIENCE)
    assert background.run.reason == "stopped"


def test_the_error_of_a_worker_is_shown_by_rnn(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> Iterator[Event]:
        msg = "out of\nmemory \x1b[31m"
        raise MemoryError(msg)

    with monkeypatch.context() as broken:
        broken.setattr(job_module, "iter_train", fail)
        run = prepared.run("%train_rnn --background")
        prepared.session.jobs[run.name].wait(PATIENCE)
    assert run.reason == "failed"
    shown = prepared.rich(prepared.run("%rnn"))["text/plain"]
    assert "failed" in shown
    assert "MemoryError: out of\\nmemory \\x1b[31m" in shown
    again = prepared.run("%train_rnn --num-hiddens 8 --epochs 1")
    assert again.reason == "epochs"


def test_the_error_of_a_worker_is_raised_in_a_waiting_cell(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> Iterator[Event]:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(job_module, "iter_train", fail)
        with pytest.raises(ZeroDivisionError):
            prepared.run("%train_rnn --num-hiddens 8")
    assert prepared.session.runs["gru-1"].reason == "failed"
    assert prepared.run("%train_rnn --num-hiddens 8 --epochs 1").reason == "epochs"


def interrupting(after: int) -> Callable[[Any, Any], Callable[[Event], None]]:
    """Return a progress in whose midst the user interrupts, once."""

    def make(_shell: Any, _run: Any) -> Callable[[Event], None]:
        heard = 0

        def listen(event: Event) -> None:
            nonlocal heard
            heard += isinstance(event, StepEnd)
            if heard == after:
                heard += 1
                _thread.interrupt_main()

        listen.settle = lambda _verdict: None  # type: ignore[attr-defined]
        listen.explain = lambda: None  # type: ignore[attr-defined]
        return listen

    return make


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupt_ends_the_run_and_not_the_notebook(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(drive, "progress_for", interrupting(after))
    run = prepared.run(ENDLESS)  # neither KeyboardInterrupt nor an error
    assert run.reason == "interrupted"
    assert len(run.history) >= 1
    assert torch.isfinite(weights_of(run)).all()
    prepared.run("%generate the --length 3")
