"""Bad input to what tells whether a loss is good: one line, and nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rnn_magics import fit_ngram
from rnn_magics.errors import BatchError, ModelError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from tests.notebook.conftest import SAMPLE, TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


@pytest.mark.parametrize("order", ["0", "-1", "13", "0-3", "4-13"])
def test_an_order_below_1_or_above_12(trained: Notebook, order: str) -> None:
    said = trained.refused(f"%baseline --order {order}")
    assert (
        said == f"order must be a number or a range from 1 to 12, such as 3 or 1-6, not {order!r}"
    )


@pytest.mark.parametrize("order", [0, 13])
def test_such_an_order_of_one_model(order: int) -> None:
    with pytest.raises(ModelError, match="from 1 to 12, not"):
        fit_ngram([1, 2, 3] * 20, 4, order)


def without_held_out(notebook: Notebook) -> None:
    notebook.run("%config RNNMagics.figures = False")
    notebook.run(f"%%corpus whole --valid 0\n{notebook.text}")
    notebook.run("%vocab")
    notebook.run(SAMPLE)


def test_an_empty_held_out_part(notebook: Notebook) -> None:
    without_held_out(notebook)
    said = repr(notebook.run("%baseline --order 1-2")).split("\n")
    assert said[0].startswith("nothing is held out to score, so no order is best")
    printed = notebook.printed(TRAIN).split("\n")
    assert "nothing is held out, so there is nothing to compare with baselines" in printed
    # What was trained on does not pass for another text.
    assert "(training part): perplexity" in repr(notebook.run("%evaluate_rnn"))


def test_a_held_out_part_of_one_token(notebook: Notebook) -> None:
    notebook.run("%%corpus short --valid 0.2\nabcdefgh")
    notebook.run("%vocab")
    notebook.run("%sample --batch-size 1 --num-steps 2")
    for line in (TRAIN, f"{TRAIN} --background", f"{TRAIN} --seeds 2"):
        said = notebook.refused(line)
        assert said.startswith("a single held-out token predicts nothing: hold out more")
    assert "nothing is held out to score" in repr(notebook.run("%baseline --order 1"))


def test_fewer_tokens_than_the_order(notebook: Notebook) -> None:
    notebook.run("%%corpus short --valid 0\nabcd")
    notebook.run("%vocab")
    assert "tokens; order 6 needs at least 7" in notebook.refused("%baseline")
    notebook.run("%sample --batch-size 1 --num-steps 2")
    printed = notebook.printed(TRAIN)  # the training itself goes on
    assert "no baselines: the training text has 5 tokens; order 6 needs at least 7" in printed


def test_tokens_never_seen(trained: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("\u0416\u0429 " * 20)
    found = trained.run(f"%evaluate_rnn {path}")
    assert found.unk_share == pytest.approx(2 / 3)
    assert "66.67% of the tokens read as <unk>, 77.6% of the bits spell what" in repr(found)
    assert 1 < found.perplexity < float("inf")


def test_held_out_tokens_never_seen_have_a_baseline(notebook: Notebook) -> None:
    notebook.run("%%corpus odd --valid 0.3\n" + "abcd" * 20 + "xyz" * 12)
    notebook.run("%vocab")
    (rung,) = notebook.run("%baseline --order 2")
    assert 1 < rung.valid_perplexity < float("inf")


def test_a_baseline_before_there_is_a_vocabulary(notebook: Notebook) -> None:
    notebook.run("%%corpus short\nabcd")
    assert notebook.refused("%baseline").startswith("no vocabulary yet: type %vocab")


def test_evaluating_with_another_tokenizer(trained: Notebook) -> None:
    run = trained.session.runs["gru-1"]
    before = trained.run("%evaluate_rnn").perplexity
    trained.run("%vocab --token word")  # the session's, not that of the run
    assert trained.run("%evaluate_rnn").perplexity == before
    trained.variables["numbers"] = list(range(100))
    trained.run("%corpus --data numbers --valid 0.2")
    said = trained.refused("%evaluate_rnn")
    assert said.startswith("run 'gru-1' reads text (char tokens), but 'numbers' is given tokens;")
    assert run.valid_perplexity == pytest.approx(before)


def test_a_run_without_a_vocabulary_reads_no_text(trained: Notebook) -> None:
    bare = train(trained.session.batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1))
    bare.vocab = None
    trained.session.keep(bare)
    assert "has no vocabulary to read other texts with" in trained.refused("%evaluate_rnn")
    with pytest.raises(BatchError, match="has no vocabulary"):
        evaluate_text(bare, trained.session.corpus)
