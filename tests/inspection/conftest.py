"""Small models in float64 whose states are far from zero."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.vocab import Vocab


@pytest.fixture
def make_run(vocab: Vocab) -> Callable[..., Any]:
    """Return a maker of what a view needs: a model and its vocabulary."""

    def make(**options: Any) -> SimpleNamespace:
        config = ModelConfig(**{"num_hiddens": 6, **options})
        model = RNNModel(config, len(vocab), torch.Generator().manual_seed(0)).double().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2)
        return SimpleNamespace(model=model, vocab=vocab)

    return make
