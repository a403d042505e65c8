"""A list of runs: each entry is judged by itself, and what is skipped is named."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rnn_magics.batching import Batches
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.resume import last_run, reopen, resume_run
from rnn_magics.storage.run_folder import KeptRun, RunFolder, kept_runs
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import train

NOBODY = 65534


class StruckError(Exception):
    """Ends a training."""


def strike(event: Event) -> None:
    if isinstance(event, StepEnd) and event.step == 3:
        raise StruckError


@pytest.fixture
def runs(batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the runs ``a`` (older), ``m`` and ``z`` (newer), all cut off."""
    with suppress(StruckError):
        watch = Checkpointing(str(tmp_path / "a"), every="1step")
        config = TrainConfig(epochs=1, threads=1)
        train(batches, ModelConfig(num_hiddens=4), config, watch=watch, listeners=[strike])
    for when, name in enumerate("amz", start=1):
        if name != "a":
            shutil.copytree(tmp_path / "a", tmp_path / name)
        for number, path in enumerate(reversed(RunFolder(tmp_path / name).steps.values())):
            os.utime(path, (when * 1000 + number, when * 1000 + number))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def newest(folder: Path) -> Path:
    return next(iter(RunFolder(folder).steps.values()))


def replaced(path: Path) -> Path:
    path.unlink()
    return path


def _link(path: Path) -> None:
    replaced(path).symlink_to("nowhere")


def _circle(path: Path) -> None:
    replaced(path).symlink_to(path.name)


def _pipe(path: Path) -> None:
    os.mkfifo(replaced(path))


def _folder(path: Path) -> None:
    replaced(path).mkdir()


def _large(path: Path) -> None:
    replaced(path).touch()
    os.truncate(path, 1 << 30)


def _deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def _bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


NO_FILES = [_link, _circle, _pipe, _folder]
Spoil = Callable[[Path], None]


def found(runs: Path) -> dict[str, KeptRun]:
    kept = {each.folder.name: each for each in kept_runs(runs)}
    for each in kept.values():
        assert each.trouble.isprintable()
        assert each.state == each.trouble or not each.trouble
    return kept


@pytest.mark.parametrize("spoil", NO_FILES)
@pytest.mark.parametrize("name", "amz")
def test_a_run_whose_newest_checkpoint_is_no_file(
    runs: Path, batches: Batches, name: str, spoil: Spoil
) -> None:
    spoil(newest(runs / name))
    kept = found(runs)
    assert list(kept) == ["a", "m", "z"]
    assert not any(each.trouble for each in kept.values())
    run, _, reopened = reopen("last", batches)
    assert (reopened.folder, last_run()[1]) == ("z", "")
    step = 2 if name == "z" else 3
    assert ("step 2" in run.message) == (step == 2)


@pytest.mark.parametrize("spoil", NO_FILES)
def test_a_run_all_of_whose_checkpoints_are_no_files(
    runs: Path, batches: Batches, spoil: Spoil
) -> None:
    for path in RunFolder(runs / "m").steps.values():
        spoil(path)
    kept = found(runs)
    assert list(kept) == ["m", "a", "z"]
    assert kept["m"].trouble.startswith("step-000000003.safetensors cannot be read: ")
    _, _, reopened = reopen("last", batches)
    assert reopened.folder == "z"
    note = f"--resume last takes 'z'; 'm' is skipped: {kept['m'].trouble}"
    assert last_run()[1] == note


@pytest.mark.parametrize("spoil", [*NO_FILES, _large, _deep, _bytes])
def test_a_run_that_does_not_say_what_it_is(runs: Path, batches: Batches, spoil: Spoil) -> None:
    spoil(runs / "m" / "run.json")
    kept = found(runs)
    assert list(kept) == ["a", "m", "z"]
    assert " cannot be read: " in kept["m"].trouble
    _, _, reopened = reopen("last", batches)
    assert reopened.folder == "z"
    kept = {each.folder.name: each for each in kept_runs()}
    assert last_run()[1] == f"--resume last takes 'z'; 'm' is skipped: {kept['m'].trouble}"


