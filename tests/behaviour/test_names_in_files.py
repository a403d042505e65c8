"""A model file may give its run any name; none that is more than a line is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError, StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import reopen
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.run import Run

ENDS = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
NAMES = [*(f"x?{end}!touch pwned{end}#" for end in ENDS), "\x1b[31mred", "gru\u202e1-"]


def is_one_line(error: pytest.ExceptionInfo[Exception]) -> bool:
    return str(error.value).splitlines() == [str(error.value)]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_file_does_not_name_the_run_so(run: Run, name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_run(replace(run, name=name), path)
    with pytest.raises(StorageError, match=r"load it under another name: --name NAME$") as refused:
        load_run(path)
    assert is_one_line(refused)
    assert load_run(path, name="mine").name == "mine"  # nothing is lost


@pytest.mark.parametrize("name", NAMES)
def test_no_name_that_is_given_is_more_than_a_line(
    run: Run, batches: Batches, name: str, tmp_path: Path
) -> None:
    path = save_run(run, tmp_path / "model.safetensors")
    for give in (
        lambda: load_run(path, name=name),
        lambda: begin(batches, ModelConfig(), TrainConfig(), name),
        lambda: Checkpointing(str(tmp_path / name)),
    ):
        with pytest.raises(ConfigError, match="has a") as refused:
            give()
        assert is_one_line(refused)


def test_the_folder_of_a_run_of_such_a_name_is_loaded_under_another(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "kept")
    with monkeypatch.context() as before:  # as an older version kept it
        before.setattr("rnn_magics.training.loop.check_name", lambda *_: None)
        run, state = begin(
            batches, ModelConfig(num_hiddens=6), TrainConfig(epochs=9, threads=1), NAMES[0]
        )
    listener = Checkpointing(folder)(run, state)
    for event in iter_train(run, state, lambda: "stopped" if state.epoch == 2 else None):
        listener(event)
    for refused_by in (lambda: load_run(folder), lambda: reopen(folder, batches)):
        with pytest.raises(StorageError, match=r"--name NAME$") as refused:
            refused_by()
        assert is_one_line(refused)
    assert load_run(folder, name="mine").name == "mine"
