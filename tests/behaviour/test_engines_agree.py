"""Whole trainings through each engine: layers, dropout, both batchings, one sequence of losses."""

from __future__ import annotations

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.models import recurrent
from rnn_magics.models.engines import ENGINES
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import begin, iter_train

IDS = torch.arange(1200).pow(2) % 13


def losses(engine: str, batching: str, model: ModelConfig, mp: pytest.MonkeyPatch) -> list[float]:
    mp.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    batches = Batches(IDS, BatchConfig(batching, batch_size=5, num_steps=9))
    config = TrainConfig(epochs=1, lr=0.02, device="cpu", threads=1)
    run, state = begin(batches, model, config)
    assert run.model.engine == engine
    return [e.loss.item() for e in iter_train(run, state) if isinstance(e, StepEnd)]


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize(
    "model",
    [
        ModelConfig("rnn", 37, num_layers=2, dropout=0.3),
        ModelConfig("gru", 37, num_layers=3, dropout=0.3),
        ModelConfig("gru", 33, tie=True, dropout=0.2),
        ModelConfig("lstm", 40, num_layers=2, dropout=0.3, embedding_size=7),
        ModelConfig("lstm", 16, bidirectional=True),
    ],
    ids=repr,
)
def test_every_engine_learns_the_same(
    model: ModelConfig, batching: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = losses("scratch", batching, model, monkeypatch)
    assert len(expected) > 20
    assert expected[-1] < expected[0]
    for engine in ENGINES:
        found = losses(engine, batching, model, monkeypatch)
        # Rounding grows from step to step; a wrong gradient would differ at the second one.
        assert found[:10] == pytest.approx(expected[:10], rel=1e-5)
        assert found == pytest.approx(expected, rel=5e-3)


def test_the_choice_is_the_models_own() -> None:
    model = RNNModel(ModelConfig("gru", 8), 5, torch.Generator().manual_seed(0))
    assert model.engine == "compiled"
