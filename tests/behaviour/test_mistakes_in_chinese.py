"""Typical mistakes are answered in Chinese, with no English word but names.

What Python, torch or the operating system say of an error stays in their own words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.forecast import forecast_series
from rnn_magics.decoding.form import CHARACTER_CLASSES, Form
from rnn_magics.decoding.from_ngram import write_ngram
from rnn_magics.decoding.generate import generate, generate_many
from rnn_magics.decoding.score import score_text
from rnn_magics.errors import (
    BatchError,
    ConfigError,
    CorpusError,
    DecodingError,
    DeviceError,
    ModelError,
    RNNMagicsError,
    StorageError,
    TrainingError,
    VocabError,
)
from rnn_magics.handout.script import write_script
from rnn_magics.language import speaking
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.ngram import fit_ngram
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.notebook.show.status import KeptRuns
from rnn_magics.options import describe
from rnn_magics.scores.evaluation import evaluate
from rnn_magics.scores.ladder import BaselineConfig, fit_ladder
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import last_run
from rnn_magics.storage.run_folder import KeptRun
from rnn_magics.storage.strict import Fields, dumps, loads, read_options
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.reading.download import DownloadConfig, download
from rnn_magics.text.reading.sources import BUILTINS
from rnn_magics.text.series.levels import LevelsConfig
from rnn_magics.text.series.read import read_series
from rnn_magics.text.statistics import fit_zipf
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.tasks.rules import TASKS
from rnn_magics.text.tasks.stream import TaskConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, train
from rnn_magics.training.run import Run


@dataclass(frozen=True)
class Desk:
    """A corpus, its minibatches, and a folder."""

    corpus: Corpus
    batches: Batches
    vocab: Vocab
    folder: Path

    def run(self, **model: Any) -> Run:
        """Return a run that has not begun."""
        return begin(self.batches, small(**model), TrainConfig(threads=1))[0]

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


def small(**options: Any) -> ModelConfig:
    return ModelConfig.from_dict({"num_hiddens": 4, **options})


def begun(desk: Desk, **options: Any) -> object:
    return begin(desk.batches, small(), TrainConfig(**options))


def of_others(desk: Desk) -> RNNModel:
    model = RNNModel(small(), len(desk.vocab))
    model.vocab = Vocab.from_corpus(Corpus.from_text("zyxwvu" * 9))
    return model


def steered_at_rest(desk: Desk) -> None:
    run, state = begin(desk.batches, small(), TrainConfig(threads=1))
    Job(run, state).steer(lr=0.1)


def diverged(desk: Desk) -> Run:
    run = desk.run()
    with torch.no_grad():
        run.model.output.bias[0] = math.nan
    return run


def damaged(desk: Desk) -> Path:
    path = save_run(desk.run(), desk.folder / "first.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-40] + bytes(8) + content[-32:])
    return path


def pickled(desk: Desk) -> Path:
    path = desk.folder / "first.safetensors"
    torch.save({"a": 1}, path)
    return path


def formed(desk: Desk, **options: Any) -> object:
    return generate(desk.run(), "the ", form=Form(**options))


def twice() -> dict[str, Any]:
    return {**Vocab("a").to_dict(), "token_freqs": [["a", 2], ["a", 1]]}


def saved(**changes: Any) -> dict[str, Any]:
    return {**ModelConfig().to_dict(), **changes}


@pytest.fixture
def desk(corpus: Corpus, batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    assert batches.vocab is not None
    return Desk(corpus, batches, batches.vocab, tmp_path)


MISTAKES: dict[str, tuple[type[RNNMagicsError], Callable[[Desk], object]]] = {
    # Options: the type, the range, the choice, what excludes what.
    "range": (ConfigError, lambda _: TrainConfig(lr=-1.0)),
    "interval": (ConfigError, lambda _: TrainConfig(warmup=1.5)),
    "type": (ConfigError, lambda _: TrainConfig(epochs="many")),  # type: ignore[arg-type]
    "type or word": (ConfigError, lambda _: DecodingConfig(seed="odd")),  # type: ignore[arg-type]
    "choice": (ConfigError, lambda _: ModelConfig(cell="grru")),
    "key": (ConfigError, lambda _: TrainConfig.from_dict({"ephocs": 3})),
    "removed": (ConfigError, lambda _: TrainConfig(optimizer="muon")),
    "tie": (ConfigError, lambda _: ModelConfig(tie=True, bidirectional=True)),
    "embedding": (ConfigError, lambda _: ModelConfig(tie=True, embedding_size=3)),
    "greedy": (ConfigError, lambda _: DecodingConfig(greedy=True, temperature=0.5)),
    "beam": (ConfigError, lambda _: DecodingConfig(beam=2, decoder="greedy")),
    "order": (ConfigError, lambda _: BaselineConfig("0-3")),
    "period": (ConfigError, lambda _: Checkpointing("kept", every="often")),
    "no folder": (ConfigError, lambda _: Checkpointing().require_place()),
    "hex": (ConfigError, lambda _: DownloadConfig(sha256="xyz")),
    "name": (ConfigError, lambda desk: begin(desk.batches, name="a\nb")),
    # A text: where it is, how it is encoded, what is left of it.
    "no text": (CorpusError, lambda _: Corpus.load("tine_machine")),
    "no file": (CorpusError, lambda _: Corpus.load("nowhere/book.txt")),
    "no files": (CorpusError, lambda desk: Corpus.load(str(desk.folder))),
    "no match": (CorpusError, lambda _: Corpus.load("*.text")),
    "no user": (CorpusError, lambda _: Corpus.load("~nobody-of-this-name/book.txt")),
    "no name": (CorpusError, lambda _: Corpus.load([])),
    "scheme": (CorpusError, lambda _: Corpus.load("ftp://example.org/book.txt")),
    "host": (CorpusError, lambda _: download("http:///book.txt")),
    "port": (CorpusError, lambda _: download("http://127.0.0.1:1/book.txt")),
    "encoding": (CorpusError, lambda desk: Corpus.load(desk.file("a.txt", b"caf\xe9 noir\n" * 9))),
    "codec": (CorpusError, lambda desk: Corpus.load(desk.file("a.txt", b"a"), encoding="utf-9")),
    "binary": (CorpusError, lambda desk: Corpus.load(desk.file("a.txt", bytes(range(256))))),
    "nothing left": (
        CorpusError,
        lambda _: Corpus.from_text("12", CorpusConfig(lower=True, d2l=True)),
    ),
    "pdf": (CorpusError, lambda desk: Corpus.load(desk.file("a.txt", b"%PDF-1.7 text"))),
    "empty": (CorpusError, lambda d: Corpus.load(d.file("a.zip", b"PK\5\6" + bytes(18)))),
    "fields": (CorpusError, lambda desk: Corpus.load(desk.file("a.jsonl", b'{"a": 1, "b": 2}'))),
    "number of cells": (CorpusError, lambda desk: Corpus.load(desk.file("a.csv", b"a\n1,2\n"))),
    "a value": (CorpusError, lambda desk: Corpus.load(desk.file("a.json", b"[5]"))),
    "a string": (CorpusError, lambda _: Corpus.from_data("text", field="a")),
    "a number": (CorpusError, lambda _: Corpus.from_data(3)),
    "a set": (CorpusError, lambda _: Corpus.from_data({1, 2})),
    "a mapping": (CorpusError, lambda _: Corpus.from_data({"a": 1})),
    "a matrix": (CorpusError, lambda _: Corpus.from_data(np.zeros((2, 2)))),
    "nan": (CorpusError, lambda _: Corpus.from_data([1.0, math.nan])),
    "a list in it": (CorpusError, lambda _: Corpus.from_data([1, [2]])),
    "a gap in it": (CorpusError, lambda _: Corpus.from_data(["a", None])),
    "cleaned tokens": (CorpusError, lambda _: Corpus.from_tokens("ab", CorpusConfig(lower=True))),
    "given": (CorpusError, lambda desk: desk.corpus.numbered("given")),
    "zipf": (CorpusError, lambda _: fit_zipf([3])),
    # A vocabulary and minibatches.
    "reserved": (
        VocabError,
        lambda desk: Vocab.from_corpus(desk.corpus, VocabConfig(max_size=1, reserved=("<s>",))),
    ),
    "index": (VocabError, lambda desk: desk.vocab.to_tokens([10_000])),
    "vocabulary": (VocabError, lambda _: Vocab.from_json("{}")),
    "twice": (VocabError, lambda _: Vocab.from_dict(twice())),
    "too short": (
        VocabError,
        lambda _: Vocab.from_corpus(Corpus.from_text("ab", CorpusConfig(valid=0.5))),
    ),
    "batch size": (
        BatchError,
        lambda desk: make_batches(desk.corpus, desk.vocab, BatchConfig(batch_size=1000)),
    ),
    "indices": (BatchError, lambda _: Batches([0.5, 1.5])),  # type: ignore[list-item]
    "shape": (BatchError, lambda _: Batches(torch.zeros(2, 2, dtype=torch.long))),
    "one token": (BatchError, lambda _: evaluate(RNNModel(small(), 3), torch.tensor([1]))),
    "high order": (
        BatchError,
        lambda desk: fit_ladder(Corpus.from_text("the"), desk.vocab, BaselineConfig("5")),
    ),
    # Models and training.
    "no tokens": (ModelError, lambda _: RNNModel(ModelConfig(), 0)),
    "low order": (ModelError, lambda _: fit_ngram(np.arange(9), 9, 0)),
    "few tokens": (ModelError, lambda _: fit_ngram(np.arange(2), 9, 3)),
    "mixture": (ModelError, lambda _: interpolate(np.zeros(2), np.zeros(3))),
    "diverged": (ModelError, lambda desk: generate(diverged(desk), "the ")),
    "device": (DeviceError, lambda desk: begun(desk, device="banana")),
    "other device": (DeviceError, lambda desk: begun(desk, device="meta")),
    "no such device": (DeviceError, lambda desk: begun(desk, device="cuda:63")),
    "precision": (DeviceError, lambda desk: begun(desk, device="cpu", precision="bf16")),
    "memory": (TrainingError, lambda desk: begin(desk.batches, ModelConfig(num_hiddens=10**7))),
    "other model": (TrainingError, lambda desk: begin(desk.batches, of_others(desk))),
    "ended": (TrainingError, steered_at_rest),
    "handout": (TrainingError, lambda desk: write_script(desk.run(), desk.corpus)),
    # Files.
    "no run": (StorageError, lambda _: load_run("first.safetensors")),
    "other file": (StorageError, lambda desk: load_run(desk.file("a.safetensors", b"text" * 99))),
    "pickle": (StorageError, lambda desk: load_run(pickled(desk))),
    "damaged": (StorageError, lambda desk: load_run(damaged(desk))),
    "no run there": (StorageError, lambda desk: load_run(desk.folder)),
    "in the way": (StorageError, lambda desk: save_run(desk.run(), desk.file("book.txt", b"text"))),
    "no place": (StorageError, lambda desk: save_run(desk.run(), "nowhere/first.safetensors")),
    "no kept run": (StorageError, lambda _: last_run()),
    "form": (StorageError, lambda _: loads("{ }")),
    "not plain": (StorageError, lambda _: dumps({1: 2})),
    "field": (StorageError, lambda _: Fields({"steps": "3"}, "run").count("steps")),
    "no field": (StorageError, lambda _: Fields({}, "run").take("steps")),
    "unknown field": (StorageError, lambda _: Fields({"steps": 3}, "run").end()),
    "own cell": (StorageError, lambda _: read_options(ModelConfig, saved(cell="mine"))),
    # Texts that are written or read.
    "empty prefix": (DecodingError, lambda desk: generate(desk.run(), "")),
    "backwards": (DecodingError, lambda desk: generate(desk.run(bidirectional=True), "the ")),
    "stop": (
        DecodingError,
        lambda desk: generate(desk.run(), "the ", DecodingConfig(stop="the end")),
    ),
    "stop escaped": (
        DecodingError,
        lambda desk: generate(desk.run(), "the ", DecodingConfig(stop="\\n")),
    ),
    "length": (
        DecodingError,
        lambda desk: generate(desk.run(), "the ", DecodingConfig(length=10**9)),
    ),
    "number": (DecodingError, lambda desk: generate_many(desk.run(), "the ", num=0)),
    "many beams": (
        DecodingError,
        lambda desk: generate_many(desk.run(), "the ", DecodingConfig(beam=2), num=2),
    ),
    "one to score": (DecodingError, lambda desk: score_text(desk.run(), "t")),
    "many beginnings": (ConfigError, lambda _: Form(lines=1, starts=("a", "b"))),
    "rhyme alone": (ConfigError, lambda _: Form(rhymes={"light": "ight"})),
    "no dict": (ConfigError, lambda _: Form(lines=4, rhymes=3)),  # type: ignore[arg-type]
    "no beginning": (DecodingError, lambda desk: formed(desk, starts=("",))),
    "unknown beginning": (DecodingError, lambda desk: formed(desk, starts=("€",))),
    "long beginning": (DecodingError, lambda desk: formed(desk, starts=("the",), line_length=2)),
    "no room": (DecodingError, lambda desk: formed(desk, lines=400)),
    "nothing of a class": (DecodingError, lambda desk: formed(desk, only=("han",))),
    "no rhyme": (DecodingError, lambda desk: formed(desk, lines=4, rhymes={"x": "x"})),
    "no series": (DecodingError, lambda desk: forecast_series(desk.run(), "0 1")),
    "no levels": (ConfigError, lambda _: read_series([1.0, 2.0], LevelsConfig())),
    "a constant": (CorpusError, lambda _: read_series([1.0] * 99, LevelsConfig(levels=2))),
    "a hole": (CorpusError, lambda _: read_series([1.0, math.nan], LevelsConfig(levels=2))),
    "few values": (CorpusError, lambda _: read_series([1.0, 2.0], LevelsConfig(levels=9))),
    "task": (ConfigError, lambda _: task_corpus("parity", TaskConfig(delay=3))),
    "task of two": (ConfigError, lambda _: task_corpus("adding", TaskConfig(length=1))),
    "beam of n-grams": (
        DecodingError,
        lambda desk: write_ngram(
            fit_ngram(np.arange(9), 9, 2), desk.vocab, "the ", DecodingConfig(beam=2)
        ),
    ),
}

# Names that a Chinese reader meets in English, too: of formats, units, devices and of code.
NAMES = {
    *("rnn_magics", "JSON", "pickle", "torch", "sha256", "num_tokens", "DIR", "beam", "num"),
    *("MB", "GB", "PB", "cpu", "cuda", "mps", "CUDA", "bf16", "int64", "float64", "nan", "None"),
    *("utf", "cp1252", "gb18030", "shift_jis", "unk", "batch_size", "num_steps", "run", "steps"),
    *("NAME", "dict", "rhymes", "pandas", "interpolate", "PDF", "Python"),
}
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
TYPED = re.compile(
    r"--[a-z0-9-]+"  # an option
    r"|%rnn runs|%\w+"  # a magic
    r"|\w+\([\w., ]*\)|\w+(?:\.\w+)+"  # a call, and a name with dots
    r"|\w+Error|\w+ 对象"  # a class
    r"|https?://\S*|/\S+|0x\w+"  # an address, a path, a byte
    r"|\(café noir[^)]*\)"  # a glimpse of the text that is read
)


def english_words(message: str) -> set[str]:
    """Return the words of a message that are neither typed, nor quoted, nor names."""
    plain = TYPED.sub(" ", QUOTED.sub(" ", message))
    return set(re.findall(r"[A-Za-z]\w+", plain, re.ASCII)) - NAMES - options_and_choices()


@cache
def options_and_choices() -> frozenset[str]:
    kinds = (
        *(TrainConfig, ModelConfig, DecodingConfig, BaselineConfig, Checkpointing, VocabConfig),
        *(Form, LevelsConfig, TaskConfig),
    )
    fields = [field for kind in kinds for field in describe(kind)]
    choices = {word for field in fields if field.choices for word in field.choices()}
    names = {field.name for field in fields} | {kind.__name__ for kind in kinds}
    return frozenset(names | choices | {*BUILTINS, *TASKS, *CHARACTER_CLASSES})


def test_english_words_are_seen() -> None:
    assert english_words("there is no file 'a b': type %corpus, with --valid 0.1 or lr") == {
        *("there", "is", "no", "file", "type", "with", "or")
    }


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_in_chinese(desk: Desk, name: str) -> None:
    kind, make = MISTAKES[name]
    with pytest.raises(kind) as caught, speaking("zh"):
        make(desk)
    message = str(caught.value)
    assert re.search("[\u4e00-\u9fff]", message), message
    assert english_words(message) == set(), message
    assert "\n" not in message
    assert not re.search(r"\{\w*[!:}]", message)


def kept(state: str) -> KeptRun:
    return KeptRun(Path("/kept"), "run", "gru", 1, 2, 3.0, None, state)


RESULTS: dict[str, Callable[[Desk], object]] = {
    "corpus": lambda desk: desk.corpus,
    "tokens": lambda _: Corpus.from_tokens([1, 2, 3], CorpusConfig(max_tokens=2)),
    "vocab": lambda desk: desk.vocab,
    "batches": lambda desk: desk.batches,
    "run": lambda desk: train(desk.batches, small(), TrainConfig(epochs=1, threads=1)),
    "run at rest": lambda desk: desk.run(num_layers=2, bidirectional=True),
    "generation": lambda desk: generate(desk.run(), "the € ", DecodingConfig(length=5)),
    "score": lambda desk: score_text(desk.run(), "the time"),
    "ladder": lambda desk: fit_ladder(desk.corpus, desk.vocab, BaselineConfig("1-2")),
    "kept runs": lambda _: KeptRuns([kept("epochs"), kept("not ended")]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_shown_in_chinese(desk: Desk, name: str) -> None:
    result = RESULTS[name](desk)
    in_english = repr(result)
    with speaking("zh"):
        told = repr(result)
    assert re.search("[\u4e00-\u9fff]", told), told
    assert not re.search("[\u4e00-\u9fff]", in_english), in_english
    names = {type(result).__name__, "GPU"}
    assert english_words(told) <= names, told


def test_an_option_of_ones_own_gets_its_advice_in_every_language() -> None:
    with pytest.raises(StorageError, match="register it again"):
        read_options(ModelConfig, saved(cell="mine"))
    with pytest.raises(StorageError, match="重新注册"), speaking("zh"):
        read_options(ModelConfig, saved(cell="mine"))
    with pytest.raises(StorageError) as caught:
        read_options(ModelConfig, saved(num_hiddens=0))
    assert "register" not in str(caught.value)
