"""``%train_rnn --from``: a run or a file goes on, on the present text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

OTHER = "%%corpus other --valid 0.2\n" + "he spoke of the zebra for it will be so\n" * 10


def test_a_run_goes_on_on_another_text(trained: Notebook) -> None:
    name = next(iter(trained.session.runs))
    before = trained.session.runs[name]
    trained.run(OTHER)  # no vocabulary and no minibatches of its own yet
    further = trained.run(f"%train_rnn --from {name} --epochs 1")
    assert further.vocab == before.vocab
    assert further.corpus[0] == "other"
    assert [life.name for life in further.earlier] == [name]
    assert further.config.model == before.config.model
    assert trained.session.runs[name] is before
    assert further.name in trained.session.runs
    assert trained.session.vocab is None  # the session keeps what it has


def test_a_file_goes_on(trained: Notebook, tmp_path: Path) -> None:
    name = next(iter(trained.session.runs))
    trained.run(f"%save_rnn '{tmp_path}/kept.safetensors'")
    trained.run("%rnn --reset")
    trained.run(OTHER)
    further = trained.run(f"%train_rnn --from '{tmp_path}/kept.safetensors' --epochs 1")
    assert [life.name for life in further.earlier] == [name]


def test_the_windows_are_those_of_the_session(trained: Notebook) -> None:
    name = next(iter(trained.session.runs))
    trained.run("%sample --batch-size 3 --num-steps 6")
    further = trained.run(f"%train_rnn --from {name} --epochs 1")
    assert (further.config.batching.batch_size, further.config.batching.num_steps) == (3, 6)


def test_the_call_is_told(trained: Notebook) -> None:
    name = next(iter(trained.session.runs))
    said = trained.printed(f"%train_rnn --from {name} --epochs 1 --explain")
    assert "train_further(run, corpus, " in said


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--from {name} --cell lstm", "as it is; leave --cell out"),
        ("--from {name} --num-hiddens 8", "as it is; leave --num-hiddens out"),
        ("--from {name} --seeds 2", "as it is; leave --seeds out"),
        ("--from {name} --recipe d2l-gru", "as it is; leave --recipe out"),
        ("--from nobody", "no run 'nobody' (runs: "),
        ("--from {name} --resume last", "leave --from out"),
    ],
)
def test_what_does_not_go_together_is_refused(trained: Notebook, options: str, reason: str) -> None:
    name = next(iter(trained.session.runs))
    assert reason in trained.refused(f"%train_rnn {options.format(name=name)}")


def test_without_a_text_there_is_nothing_to_go_on_with(trained: Notebook, tmp_path: Path) -> None:
    trained.run(f"%save_rnn '{tmp_path}/kept.safetensors'")
    trained.run("%rnn --reset")
    assert "no corpus yet" in trained.refused(f"%train_rnn --from '{tmp_path}/kept.safetensors'")


def test_a_run_that_went_on_is_not_written_out(trained: Notebook) -> None:
    name = next(iter(trained.session.runs))
    trained.run(f"%train_rnn --from {name} --epochs 1")
    assert "went on from the weights of another run" in trained.refused("%rnn code")


def test_a_run_that_went_on_is_resumed(trained: Notebook, tmp_path: Path) -> None:
    name, folder = next(iter(trained.session.runs)), tmp_path / "kept"
    trained.run(OTHER)
    trained.run("%vocab --token word")  # not that of the run
    trained.run("%sample --batch-size 2 --num-steps 6")
    line = f"%train_rnn --from {name} --name more --epochs 100000 --schedule constant"
    trained.run(f"{line} --background --checkpoint '{folder}' --every 1step")
    while trained.session.runs["more"].steps < 3:
        pass
    trained.run("%rnn stop")
    before = trained.session.runs["more"]
    trained.run(f"%train_rnn --resume '{folder}' --background")
    while trained.session.runs["more"].steps <= before.steps:
        pass
    trained.run("%rnn stop")
    resumed = trained.session.runs["more"]
    assert resumed is not before
    assert resumed.vocab == before.vocab
    assert [life.name for life in resumed.earlier] == [name]
