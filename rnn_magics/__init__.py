"""rnn_magics: a recurrent-language-model workbench inside Jupyter.

In a notebook, ``%load_ext rnn_magics``. In Python::

    from rnn_magics import Corpus, ModelConfig, TrainConfig, Vocab, generate, make_batches, train

    corpus = Corpus.load("python_docs")
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab)
    run = train(batches, ModelConfig(cell="gru"), TrainConfig(epochs=1))
    print(generate(run, "The "))

The public names are imported when they are first used, so that ``import rnn_magics`` does not
wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rnn_magics.batching import BATCHERS, BatchConfig, Batches, make_batches
    from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
    from rnn_magics.decoding.generate import Generation, generate, generate_many
    from rnn_magics.decoding.score import Score, score
    from rnn_magics.errors import RNNMagicsError
    from rnn_magics.inspection.doctor import Diagnosis, diagnose
    from rnn_magics.models.cells import CELLS, Cell
    from rnn_magics.models.rnn_model import ModelConfig, RNNModel
    from rnn_magics.text.corpus import Corpus, CorpusConfig
    from rnn_magics.text.statistics import text_statistics
    from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer
    from rnn_magics.text.vocab import Vocab, VocabConfig
    from rnn_magics.training.baseline import BaselineConfig, Ladder, fit_ladder
    from rnn_magics.training.config import TrainConfig
    from rnn_magics.training.evaluation import evaluate
    from rnn_magics.training.honest import TextEvaluation, evaluate_text
    from rnn_magics.training.loop import train
    from rnn_magics.training.recipes import RECIPES
    from rnn_magics.training.run import Run
    from rnn_magics.training.standing import Standing, standing

__version__ = "0.1.0"

_HOMES = {
    "BATCHERS": "batching",
    "BaselineConfig": "training.baseline",
    "BatchConfig": "batching",
    "Batches": "batching",
    "CELLS": "models.cells",
    "Cell": "models.cells",
    "Corpus": "text.corpus",
    "CorpusConfig": "text.corpus",
    "DECODERS": "decoding.decoders",
    "DecodingConfig": "decoding.decoders",
    "Diagnosis": "inspection.doctor",
    "Generation": "decoding.generate",
    "Ladder": "training.baseline",
    "ModelConfig": "models.rnn_model",
    "RECIPES": "training.recipes",
    "RNNMagicsError": "errors",
    "RNNModel": "models.rnn_model",
    "Run": "training.run",
    "Score": "decoding.score",
    "Standing": "training.standing",
    "TextEvaluation": "training.honest",
    "TOKENIZERS": "text.tokenizers",
    "Tokenizer": "text.tokenizers",
    "TrainConfig": "training.config",
    "Vocab": "text.vocab",
    "VocabConfig": "text.vocab",
    "diagnose": "inspection.doctor",
    "evaluate": "training.evaluation",
    "evaluate_text": "training.honest",
    "fit_ladder": "training.baseline",
    "generate": "decoding.generate",
    "generate_many": "decoding.generate",
    "make_batches": "batching",
    "score": "decoding.score",
    "standing": "training.standing",
    "text_statistics": "text.statistics",
    "train": "training.loop",
}

__all__ = [
    "BATCHERS",
    "CELLS",
    "DECODERS",
    "RECIPES",
    "TOKENIZERS",
    "BaselineConfig",
    "BatchConfig",
    "Batches",
    "Cell",
    "Corpus",
    "CorpusConfig",
    "DecodingConfig",
    "Diagnosis",
    "Generation",
    "Ladder",
    "ModelConfig",
    "RNNMagicsError",
    "RNNModel",
    "Run",
    "Score",
    "Standing",
    "TextEvaluation",
    "Tokenizer",
    "TrainConfig",
    "Vocab",
    "VocabConfig",
    "diagnose",
    "evaluate",
    "evaluate_text",
    "fit_ladder",
    "generate",
    "generate_many",
    "load_ipython_extension",
    "make_batches",
    "score",
    "standing",
    "text_statistics",
    "train",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted([*globals(), *_HOMES])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics: ``%load_ext rnn_magics``."""
    from rnn_magics.notebook.extension import load  # noqa: PLC0415  (IPython only when asked for)

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything back that loading registered: ``%unload_ext rnn_magics``."""
    from rnn_magics.notebook.extension import unload  # noqa: PLC0415

    unload(shell)
