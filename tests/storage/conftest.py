"""Small runs to be written to files and read back."""

from __future__ import annotations

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run


@pytest.fixture
def run(batches: Batches) -> Run:
    """A run of two epochs on characters."""
    config = ModelConfig(cell="gru", num_hiddens=6)
    return train(batches, config, TrainConfig(epochs=2, threads=1), name="tiny")


@pytest.fixture
def bare_batches() -> Batches:
    """Minibatches of bare indices, without vocabulary and corpus."""
    ids = torch.arange(400) % 7
    return Batches(ids, BatchConfig(batch_size=4, num_steps=8), valid=ids[:90])
