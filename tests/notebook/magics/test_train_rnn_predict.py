"""%train_rnn --predict: drawn from the start, judged at the end, and in the way of nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.show.runs import closing_lines, run_figure
from rnn_magics.reports.run_notes import reveal_prediction
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin, iter_train
from tests.notebook.conftest import SAMPLE, TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_a_terminal_hears_it_first_and_is_told_at_the_end(prepared: Notebook) -> None:
    out = prepared.printed(f"{TRAIN} --predict 4.0").replace("\n", " ")
    run = prepared.session.runs["gru-1"]
    (told,) = reveal_prediction(run)
    assert told.startswith(f"You predicted 4.000; it reached {run.valid_perplexity:.3f}, higher")
    assert "-gram" in told
    before, _, after = out.partition("epoch  train ppl")
    assert "your prediction: held-out perplexity 4.000" in " ".join(before.split())
    assert " ".join(told.split()) in " ".join(after.split())
    assert closing_lines(run, "verdict")[:2] == ["verdict", told]


def test_it_changes_nothing_in_the_result(prepared: Notebook) -> None:
    seen, unseen = prepared.run(f"{TRAIN} --predict 4"), prepared.run(TRAIN)
    assert (seen.predicted, unseen.predicted) == (4.0, None)
    assert seen.history.valid_bits == unseen.history.valid_bits
    assert prepared.printed(f"{TRAIN} --predict 4 --explain") == prepared.printed(
        f"{TRAIN} --explain"
    )


def test_each_of_several_seeds_is_judged(prepared: Notebook) -> None:
    runs = prepared.run(f"{TRAIN} --seeds 2 --predict 4")
    assert [run.predicted for run in runs] == [4.0, 4.0]


def test_the_picture_has_the_line(prepared: Notebook) -> None:
    run = prepared.run(f"{TRAIN} --predict 20")
    axes = run_figure(run).axes[0]
    assert [
        line.get_ydata()[0] for line in axes.lines if "prediction" in str(line.get_label())
    ] == [20.0]
    assert "your prediction 20.00" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--predict 0.5", "--predict must be at least 1, not 0.5"),
        ("--predict nan", "--predict must be at least 1, not nan"),
        ("--predict high", "--predict"),
    ],
)
def test_what_cannot_be_predicted_is_refused(prepared: Notebook, typed: str, said: str) -> None:
    assert said in prepared.refused(f"{TRAIN} {typed}")


def test_a_resumed_run_keeps_its_own(prepared: Notebook, tmp_path: Path) -> None:
    folder, batches = tmp_path / "run", prepared.session.require_batches()
    run, state = begin(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1))
    run.predict(4.0)
    keep = Checkpointing(str(folder), every="1steps")(run, state)
    for event in iter_train(run, state, lambda: "stopped" if state.total_steps == 3 else None):
        keep(event)
    assert prepared.refused(f"%train_rnn --resume {folder} --predict 5") == (
        "--resume continues a run with its own settings; leave --predict out"
    )
    resumed = prepared.run(f"%train_rnn --resume {folder}")
    assert (resumed.reason, resumed.predicted) == ("epochs", 4.0)


def test_without_held_out_text_it_is_refused(notebook: Notebook) -> None:
    notebook.variables["text"] = notebook.text
    notebook.run("%corpus --data text --valid 0")
    notebook.run("%vocab")
    notebook.run(SAMPLE)
    assert notebook.refused(f"{TRAIN} --predict 4") == (
        "nothing is held out, so there is nothing to predict; leave --predict out"
    )


def test_a_file_keeps_it(prepared: Notebook, tmp_path: Path) -> None:
    run = prepared.run(f"{TRAIN} --predict 4.5")
    path = tmp_path / "run.safetensors"
    prepared.run(f"%save_rnn {path}")
    loaded = prepared.run(f"%load_rnn {path}")
    assert loaded.predicted == 4.5
    assert reveal_prediction(loaded) == reveal_prediction(run)


@pytest.mark.parametrize("value", [0.5, 4, "4.0", None, [4.0]])
def test_a_damaged_prediction_is_refused(prepared: Notebook, value: Any) -> None:
    plain = json.loads(json.dumps(PARTS["run"].write(prepared.run(f"{TRAIN} --predict 4"))))
    assert PARTS["run"].read(plain)["predicted"] == 4.0
    with pytest.raises(StorageError, match=r"run\.predicted is no perplexity"):
        PARTS["run"].read({**plain, "predicted": value})
