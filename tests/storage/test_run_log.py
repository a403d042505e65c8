"""The log of a folder in which one training wrote, or several."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_magics.batching import Batches
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.show.status import KeptRuns
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.storage.run_folder import KeptRun, RunFolder, kept_runs
from rnn_magics.storage.run_log import is_of_one_run, lines_in_words
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin, iter_train

MODEL, TRAIN = ModelConfig(num_hiddens=4), TrainConfig(epochs=3, threads=1)
Line = dict[str, Any]
SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def trained(
    batches: Batches, folder: Path, stop_after: int = 10**6, config: TrainConfig = TRAIN
) -> Path:
    """Train, keep the run, and interrupt it after some steps; only once in a folder."""
    if not folder.exists():
        run, state = begin(batches, MODEL, config, "gru-1")
        keep = Checkpointing(str(folder))(run, state)
        for event in iter_train(
            run, state, lambda: "interrupted" if state.total_steps >= stop_after else None
        ):
            keep(event)
    return folder


@pytest.fixture
def folders(batches: Batches, tmp_path: Path) -> dict[str, Path]:
    """One run in two kernels: it ended as planned in one; in another in the second epoch."""
    trained(batches, tmp_path / "finished")
    trained(batches, tmp_path / "interrupted", stop_after=14)
    return {name: tmp_path / name for name in ("finished", "interrupted")}


def log_of(folder: Path) -> list[str]:
    return (folder / "history.jsonl").read_text().splitlines()


def mixed(target: Path, order: Sequence[bool], main: Path, other: Path) -> Path:
    """Make a folder with all checkpoints of both, and their logs in this order."""
    shutil.rmtree(target, ignore_errors=True)
    for source in (other, main):
        shutil.copytree(source, target, dirs_exist_ok=True)
    for path in list(RunFolder(target).steps.values())[2:]:  # as the training keeps them
        path.unlink()
    logs = iter(log_of(main)), iter(log_of(other))
    lines = [next(logs[of_other]) for of_other in order]
    (target / "history.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return target


def orders(main: Path, other: Path) -> st.SearchStrategy[list[bool]]:
    lines = [False] * len(log_of(main)) + [True] * len(log_of(other))
    return st.permutations(lines)


def assert_tells(kept: KeptRun, folder: Path, others: list[str]) -> None:
    """Check that a summary is that of the run in the folder and names the lines of others."""
    run = load_run(folder)
    assert kept.state == str(run.reason)
    assert (kept.epochs, kept.planned) == (len(run.history), 3)
    assert (kept.train_perplexity, kept.valid_perplexity) == (
        run.train_perplexity,
        run.valid_perplexity,
    )
    log = log_of(folder)
    numbers = [number for number, line in enumerate(log, start=1) if line in others]
    assert kept.note.startswith(f"{lines_in_words(numbers)} of history.jsonl ")
    assert "another training wrote there, too" in kept.note
    assert kept.note in repr(KeptRuns([kept]))
    assert not kept.trouble


@given(data=st.data())
@SLOW
def test_any_two_trainings_in_one_folder_are_told_apart(
    folders: dict[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    finished, other = folders["finished"], folders["interrupted"]
    folder = mixed(tmp_path / "m", data.draw(orders(finished, other)), finished, other)
    (kept,) = kept_runs(folder)
    assert kept.state == "epochs"
    assert_tells(kept, folder, log_of(other))


@given(data=st.data())
@SLOW
def test_also_where_both_came_to_the_end(
    batches: Batches, folders: dict[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    finished, other = folders["finished"], trained(batches, tmp_path / "other")
    folder = mixed(tmp_path / "m", data.draw(orders(finished, other)), finished, other)
    (kept,) = kept_runs(folder)
    assert kept.state == "epochs"
    assert kept.epochs == 3
    # Both ended alike, with equal lines, so the last one is taken for its own.
    others = Counter(log_of(other))
    log = log_of(folder)
    assert "end" in log_of(other)[-1]
    first_end = next(place for place, line in enumerate(log) if "end" in line)
    numbers = [n for n, line in enumerate(log, 1) if others[line] and "end" not in line]
    numbers = sorted([*numbers, first_end + 1])
    assert kept.note.startswith(f"{lines_in_words(numbers)} of history.jsonl ")


@given(data=st.data())
@SLOW
def test_a_folder_that_was_shared_goes_on_as_the_run_in_it(
    batches: Batches, folders: dict[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    stopped = folders["interrupted"]
    early = trained(batches, tmp_path / "early", 12, replace(TRAIN, seed=3))
    folder = mixed(tmp_path / "m", data.draw(orders(stopped, early)), stopped, early)
    (kept,) = kept_runs(folder)
    assert_tells(kept, folder, log_of(early))
    run = resume_run(folder, batches)
    alone = resume_run(shutil.copytree(stopped, tmp_path / "alone", dirs_exist_ok=True), batches)
    shutil.rmtree(tmp_path / "alone")
    assert run.reason == "epochs"
    assert run.history.train_perplexity == alone.history.train_perplexity
    assert run.history.valid_perplexity == alone.history.valid_perplexity
    (kept,) = kept_runs(folder)
    assert_tells(kept, folder, log_of(early))
    with pytest.raises(StorageError, match="has ended as planned"):
        resume_run(folder, batches)


def test_what_cannot_be_read_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    finished, other = folders["finished"], folders["interrupted"]
    order = [False] * len(log_of(finished)) + [True] * len(log_of(other))
    folder = mixed(tmp_path / "m", order, finished, other)
    for path in RunFolder(folder).steps.values():
        path.write_bytes(b"\0" * 100)
    (kept,) = kept_runs(folder)
    assert kept.trouble
    assert kept.state == kept.trouble


def test_a_finished_run_whose_last_checkpoint_is_lost_was_resumed(
    folders: dict[str, Path], batches: Batches
) -> None:
    folder = folders["finished"]
    newest = next(iter(RunFolder(folder).steps.values()))
    newest.unlink()
    assert resume_run(folder, batches).reason == "epochs"
    (kept,) = kept_runs(folder)
    assert (kept.state, kept.note) == ("epochs", "")


def test_a_kernel_that_resumed_too_late_is_another_training(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    finished = log_of(folders["finished"])
    step = json.loads(finished[1])["steps"]
    late = [{"resumed": step}, {"end": "interrupted", "steps": step + 5}]
    folder = mixed(tmp_path / "m", [False] * 4, folders["finished"], folders["interrupted"])
    (folder / "history.jsonl").write_text("\n".join([*finished, *map(json.dumps, late)]))
    (kept,) = kept_runs(folder)
    assert kept.state == "epochs"
    assert "lines 5-6 of history.jsonl are not of this run" in kept.note


@st.composite
def one_run(draw: st.DrawFn) -> dict[int, Line]:
    """Draw the log of one training: killed, ended, cut short and resumed, some lines lost."""
    log: list[Line] = []
    epoch, step, saved = 0, 0, [(0, 0)]  # epochs finished and steps at each checkpoint
    for _ in range(draw(st.integers(1, 4))):  # sittings
        for _ in range(draw(st.integers(0, 3))):
            epoch, step = epoch + 1, (step // 10 + 1) * 10
            log.append({"epoch": epoch, "steps": step, "tokens": step * 32})
            saved.append((epoch, step))
        within = draw(st.integers(0, 9))
        if within:
            saved.append((epoch, step + within))
        if within and draw(st.booleans()):  # the epoch that was cut short
            log.append({"epoch": epoch + 1, "steps": step + within})
        if draw(st.booleans()):
            log.append({"end": "interrupted", "steps": step + within})
        epoch, step = draw(st.sampled_from(saved))
        saved = [each for each in saved if each[1] <= step]
        log.append({"resumed": step})
    log.pop()
    kept = draw(st.lists(st.booleans(), min_size=len(log), max_size=len(log)))
    lost = draw(st.booleans())
    return {n: line for n, line in enumerate(log, 1) if kept[n - 1] or not lost or "end" in line}


@given(one_run())
@settings(max_examples=300)
def test_whatever_happens_to_one_training_it_is_one(log: dict[int, Line]) -> None:
    has_lost = list(log) != list(range(1, len(log) + 1))
    if not has_lost:
        assert is_of_one_run(log, 10**9)


@given(one_run(), st.data())
def test_whatever_stands_in_a_log_it_is_read(log: dict[int, Line], data: st.DataObject) -> None:
    values = st.none() | st.integers(-3, 40) | st.text() | st.booleans() | st.floats()
    keys = st.sampled_from(["epoch", "steps", "end", "resumed", "tokens"])
    junk = data.draw(st.lists(st.dictionaries(keys, values)))
    assert is_of_one_run(dict(enumerate([*log.values(), *junk], 1)), 30) in (True, False)


def test_what_stands_in_a_log_may_be_junk(folders: dict[str, Path]) -> None:
    folder = folders["finished"]
    junk = [{"epoch": 1, "steps": 3}, {"epoch": True}, {"end": 3}, {"resumed": "x"}, [1], {}]
    with (folder / "history.jsonl").open("a") as file:
        file.write("".join(f"{json.dumps(line)}\n" for line in junk))
    (kept,) = kept_runs(folder)
    assert kept.state == "epochs"
    assert kept.note.startswith("lines 5-8, 10 of history.jsonl are not of this run")


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([3], "line 3"),
        ([3, 4, 7], "lines 3-4, 7"),
        ([1, 3, 5, 7, 9, 11, 13, 15, 17, 18], "lines 1, 3, 5, 7, 9, 11, 13, 15 and 2 more"),
    ],
)
def test_lines_in_words(numbers: list[int], words: str) -> None:
    assert lines_in_words(numbers) == words
