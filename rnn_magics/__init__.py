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
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rnn_magics.batching import BATCHERS, BatchConfig, Batches, make_batches
    from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
    from rnn_magics.decoding.from_ngram import write_ngram
    from rnn_magics.decoding.generate import Generation, generate, generate_many
    from rnn_magics.decoding.score import Score, score_text
    from rnn_magics.errors import RNNMagicsError
    from rnn_magics.handout.script import Script, write_script
    from rnn_magics.inspection.doctor import Diagnosis, diagnose
    from rnn_magics.inspection.epochs import Epochs, inspect_epochs
    from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, inspect_rnn
    from rnn_magics.inspection.novelty import Novelty, measure_novelty
    from rnn_magics.inspection.overlap import check_overlap
    from rnn_magics.inspection.views.gates import GatesConfig
    from rnn_magics.inspection.views.gradient import GradientConfig
    from rnn_magics.inspection.views.hidden import HiddenConfig
    from rnn_magics.inspection.views.match import MatchConfig
    from rnn_magics.inspection.views.surprise import SurpriseConfig
    from rnn_magics.inspection.views.units import UnitsConfig
    from rnn_magics.inspection.views.windows import WindowsConfig
    from rnn_magics.models.cells import CELLS, Cell
    from rnn_magics.models.interpolation import Interpolation, interpolate
    from rnn_magics.models.ngram import NgramModel, fit_ngram
    from rnn_magics.models.rnn_model import ModelConfig, RNNModel
    from rnn_magics.models.sentences import fit_sentences, sentence_log_probs
    from rnn_magics.reports.baselines import BaselineComparison, compare_with_baselines
    from rnn_magics.reports.mixture import MixtureEvaluation, evaluate_mixture
    from rnn_magics.reports.run_report import RunReport, report_run
    from rnn_magics.reports.seeds import SeedRuns, train_seeds
    from rnn_magics.reports.texts import Evaluations, TextEvaluation, evaluate_text, evaluate_texts
    from rnn_magics.scores.evaluation import evaluate
    from rnn_magics.scores.ladder import BaselineConfig, Ladder, fit_ladder
    from rnn_magics.storage.checkpointing import Checkpointing
    from rnn_magics.storage.loading import load_run
    from rnn_magics.storage.model_file import save_run
    from rnn_magics.storage.resume import resume_run
    from rnn_magics.storage.run_folder import checkpoint_epochs, kept_runs
    from rnn_magics.text.corpus import Corpus, CorpusConfig
    from rnn_magics.text.reading.download import DownloadConfig
    from rnn_magics.text.statistics import text_statistics
    from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer
    from rnn_magics.text.vocab import Vocab, VocabConfig
    from rnn_magics.training.config import TrainConfig
    from rnn_magics.training.loop import train
    from rnn_magics.training.recipes import RECIPES
    from rnn_magics.training.run import Run

__version__ = "0.1.0"

