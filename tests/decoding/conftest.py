"""Small models with pronounced opinions."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab, VocabConfig

WORDS = "the cat (a small one) saw the mouse, and ran.\nthe mouse ran on"


@pytest.fixture
def make_run() -> Callable[..., Any]:
    """Return a maker of what decoding needs: a model and its vocabulary."""

    def make(text: str = "abcde", token: str = "char", **options: Any) -> SimpleNamespace:
        vocab = Vocab.from_corpus(Corpus.from_text(text), VocabConfig(token=token))
        config = ModelConfig(**{"num_hiddens": 8, **options})
        model = RNNModel(config, len(vocab), torch.Generator().manual_seed(0))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(4)  # no two tokens are nearly as probable
            model.output.bias[Vocab.unk] -= 20  # as after a training on a text without any
        return SimpleNamespace(model=model, vocab=vocab)

    return make


@pytest.fixture
def run(make_run: Callable[..., Any]) -> Any:
    """Five letters."""
    return make_run()


@pytest.fixture
def words(make_run: Callable[..., Any]) -> Any:
    """Words, marks and line ends."""
    return make_run(WORDS, "word")
