"""``--keep best``, ``--patience``, ``--score-every`` and ``%corpus --test`` in a real shell."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnn_magics.models.rnn_model import weights
from rnn_magics.notebook.page.run_entry import ended_entry
from tests.notebook.conftest import SAMPLE, TEXT, Notebook

# The learning rate is so high that the held-out perplexity rises again.
LINE = "%train_rnn --num-hiddens 8 --dropout 0.2 --epochs 6 --lr 0.6 --schedule constant --warmup 0"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def parted(prepared: Notebook) -> Notebook:
    """With a text of three parts."""
    prepared.run(f"%%corpus three --valid 0.3 --test 0.2\n{TEXT}")
    prepared.run("%vocab")
    prepared.run(SAMPLE)
    return prepared


def test_the_run_and_its_texts_say_which_weights_they_are(prepared: Notebook) -> None:
    told = prepared.printed(f"run = {LINE} --keep best --score-every 1k")
    run = prepared.run("run")
    assert run.weights_from is not None
    assert run.config.train.score_every == 1000
    assert "best weights, after" in run.which_weights
    assert run.which_weights in repr(run)
    assert "These are the weights of the best held-out perplexity" in told or run.turn is None
    assert "Held-out, best weights, after" in told
    text = prepared.run('text = %generate "the " --length 5\ntext')
    assert run.which_weights in repr(text)
    assert "best weights" in repr(prepared.run("%rnn"))
    prepared.run("%save_rnn best.safetensors")
    loaded = prepared.run("again = %load_rnn best.safetensors --name again\nagain")
    assert loaded.which_weights == run.which_weights


def test_the_last_weights_are_said_to_be_no_others(prepared: Notebook) -> None:
    run = prepared.run(f"run = {LINE}\nrun")
    assert run.weights_from is None
    text = prepared.run('text = %generate "the " --length 5\ntext')
    assert "weights" not in repr(text)


def test_the_best_of_a_folder_is_loaded(prepared: Notebook) -> None:
    run = prepared.run(f"run = {LINE} --keep best --checkpoint runs/a\nrun")
    assert "(best, after epoch" in repr(prepared.run("%rnn runs"))
    loaded = prepared.run("again = %load_rnn runs/a --epoch best --name again\nagain")
    for name, value in weights(loaded.model).items():
        assert value.equal(weights(run.model)[name])


def test_patience_ends_a_run(prepared: Notebook) -> None:
    run = prepared.run(f"run = {LINE.replace('--epochs 6', '--epochs 90')} --patience 1\nrun")
    assert run.reason == "patience"
    assert len(run.history) < 90
    assert "no better for a while" in repr(run)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--score-every 0", "--score-every must be at least 1, not 0"),
        ("--score-every 1.5k", "--score-every must be a whole number, not '1.5k'"),
        ("--score-every k", "--score-every must be a whole number, not 'k'"),
        ("--keep 3", "--keep: '3' is not one of last, best"),
        ("--patience 0", "--patience must be at least 1, not 0"),
    ],
)
def test_a_value_that_will_not_do_is_refused(prepared: Notebook, more: str, said: str) -> None:
    assert prepared.refused(f"%train_rnn {more}") == said


def test_thousands_may_be_abbreviated(prepared: Notebook) -> None:
    told = prepared.printed("%train_rnn --score-every 20k --max-tokens 2M --explain")
    assert "score_every=20000" in told
    assert "max_tokens=2000000" in told


def test_without_held_out_text_it_is_refused(notebook: Notebook) -> None:
    notebook.run(f"%%corpus tiny --valid 0\n{TEXT}")
    notebook.run("%vocab")
    notebook.run(SAMPLE)
    said = notebook.refused("%train_rnn --keep best --epochs 1")
    assert said.startswith("--keep best needs held-out text, and nothing is held out")


def test_the_test_part_is_named_wherever_it_is_told(parted: Notebook) -> None:
    told = parted.printed("run = %train_rnn --num-hiddens 8 --epochs 2")
    run = parted.run("run")
    assert "Test part perplexity" in told
    assert "by which nothing was chosen" in told
    assert run.test.num_tokens == int(len(TEXT) * 0.2)
    evaluations = parted.run("found = %evaluate_rnn\nfound")
    assert [each.part for each in evaluations] == ["held-out part", "test part"]
    assert evaluations[1].score.nats == pytest.approx(run.test.nats)
    parted.run("%train_rnn --num-hiddens 4 --epochs 1")
    comparison = parted.run("found = %rnn compare\nfound")
    assert "test ppl" in comparison.table.head
    assert any("on the test part, by which nothing was chosen" in n for n in comparison.notes)
    refused = parted.refused("%evaluate_rnn notes.txt --test 0.1")
    assert refused == "--test sets a part of the text of %corpus aside; leave it out here"


def test_a_text_without_a_test_part_says_nothing_of_one(trained: Notebook) -> None:
    assert "est part" not in trained.printed("%train_rnn --num-hiddens 4 --epochs 1")
    assert "test ppl" not in trained.run("found = %rnn compare\nfound").table.head


def test_the_side_panel_tells_the_figures_of_the_weights(prepared: Notebook) -> None:
    run = prepared.run(f"run = {LINE} --keep best --score-every 1k\nrun")
    entry = ended_entry(run)
    assert entry["valid_nats"] == pytest.approx(math.log(run.valid_perplexity))
    assert entry["train_nats"] == pytest.approx(math.log(run.train_perplexity))
    steps = [step for step, _ in entry["series"]["valid"]]
    assert steps == [score.steps for score in run.record.scores]
