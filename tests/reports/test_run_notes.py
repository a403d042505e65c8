"""A prediction is judged when the run has ended, beside what counting would have told."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_notes import reveal_prediction, run_notes
from rnn_magics.reports.run_payload import run_payload
from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.loop import begin
from rnn_magics.training.run import Run

SMALL = ModelConfig(num_hiddens=4)


def ended(batches: Batches, *valid: float | None, predicted: float | None = 4.0) -> Run:
    """Return a run with these held-out perplexities; its best n-gram, a 6-gram, reaches 3.62."""
    run, _ = begin(batches, SMALL, TrainConfig(epochs=len(valid)))
    if predicted is not None:
        run.predict(predicted)
    for value in valid:
        run.history.train_bits.append(1.0)
        run.history.train_perplexity.append(2.0)
        run.history.valid_perplexity.append(value)
        run.history.valid_bits.append(None if value is None else math.log2(value))
    rungs = (Rung(1, 20.0, 18.0), Rung(6, 2.0, 3.62))
    run.ladder = Ladder(rungs, len(batches.valid), len(batches.valid) - 1)
    run.reason = Ending.EPOCHS
    return run


def words(*args: Any, **changes: Any) -> str:
    return " ".join(reveal_prediction(ended(*args, **changes)))


def test_the_ladder_would_have_told(batches: Batches) -> None:
    assert words(batches, 9.0, 3.44) == (
        "You predicted 4.000; it reached 3.440, lower by 14.0%."
        " The best 6-gram (3.620) would have told you: it was off by 5.0%."
    )


def test_who_was_nearer_than_the_ladder_hears_it(batches: Batches) -> None:
    assert words(batches, 4.2) == (
        "You predicted 4.000; it reached 4.200, higher by 5.0%."
        " That is as near as the best 6-gram (3.620), or nearer."
    )
    assert words(batches, 4.0).startswith("You predicted 4.000, and it reached 4.000.")


def test_no_more_is_said_than_is_known(batches: Batches) -> None:
    assert words(batches, 3.44, predicted=None) == ""
    assert words(batches, None) == "You predicted 4.000; the held-out text was not scored."
    assert words(batches, math.inf) == (
        "You predicted 4.000; it reached inf, higher by a factor of inf."
    )
    assert words(batches, 3.44, None).startswith(
        "You predicted 4.000; it reached 3.440 after epoch 1, lower by"
    )
    run = ended(batches, 3.44)
    run.ladder = None
    assert reveal_prediction(run) == ["You predicted 4.000; it reached 3.440, lower by 14.0%."]
    assert reveal_prediction(replace(run, reason=None)) == []


def test_with_state_from_zero_there_is_no_ladder(batches: Batches) -> None:
    run = ended(batches, 3.44)
    run.config = replace(run.config, model=replace(SMALL, bidirectional=True))
    assert reveal_prediction(run) == ["You predicted 4.000; it reached 3.440, lower by 14.0%."]


def test_the_notes_and_the_payload_have_it(batches: Batches) -> None:
    run = ended(batches, 3.44)
    assert reveal_prediction(run)[0] in run_notes(run)
    assert run_payload(run)["predicted_nats"] == pytest.approx(math.log(4))
    assert run_payload(ended(batches, 3.44, predicted=None))["predicted_nats"] is None


@pytest.mark.parametrize("value", [0.99, -1, 0, math.nan, math.inf, "4", None, [4.0], 1j])
def test_what_is_no_perplexity_is_refused(batches: Batches, value: Any) -> None:
    run, _ = begin(batches, SMALL)
    with pytest.raises(ConfigError, match=r"^a perplexity must be at least 1, not [^\n]*$"):
        run.predict(value)
    assert run.predicted is None


def test_a_prediction_comes_before_the_first_score(batches: Batches) -> None:
    run, _ = begin(batches, SMALL)
    run.predict(5)
    run.predict(4)
    assert (run.predicted, type(run.predicted)) == (4.0, float)
    scored = ended(batches, 3.44, predicted=None)
    scored.reason = None
    with pytest.raises(TrainingError, match="has been scored: too late to predict"):
        scored.predict(3.44)
    assert scored.predicted is None


def test_without_held_out_text_there_is_nothing_to_predict() -> None:
    corpus = Corpus.from_text("the time traveller came back\n" * 20, CorpusConfig(valid=0))
    made = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    run, _ = begin(made, SMALL)
    with pytest.raises(TrainingError, match="nothing is held out"):
        run.predict(4.0)
