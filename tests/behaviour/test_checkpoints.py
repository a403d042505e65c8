"""``%train_rnn --checkpoint``, ``--resume`` and ``%rnn runs`` in a real shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_magics.storage.claim import Claim
from rnn_magics.storage.run_folder import RunFolder, checkpoint_epochs
from tests.notebook.conftest import Notebook

LONG = "%train_rnn --num-hiddens 8 --epochs 100000 --schedule constant"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stopped(prepared: Notebook) -> Notebook:
    """With a run of three epochs, stopped in its second, in the folder ``runs/first``."""
    prepared.run(f"{LONG} --checkpoint runs/first --every 1step --background --name first")
    while len(RunFolder(Path("runs/first")).steps) < 2:
        pass
    prepared.run("%rnn stop")
    return prepared


def test_a_run_is_kept_in_its_folder(prepared: Notebook) -> None:
    run = prepared.run("run = %train_rnn --num-hiddens 8 --epochs 2 --checkpoint runs/a\nrun")
    assert checkpoint_epochs("runs/a") == [1, 2]
    told = repr(prepared.run("%rnn runs"))
    assert told.splitlines()[0].split()[:4] == ["folder", "run", "model", "state"]
    assert "runs/a" in told
    assert "2/2" in told
    prepared.run("%rnn --reset")
    loaded = prepared.run("run = %load_rnn runs/a\nrun")
    assert loaded.history == run.history
    assert loaded.model.output.weight.equal(run.model.output.weight)
    prepared.run('%generate "the "')
    early = prepared.run("run = %load_rnn runs/a --epoch 1\nrun")
    assert len(early.history) == 1
    refused = prepared.refused("%load_rnn runs/a --epoch 3")
    assert refused == "'runs/a' does not keep epoch 3; it keeps: 1, 2"


def test_nothing_kept_is_said(prepared: Notebook) -> None:
    assert repr(prepared.run("%rnn runs")).startswith("no runs here yet")
    assert prepared.refused("%rnn runs nowhere") == "there is no folder 'nowhere'"


def test_a_run_goes_on_in_a_kernel_that_knows_nothing_of_it(stopped: Notebook) -> None:
    steps = max(RunFolder(Path("runs/first")).steps)
    stopped.run("%rnn --reset")
    stopped.run(f"%%corpus tiny --valid 0.4\n{stopped.text}")
    stopped.run("%train_rnn --resume last --background")  # vocabulary and windows are of the run
    job = stopped.session.require_job("first")
    while max(RunFolder(Path("runs/first")).steps) <= steps:
        assert job.is_alive
    stopped.run("%rnn stop")
    run = stopped.session.require_run("first")
    assert run.reason == "stopped"
    assert "not ended" not in repr(stopped.run("%rnn runs runs"))


def test_what_cannot_be_resumed_is_refused(stopped: Notebook) -> None:
    assert "is not the folder of a run" in stopped.refused("%train_rnn --resume nowhere")
    refused = stopped.refused("%train_rnn --resume runs/first --epochs 9")
    assert refused == "--resume continues a run with its own settings; leave --epochs out"
    refused = stopped.refused("%train_rnn --resume runs/first --checkpoint x")
    assert refused == "--resume continues a run with its own settings; leave --checkpoint out"
    assert "holds run 'first' already" in stopped.refused(f"{LONG} --checkpoint runs/first")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("another text than before, " * 20, "was trained on other tokens, from 'tiny' ("),
        ("too short", "run 'first' was not trained on 'tiny': the training text has "),
    ],
)
def test_another_text_is_refused(stopped: Notebook, text: str, reason: str) -> None:
    stopped.run(f"%%corpus tiny\n{text}")
    assert reason in stopped.refused("%train_rnn --resume last")


def test_the_run_goes_on_with_its_own_vocabulary_and_windows(stopped: Notebook) -> None:
    stopped.run("%vocab --token word")
    stopped.run("%sample random --batch-size 2 --num-steps 4")
    stopped.run("%train_rnn --resume last --background")
    job = stopped.session.require_job("first")
    stopped.run("%rnn stop")
    assert job.run.config.batching.batch_size == 4
    assert stopped.session.vocab is not None
    assert stopped.session.vocab.token == "word"  # the session keeps what it has


def test_when_a_checkpoint_is_due_needs_a_folder(prepared: Notebook) -> None:
    refused = prepared.refused("%train_rnn --every 5")
    assert refused.startswith(
        "--every and --keep-epochs need --checkpoint DIR; add it, or leave them out"
    )
    assert "must be a period such as" in prepared.refused("%train_rnn --checkpoint x --every now")
    assert not Path("x").exists()


def test_explain_shows_the_calls(prepared: Notebook) -> None:
    said = prepared.printed("%train_rnn --checkpoint runs/a --every 5steps --explain")
    assert said.startswith(
        "from rnn_magics import Checkpointing, train\n\nrun = train(batches, name='gru-1',"
        " watch=Checkpointing(folder='runs/a', every='5steps'))\n\n"
    )
    assert not Path("runs").exists()
    said = prepared.printed("%train_rnn --resume last --explain")
    call = "from rnn_magics import resume_run\n\nrun = resume_run('last', corpus)\n"
    assert said.startswith(f"{call}\n# refused: ")  # nothing is kept here


def test_a_folder_in_use_is_refused_and_free_again(stopped: Notebook) -> None:
    assert not Path("runs/first/claim.json").exists()
    claim = Claim(Path("runs/first"))
    told = "'runs/first' is in use by process "
    assert stopped.refused(f"{LONG} --checkpoint runs/first").startswith(told)
    assert stopped.refused("%train_rnn --resume last").startswith(told)
    claim.release()
    stopped.run("%train_rnn --resume last --background")
    assert Path("runs/first/claim.json").exists()
    stopped.run("%rnn stop")
    assert not Path("runs/first/claim.json").exists()


def test_what_is_skipped_is_named(stopped: Notebook) -> None:
    Path("link").symlink_to("nowhere")
    assert "the link leads nowhere" in repr(stopped.run("%rnn runs"))
    said = stopped.printed("%train_rnn --resume last --background")
    assert "--resume last takes 'runs/first'; 'link' is skipped: the link leads nowhere" in said
    stopped.run("%rnn stop")