_HOMES = {
    "BaselineComparison": "reports.baselines",
    "BaselineConfig": "scores.ladder",
    "BatchConfig": "batching",
    "BATCHERS": "batching",
    "Batches": "batching",
    "Cell": "models.cells",
    "CELLS": "models.cells",
    "check_overlap": "inspection.overlap",
    "checkpoint_epochs": "storage.run_folder",
    "Checkpointing": "storage.checkpointing",
    "Corpus": "text.corpus",
    "compare_with_baselines": "reports.baselines",
    "CorpusConfig": "text.corpus",
    "DECODERS": "decoding.decoders",
    "DecodingConfig": "decoding.decoders",
    "diagnose": "inspection.doctor",
    "Diagnosis": "inspection.doctor",
    "DownloadConfig": "text.reading.download",
    "Epochs": "inspection.epochs",
    "evaluate": "scores.evaluation",
    "evaluate_mixture": "reports.mixture",
    "evaluate_text": "reports.texts",
    "evaluate_texts": "reports.texts",
    "Evaluations": "reports.texts",
    "fit_ladder": "scores.ladder",
    "fit_ngram": "models.ngram",
    "fit_sentences": "models.sentences",
    "GatesConfig": "inspection.views.gates",
    "generate": "decoding.generate",
    "generate_many": "decoding.generate",
    "Generation": "decoding.generate",
    "GradientConfig": "inspection.views.gradient",
    "HiddenConfig": "inspection.views.hidden",
    "inspect_epochs": "inspection.epochs",
    "inspect_rnn": "inspection.inspectors",
    "Inspector": "inspection.inspectors",
    "INSPECTORS": "inspection.inspectors",
    "interpolate": "models.interpolation",
    "Interpolation": "models.interpolation",
    "kept_runs": "storage.run_folder",
    "Ladder": "scores.ladder",
    "load_run": "storage.loading",
    "make_batches": "batching",
    "MatchConfig": "inspection.views.match",
    "measure_novelty": "inspection.novelty",
    "MixtureEvaluation": "reports.mixture",
    "ModelConfig": "models.rnn_model",
    "NgramModel": "models.ngram",
    "Novelty": "inspection.novelty",
    "RECIPES": "training.recipes",
    "report_run": "reports.run_report",
    "resume_run": "storage.resume",
    "RNNMagicsError": "errors",
    "RNNModel": "models.rnn_model",
    "Run": "training.run",
    "RunReport": "reports.run_report",
    "save_run": "storage.model_file",
    "Score": "decoding.score",
    "score_text": "decoding.score",
    "Script": "handout.script",
    "SeedRuns": "reports.seeds",
    "sentence_log_probs": "models.sentences",
    "SurpriseConfig": "inspection.views.surprise",
    "text_statistics": "text.statistics",
    "TextEvaluation": "reports.texts",
    "Tokenizer": "text.tokenizers",
    "TOKENIZERS": "text.tokenizers",
    "train": "training.loop",
    "train_seeds": "reports.seeds",
    "TrainConfig": "training.config",
    "UnitsConfig": "inspection.views.units",
    "Vocab": "text.vocab",
    "VocabConfig": "text.vocab",
    "WindowsConfig": "inspection.views.windows",
    "write_ngram": "decoding.from_ngram",
    "write_script": "handout.script",
}

__all__ = [
    "BATCHERS",
    "CELLS",
    "DECODERS",
    "INSPECTORS",
    "RECIPES",
    "TOKENIZERS",
    "BaselineComparison",
    "BaselineConfig",
    "BatchConfig",
    "Batches",
    "Cell",
    "Checkpointing",
    "Corpus",
    "CorpusConfig",
    "DecodingConfig",
    "Diagnosis",
    "DownloadConfig",
    "Epochs",
    "Evaluations",
    "GatesConfig",
    "Generation",
    "GradientConfig",
    "HiddenConfig",
    "Inspector",
    "Interpolation",
    "Ladder",
    "MatchConfig",
    "MixtureEvaluation",
    "ModelConfig",
    "NgramModel",
    "Novelty",
    "RNNMagicsError",
    "RNNModel",
    "Run",
    "RunReport",
    "Score",
    "Script",
    "SeedRuns",
    "SurpriseConfig",
    "TextEvaluation",
    "Tokenizer",
    "TrainConfig",
    "UnitsConfig",
    "Vocab",
    "VocabConfig",
    "WindowsConfig",
    "check_overlap",
    "checkpoint_epochs",
    "compare_with_baselines",
    "diagnose",
    "evaluate",
    "evaluate_mixture",
    "evaluate_text",
    "evaluate_texts",
    "fit_ladder",
    "fit_ngram",
    "fit_sentences",
    "generate",
    "generate_many",
    "inspect_epochs",
    "inspect_rnn",
    "interpolate",
    "kept_runs",
    "load_ipython_extension",
    "load_run",
    "make_batches",
    "measure_novelty",
    "report_run",
    "resume_run",
    "save_run",
    "score_text",
    "sentence_log_probs",
    "text_statistics",
    "train",
    "train_seeds",
    "unload_ipython_extension",
    "write_ngram",
    "write_script",
]


_RENAMED = {
    "score": "score_text",
    "Standing": "BaselineComparison",
    "standing": "compare_with_baselines",
}
"""Names that still work in this release, by what they are called now."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _RENAMED:
        msg = f"rnn_magics.{name} is called rnn_magics.{_RENAMED[name]} now"
        warnings.warn(msg, DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from rnn_magics.interrupts import whole_imports  # noqa: PLC0415  (itself only when needed)

    with whole_imports():
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
