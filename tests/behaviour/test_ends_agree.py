"""However a run ends, all that tells of it tells the same, and of the weights that it left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from rnn_magics.batching import Batches
from rnn_magics.digits import rounded
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.page.run_entry import ended_entry
from rnn_magics.notebook.show.status import KeptRuns
from rnn_magics.reports.comparison import best_score, compare_runs
from rnn_magics.reports.run_notes import run_notes
from rnn_magics.reports.run_payload import run_payload
from rnn_magics.reports.run_report import report_run
from rnn_magics.reports.seeds import SeedRuns
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.scores.evaluation import evaluate
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.run_folder import RunFolder, kept_runs
from rnn_magics.text.corpus import Corpus
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Evaluating, Event, StepEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

SMALL, CONFIG = ModelConfig(num_hiddens=6), TrainConfig(epochs=3, threads=1, lr=0.02)
Listener = Callable[[Event], None]
Act = Callable[[Run, TrainState, Job], None]


class StruckError(Exception):
    """Ends a training."""


def _limit(**limit: Any) -> Act:
    def act(run: Run, _state: TrainState, _job: Job) -> None:
        run.config = replace(run.config, train=replace(run.config.train, **limit))

    return act


def _stop(reason: str) -> Act:
    return lambda _run, _state, job: job.stop(reason)


def _spoil(run: Run, _state: TrainState, _job: Job) -> None:
    def spoil(gradient: Tensor) -> Tensor:
        return gradient * torch.nan

    run.model.output.weight.register_hook(spoil)


def _no_memory(run: Run, _state: TrainState, _job: Job) -> None:
    real = run.model.forward

    def forward(*_given: Any) -> Any:
        run.model.forward = real  # type: ignore[method-assign]
        raise MemoryError

    run.model.forward = forward  # type: ignore[assignment]


def _strike(_run: Run, _state: TrainState, _job: Job) -> None:
    raise StruckError


ACTS: dict[Ending, Act] = {
    Ending.EPOCHS: lambda _run, _state, _job: None,
    Ending.MAX_TIME: _limit(max_time=1e-9),
    Ending.MAX_TOKENS: _limit(max_tokens=1),
    Ending.STOPPED: _stop("stopped"),
    Ending.INTERRUPTED: _stop("interrupted"),
    Ending.NON_FINITE: _spoil,
    Ending.OUT_OF_MEMORY: _no_memory,
    Ending.FAILED: _strike,
}


class Trial:
    """A training that something happens to after a step, kept in a folder."""

    def __init__(self, folder: Path, batches: Batches, epoch: int, step: int) -> None:
        self.folder, self.batches, self.place = folder, batches, (epoch, step)
        self.run: Run | None = None

    def ended(self, act: Act, *, again: bool = False, every: str = "1 epoch") -> Run:
        """Train until `act` ends it; with `again`, `act` is repeated while the text is scored."""

        def drive(run: Run, state: TrainState, listeners: Sequence[Listener]) -> None:
            self.run = run

            def watch(event: Event) -> None:
                for listener in listeners:
                    listener(event)
                match event:
                    case StepEnd() if (event.epoch, event.step) == self.place:
                        act(run, state, job)
                    case Evaluating() if again and event.epoch == self.place[0]:
                        act(run, state, job)

            job = Job(run, state, watch=watch)
            try:
                for _ in job.follow():
                    pass
            except StruckError:
                pass

        watch = Checkpointing(str(self.folder), every=every)
        return train(self.batches, SMALL, CONFIG, name="trial", watch=watch, drive=drive)


@pytest.fixture(params=["held out", "nothing held out"])
def parts(request: pytest.FixtureRequest, batches: Batches) -> Batches:
    if request.param == "held out":
        return batches
    return Batches(batches.ids, batches.config, vocab=batches.vocab, corpus=batches.corpus)


def last_step(batches: Batches) -> int:
    return len(batches.plan(torch.Generator().manual_seed(0)))


def same_figures(run: Run, other: Run) -> None:
    assert other.history.to_dict() == run.history.to_dict()
    assert len({len(values) for values in run.history.to_dict().values()}) == 1
    assert (other.reason, other.message, other.steps, other.tokens) == (
        *(run.reason, run.message, run.steps, run.tokens),
    )
    assert other.scored == run.scored
    assert other.valid_perplexity == run.valid_perplexity
    assert run_payload(other)["epochs"] == run_payload(run)["epochs"]
    for mine, theirs in zip(run.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def is_told_of_the_weights(run: Run, batches: Batches) -> None:
    """Whatever is told of the held-out text belongs to the weights, or names its epoch."""
    texts = {
        "repr": repr(run),
        "notes": "\n".join(run_notes(run)),
        "report": repr(report_run(run)),
        "seeds": repr(SeedRuns((run,))),
    }
    payload, entry = run_payload(run), ended_entry(run)
    last = payload["epochs"][-1]["valid_nats"] if payload["epochs"] else None
    assert entry["valid_nats"] == last
    if not len(batches.valid):
        assert run.scored is run.valid_perplexity is last is None
        assert ("nothing held out" in texts["repr"]) == (len(run.history) > 0)
        return
    assert not any("nothing held out" in text for text in texts.values())
    if (best := best_score(run)) is not None:  # a comparison tells the best, and when it was
        words = f"perplexity {rounded(best.perplexity)} after epoch {best.epoch}"
        assert words in repr(compare_runs([run]))
    if run.valid_perplexity is not None:
        score = evaluate(run.model, batches.valid)
        assert run.valid_perplexity == pytest.approx(score.perplexity, rel=1e-6)
        assert last == pytest.approx(score.nats, rel=1e-6)
        figure = rounded(run.valid_perplexity)
        assert all(figure in text and f"{figure} after" not in text for text in texts.values())
    elif run.scored is not None:
        words = f"{rounded(run.scored.perplexity)} after epoch {run.scored.epoch}"
        assert all(words in texts[place] for place in ("repr", "seeds"))
        assert f"Held-out, after epoch {run.scored.epoch} perplexity" in texts["report"]
        assert texts["report"] in texts["notes"]


@pytest.mark.parametrize("every", ["1 epoch", "2 epochs", "1 step"])
@pytest.mark.parametrize("place", ["within the first epoch", "within the second", "at an end"])
@pytest.mark.parametrize("ending", ACTS)  # patience follows from scores: test_best_weights.py
def test_all_that_tells_of_a_run_tells_the_same(
    tmp_path: Path, parts: Batches, ending: Ending, place: str, every: str
) -> None:
    epoch = 2 if place == "within the second" else 1
    step = last_step(parts) if place == "at an end" else 3
    trial = Trial(tmp_path / "run", parts, epoch, step)
    run = trial.ended(ACTS[ending], every=every)
    assert run.reason == ending
    is_told_of_the_weights(run, parts)
    cannot_score = ending == Ending.OUT_OF_MEMORY and place == "at an end"
    if len(parts.valid) and ending != Ending.FAILED and not cannot_score:
        assert run.valid_perplexity is not None
    loaded, (kept,) = load_run(trial.folder), kept_runs(trial.folder)
    if ending == Ending.FAILED:  # the last checkpoint is what is left
        assert (loaded.reason, kept.state) == ("snapshot", "not ended")
        assert len({len(values) for values in loaded.history.to_dict().values()}) == 1
        is_told_of_the_weights(loaded, parts)
    else:
        same_figures(run, loaded)
        assert kept.state == ending
    assert (kept.epochs, kept.planned) == (len(loaded.history), 3)
    assert kept.train_perplexity == loaded.train_perplexity
    assert (kept.scored, kept.valid_perplexity) == (loaded.scored, loaded.valid_perplexity)
    assert str(kept.scored or "") in repr(KeptRuns([kept]))
    lines = RunFolder(trial.folder).lines()
    told = [line for line in lines if "epoch" in line]
    told += [line["cut_short"] for line in lines if "cut_short" in line]
    assert [line["train_perplexity"] for line in told] == run.history.train_perplexity
    assert [line["valid_perplexity"] for line in told] == run.history.valid_perplexity


def test_a_second_stop_leaves_the_score_out_and_every_place_says_so(
    tmp_path: Path, batches: Batches
) -> None:
    trial = Trial(tmp_path / "run", batches, 2, 3)
    run = trial.ended(ACTS[Ending.INTERRUPTED], again=True)
    assert (run.reason, len(run.history), run.valid_perplexity) == ("interrupted", 2, None)
    assert run.scored is not None
    assert not run.scored.is_present
    assert run.history.valid_perplexity[1] is None
    is_told_of_the_weights(run, batches)
    same_figures(run, load_run(trial.folder))
    (kept,) = kept_runs(trial.folder)
    assert f"{rounded(run.scored.perplexity)} after epoch 1" in repr(KeptRuns([kept]))
    assert "The weights have changed since" in repr(report_run(run))


def test_a_second_stop_in_the_first_epoch_leaves_no_score(tmp_path: Path, batches: Batches) -> None:
    run = Trial(tmp_path / "run", batches, 1, 3).ended(ACTS[Ending.STOPPED], again=True)
    assert run.scored is None
    assert "held-out text not scored" in repr(run)
    assert "The held-out text was not scored." in repr(report_run(run))
    is_told_of_the_weights(run, batches)


def test_a_checkpoint_within_an_epoch_says_after_which_its_text_was_scored(
    tmp_path: Path, batches: Batches
) -> None:
    trial = Trial(tmp_path / "run", batches, 2, 3)
    trial.ended(_strike, every="1 step")
    loaded = load_run(trial.folder)
    assert (loaded.steps, len(loaded.history)) == (last_step(batches) + 3, 1)
    assert loaded.valid_perplexity is None
    assert loaded.scored is not None
    assert f"{rounded(loaded.scored.perplexity)} after epoch 1" in repr(loaded)


@pytest.mark.parametrize("reason", ["interrupted", "non_finite", "max_tokens"])
def test_magics_tell_what_evaluation_finds(prepared: Notebook, tmp_path: Path, reason: str) -> None:
    batches = prepared.session.batches
    assert isinstance(batches, Batches)
    assert isinstance(prepared.session.corpus, Corpus)
    run = Trial(tmp_path / "run", batches, 2, 3).ended(ACTS[Ending.named(reason)])
    prepared.session.keep(run, None)  # type: ignore[arg-type]
    found = prepared.run("%evaluate_rnn")
    assert found == evaluate_text(run, prepared.session.corpus)
    assert run.valid_perplexity == pytest.approx(found.perplexity, rel=1e-6)
    figure = rounded(found.perplexity)
    row = prepared.run("%rnn").runs[-1]
    assert (row[3], row[5]) == ("2/3", figure)
    assert figure in repr(prepared.run(f"%rnn runs {tmp_path}"))
    loaded = prepared.run(f"%load_rnn {tmp_path / 'run'} --name loaded")
    assert loaded.valid_perplexity == run.valid_perplexity