@pytest.mark.parametrize("spoil", [*NO_FILES, _large])
def test_the_run_written_to_last_does_not_say_what_it_is(
    runs: Path, batches: Batches, spoil: Spoil
) -> None:
    spoil(runs / "z" / "run.json")
    assert list(found(runs)) == ["a", "m", "z"]
    told = (
        r"^the run written to last, 'z', cannot be read: 'z/run.json' .*; choose one: --resume DIR$"
    )
    with pytest.raises(StorageError, match=told):
        resume_run("last", batches)
    assert not (runs / "z" / "claim.json").exists()


@pytest.mark.parametrize("spoil", [*NO_FILES, _large, _bytes])
def test_a_history_that_cannot_be_read_is_an_empty_one(runs: Path, spoil: Spoil) -> None:
    (runs / "m" / "history.jsonl").touch()
    spoil(runs / "m" / "history.jsonl")
    kept = found(runs)
    assert (kept["m"].trouble, kept["m"].epochs, kept["m"].state) == ("", 0, "not ended")


@pytest.mark.parametrize("target", ["nowhere", "link"])
def test_a_link_that_leads_nowhere_may_have_led_to_a_run(
    runs: Path, batches: Batches, target: str
) -> None:
    (runs / "link").symlink_to(target)
    kept = found(runs)
    assert list(kept) == ["link", "a", "m", "z"]
    assert kept["link"].trouble.startswith("the link leads nowhere: ")
    _, _, reopened = reopen("last", batches)
    assert reopened.folder == "z"
    assert "'link' is skipped: the link leads nowhere: " in last_run()[1]


def test_what_is_no_folder_is_nothing(runs: Path) -> None:
    (runs / "b").write_text("")
    os.mkfifo(runs / "c")
    (runs / ".d").symlink_to("nowhere")
    (runs / "e").mkdir()
    (runs / "e" / "f").write_text("")
    assert list(found(runs)) == ["a", "m", "z"]


@contextmanager
def closed(folder: Path, mode: int) -> Iterator[None]:
    """Take a permission away from the folder, for whoever is not allowed everything."""
    folder.chmod(mode)
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.seteuid(NOBODY)
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def open_runs(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The runs, where everybody may look."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    shutil.copytree(runs, place, dirs_exist_ok=True)
    monkeypatch.chdir(place)
    place.chmod(0o777)
    for path in place.rglob("*"):
        path.chmod(0o777)
    yield place
    shutil.rmtree(place)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions are others here")
@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_an_unreadable_sibling_hides_nothing(open_runs: Path, batches: Batches, mode: int) -> None:
    with closed(open_runs / "m", mode):
        kept = found(open_runs)
        _, _, reopened = reopen("last", batches)
        assert reopened.folder == "z"
        reopened.claim.release()
        note = last_run()[1]
    assert list(kept) == ["m", "a", "z"]
    assert "permission denied" in kept["m"].trouble
    assert f"'m' is skipped: {kept['m'].trouble}" in note


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions are others here")
def test_the_folder_itself_may_be_unreadable(open_runs: Path) -> None:
    with closed(open_runs, 0o000), pytest.raises(StorageError, match=r"permission denied$"):
        kept_runs(open_runs)
    with pytest.raises(StorageError, match="part of the path is a file, not a folder"):
        kept_runs(open_runs / "m" / "run.json")
    with pytest.raises(StorageError, match="there is no folder"):
        kept_runs(open_runs / "nowhere")
    with pytest.raises(StorageError, match="its name is too long for the file system"):
        kept_runs("x" * 300)
    with pytest.raises(StorageError, match="it holds a character that no name can hold"):
        kept_runs("x\0y")


def test_when_all_are_skipped_each_is_named(
    tmp_path: Path, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        (tmp_path / f"link{number}").symlink_to("nowhere")
    with pytest.raises(StorageError) as caught:
        resume_run("last", batches)
    told = str(caught.value)
    assert told.startswith("no run is kept in this folder or below it; keep one with %train_rnn")
    assert told.count("is skipped: the link leads nowhere") == 3
    assert told.endswith("; and 2 more, which %rnn runs lists")
