"""``%save_rnn`` and ``%load_rnn`` in a real shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook.conftest import Notebook


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_goes_to_a_file_and_comes_back(trained: Notebook) -> None:
    assert trained.run("%save_rnn") == Path("gru-1.safetensors")
    text = trained.run('%generate "the " --seed 1').text
    trained.run("%rnn --reset")
    run = trained.run("run = %load_rnn gru-1.safetensors\nrun")
    assert trained.session.require_run() is run
    assert trained.run('%generate "the " --seed 1').text == text
    assert "gru-1" in repr(trained.run("%rnn"))
    assert "gru, 8 hidden units" in trained.rich(run)["text/html"]


def test_a_path_and_a_run_can_be_named(trained: Notebook) -> None:
    trained.run("%train_rnn --num-hiddens 4 --epochs 1 --name other")
    assert trained.run('%save_rnn "my model" --run gru-1') == Path("my model")
    run = trained.run('run = %load_rnn "my model" --name again\nrun')
    assert (run.name, run.config.model.num_hiddens) == ("again", 8)
    assert list(trained.session.runs) == ["gru-1", "other", "again"]


def test_a_namesake_in_the_session_is_kept_under_another_name(trained: Notebook) -> None:
    older = trained.session.require_run()
    trained.run("%save_rnn x")
    said = trained.printed("%load_rnn x")
    assert said == "the older run gru-1 is now called gru-1~1\n"
    assert trained.session.runs["gru-1~1"] is older
    assert "gru-1~1" in repr(trained.run("%rnn"))
    said = trained.printed("%load_rnn x")
    assert said == "the older run gru-1 is now called gru-1~2\n"


def test_what_is_no_model_file_is_refused(trained: Notebook) -> None:
    Path("thesis.txt").write_text("years of work", encoding="utf-8")
    assert "exists and is not a model file" in trained.refused("%save_rnn thesis.txt")
    assert "is not a model file of rnn_magics" in trained.refused("%load_rnn thesis.txt")
    assert "there is no such file" in trained.refused("%load_rnn nothing")
    assert "%load_rnn needs PATH" in trained.refused("%load_rnn")
    assert Path("thesis.txt").read_text(encoding="utf-8") == "years of work"
    trained.run("%save_rnn thesis.txt --force")
    trained.run("%load_rnn thesis.txt")


def test_nothing_is_saved_before_there_is_a_run(prepared: Notebook) -> None:
    assert prepared.refused("%save_rnn") == "no run yet: type %train_rnn first"


def test_a_file_name_is_shown_visibly(trained: Notebook) -> None:
    refused = trained.refused('%load_rnn "a\u202eb\x1b[31m"')
    assert "\x1b" not in refused
    assert "\u202e" not in refused


def test_a_run_that_trains_is_written_between_two_steps(prepared: Notebook) -> None:
    prepared.run("%train_rnn --num-hiddens 8 --epochs 100000 --background --name long")
    job = prepared.session.require_job("long")
    prepared.run("%save_rnn snapshot")
    assert job.is_alive
    prepared.run("%rnn pause")  # so that the session can be compared
    job.between_steps(lambda: None)
    refused = prepared.refused("%load_rnn snapshot --name loaded")
    assert refused.startswith("%load_rnn has to wait: run 'long' is training")
    prepared.run("%rnn stop")
    loaded = prepared.run("run = %load_rnn snapshot --name loaded\nrun")
    assert loaded.reason == "snapshot"
    assert loaded.model is not prepared.session.runs["long"].model
    prepared.run('%generate "the " --run loaded')
    assert prepared.session.runs["long"].reason == "stopped"


def test_explain_shows_the_call(trained: Notebook) -> None:
    said = trained.printed("%save_rnn ~/x --force --explain")
    call = (
        "from rnn_magics import save_run\n\npath = save_run(run, '~/x', force=True)\n\n# cell gru:"
    )
    assert said.startswith(call)
    said = trained.printed("%load_rnn x --name y --explain")
    call = "from rnn_magics import load_run\n\nrun = load_run('x', name='y')\n\n# refused: "
    assert said.startswith(call)
    assert not Path("~").exists()
