"""A run written out: the script trains the same model, in a process that knows torch alone."""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from rnn_magics import (
    CELLS,
    Corpus,
    ModelConfig,
    RNNMagicsError,
    TrainConfig,
    Vocab,
    VocabConfig,
    make_batches,
    train,
)
from rnn_magics.batching import BatchConfig
from rnn_magics.handout.script import Script, write_script
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.text.reading.python_texts import PYTHON_TEXTS
from rnn_magics.training.config import OPTIMIZERS, OptimizerKind
from rnn_magics.training.history import History
from rnn_magics.training.machine.device import choose_device
from rnn_magics.training.run import Run, RunConfig
from tests.conftest import TEXT
from tests.fresh_torch import Runs, fresh_torch

TRAIN = TrainConfig(epochs=2, threads=1)
MIXED = (TEXT + 'He didn\'t say 12 <unk> "things": one_two!\n\u2019tis {x} \\ done.\n') * 2


def made(
    model: ModelConfig,
    config: TrainConfig,
    *,
    data: Any = TEXT,
    cleaning: CorpusConfig | None = None,
    vocab: VocabConfig | None = None,
    batching: BatchConfig | None = None,
) -> tuple[Run, Corpus]:
    corpus = Corpus.from_data(data, cleaning or CorpusConfig(valid=0.4), name="tiny")
    words = Vocab.from_corpus(corpus, vocab)
    batches = make_batches(corpus, words, batching or BatchConfig(batch_size=4, num_steps=8))
    return train(batches, model, replace(config, threads=1)), corpus


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with fresh_torch("held_out") as found:
        yield found


HeldOut = Callable[[Script], float]


@pytest.fixture
def held_out(runs: Runs, tmp_path: Path) -> HeldOut:
    """Run a script in a fresh process without our package, and return what it has scored."""

    def found(script: Script) -> float:
        path = tmp_path / "script.py"
        path.write_text(script.source, encoding="utf-8")
        return float(runs(path, tmp_path).splitlines()[-1])

    return found


def assert_well_formed(script: Script, folder: Path) -> None:
    """A formatter changes nothing, a linter finds nothing unused, and it is a short read."""
    path = folder / "formatted.py"
    # Without the name of a folder that is longer where several processes test.
    path.write_text(script.source.replace(str(folder), "folder"), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for words in (
        ["format", "--isolated", "--check", "--line-length", "88"],
        ["format", "--isolated", "--check", "--line-length", "100"],
        ["check", "--isolated", "--select", "F,I,B,SIM,UP,E4,E7,E9"],
    ):
        done = subprocess.run([*ruff, *words, path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(script.source.splitlines()) < 150


CLEANED = CorpusConfig(d2l=True, valid=0.3)
WORDS = VocabConfig("word", reserved=("<bos>",))
LONGEST_TEXT = 'it\'s 12 <unk> "things": one_two! e\u0301 <bos>\n' * 30


@functools.cache
def text_of(data: Any, cleaning: CorpusConfig, vocab: VocabConfig) -> tuple[Corpus, Vocab]:
    corpus = Corpus.from_data(data, cleaning, name="tiny")
    return corpus, Vocab.from_corpus(corpus, vocab)


def length(
    model: ModelConfig,
    config: TrainConfig,
    cleaning: CorpusConfig,
    vocab: VocabConfig,
    batching: str = "seq",
    evaluated: int = 5000,
    data: Any = LONGEST_TEXT,
) -> int:
    """Return how long the script of a run is that was never trained; compile it as well."""
    corpus, words = text_of(data, cleaning, vocab)
    numbered = corpus.numbered(words.token, words.config.reserved)
    num_tokens, num_train = numbered.size, numbered.num_train
    reached = [5.0] if num_tokens > num_train and evaluated else []
    run = Run(
        "tiny",
        cast("RNNModel", None),
        words,
        RunConfig(model, config, BatchConfig(batching, 4, 5)),
        choose_device("cpu"),
        (corpus.name, corpus.fingerprint),
        num_train,
        evaluated,
        history=History(
            train_perplexity=list(reached),
            valid_perplexity=list(reached),
            valid_bits=[2.3 for _ in reached],
        ),
        reason="epochs",
    )
    source = write_script(run, corpus, "text.txt").source
    compile(source, "script", "exec")
    return len(source.splitlines())


def test_every_model_and_training_makes_a_script_of_less_than_150_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the text that takes the most lines; the lines of a text depend on no model."""
    monkeypatch.chdir(tmp_path)
    models = [
        ModelConfig(cell, 8, num_layers=layers, dropout=dropout, embedding_size=size, tie=tie)
        for cell, layers, dropout in itertools.product(
            ("rnn", "gru", "lstm", "mingru", "minlstm"), (1, 2), (0.0, 0.3)
        )
        for size, tie in ((None, False), (5, False), (None, True))
    ]
    trainings = [
        TrainConfig(epochs=1, clip=clip, schedule=schedule, warmup=warmup, threads=1)
        for clip in (None, 1.0)
        for schedule, warmup in itertools.product(("constant", "linear", "cosine"), (0.0, 0.1))
    ]
    # A model and a training take their lines apart, so the longest of each make the longest.
    model = max(models, key=lambda model: length(model, TRAIN, CLEANED, WORDS))
    others = itertools.product(trainings, ("seq", "random"), (0, 100, 5000))
    lengths = [
        length(model, config, CLEANED, WORDS, batching, evaluated)
        for config, batching, evaluated in others
    ]
    assert 140 < max(lengths) < 150  # else these would be no extremes


def test_every_text_makes_a_script_of_less_than_150_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the model and training that take the most lines."""
    monkeypatch.chdir(tmp_path)
    model = ModelConfig("gru", 8, num_layers=2, dropout=0.3)
    config = TrainConfig(epochs=1, threads=1)
    cleanings = [
        CorpusConfig(lower=lower, letters_only=letters, d2l=d2l, max_tokens=most, valid=valid)
        for lower, letters, d2l in itertools.product((False, True), repeat=3)
        for most, valid in ((None, 0.0), (280, 0.3), (None, 0.3))
        if not (d2l and (lower or letters))
    ]
    vocabs = [
        VocabConfig(token, min_freq=least, max_size=most, reserved=reserved)
        for token, least, most in itertools.product(("char", "word"), (1, 2), (None, 20))
        for reserved in ((), ("<bos>",))
    ]
    lengths = {}
    for number, (cleaning, vocab) in enumerate(itertools.product(cleanings, vocabs)):
        (tmp_path / str(number)).mkdir()  # the text differs with the cleaning
        monkeypatch.chdir(tmp_path / str(number))
        lengths[cleaning, vocab] = length(model, config, cleaning, vocab)
    longest = max(lengths, key=lengths.__getitem__)
    assert lengths[longest] < 150, longest
    assert lengths[CLEANED, WORDS] == lengths[longest], longest  # which the test above has, too


@pytest.mark.parametrize("d2l", [False, True])
@pytest.mark.parametrize("token", ["char", "word"])
@pytest.mark.parametrize("source", [*PYTHON_TEXTS, "file"])
def test_a_text_that_is_read_again_makes_a_script_that_runs(
    tmp_path: Path,
    held_out: HeldOut,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    token: str,
    *,
    d2l: bool,
) -> None:
    """As the book prepares its text, from a file and from a built-in one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    name = source if source in PYTHON_TEXTS else str(tmp_path / "text.txt")
    corpus = Corpus.load(name, CorpusConfig(d2l=d2l, max_tokens=300, valid=0.3))
    words = Vocab.from_corpus(corpus, VocabConfig(token))
    batches = make_batches(corpus, words, BatchConfig(batch_size=2, num_steps=8))
    run = train(batches, ModelConfig("rnn", 4), replace(TRAIN, threads=1))
    script = write_script(run, corpus)
    assert_well_formed(script, tmp_path)
    assert held_out(script) == pytest.approx(run.valid_perplexity, rel=1e-6)


@pytest.mark.parametrize("d2l", [False, True])
@pytest.mark.parametrize("from_file", [False, True])
def test_a_test_part_is_no_part_of_a_script(
    tmp_path: Path, held_out: HeldOut, *, from_file: bool, d2l: bool
) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    config = CorpusConfig(d2l=d2l, valid=0.3, test=0.2)
    path = tmp_path / "text.txt"
    corpus = Corpus.load(str(path), config) if from_file else Corpus.from_text(TEXT, config)
    batches = make_batches(
        corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=2, num_steps=8)
    )
    run = train(batches, ModelConfig("rnn", 4), replace(TRAIN, threads=1))
    script = write_script(run, corpus)
    assert ("the rest is the test part" in script.source) is from_file
    assert held_out(script) == pytest.approx(run.valid_perplexity, rel=1e-6)


def test_the_best_weights_are_those_of_no_script() -> None:
    run, corpus = made(ModelConfig("rnn", 4), TRAIN)
    run.weights_from = 3
    with pytest.raises(RNNMagicsError, match="it has its best weights, which a short script"):
        write_script(run, corpus)


def test_what_would_be_too_long_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    many = VocabConfig("char", reserved=tuple(f"<{'token' * 4}-{i}>" for i in range(40)))
    with pytest.raises(
        RNNMagicsError, match=r"a handout has at most 149; 40 reserved tokens take too many"
    ):
        length(ModelConfig("gru", 8), TRAIN, CLEANED, many)
    assert list(tmp_path.iterdir()) == []


# Each value of each option at least once, and the pairs that share a piece.
MODELS: dict[str, tuple[ModelConfig, TrainConfig, dict[str, Any]]] = {
    "gru, seq, cosine": (ModelConfig("gru", 8), TRAIN, {}),
    "rnn, random, sgd, constant": (
        ModelConfig("rnn", 7),
        replace(TRAIN, optimizer="sgd", schedule="constant", clip=0.5, lr=0.7, seed=3),
        {"batching": BatchConfig("random", batch_size=3, num_steps=5)},
    ),
    "lstm, adam, linear": (
        ModelConfig("lstm", 8),
        replace(TRAIN, optimizer="adam", schedule="linear", weight_decay=0.01, clip=None),
        {},
    ),
    "layers of rnn, no warm-up": (
        ModelConfig("rnn", 6, num_layers=2),
        replace(TRAIN, schedule="linear", warmup=0.0),
        {},
    ),
    "layers of lstm, all of it, cosine without warm-up": (
        ModelConfig("lstm", 6, num_layers=2, dropout=0.3, embedding_size=5),
        replace(TRAIN, warmup=0.0, seed=9),
        {"batching": BatchConfig("random", batch_size=4, num_steps=6)},
    ),
    "tied, dropout, in rows": (
        ModelConfig("gru", 6, dropout=0.2, tie=True),
        replace(TRAIN, epochs=1),
        {"data": TEXT * 16, "batching": BatchConfig(batch_size=16, num_steps=20)},
    ),
    "layers of lstm, tied, in rows": (
        ModelConfig("lstm", 6, num_layers=3, dropout=0.2, tie=True),
        replace(TRAIN, epochs=1, warmup=0.2),
        {"data": TEXT * 16, "batching": BatchConfig("random", batch_size=16, num_steps=20)},
    ),
    # On some machines, the address of a state decides how its product is rounded.
    "layers of lstm, states that fill no vectors, carried": (
        ModelConfig("lstm", 5, num_layers=3),
        replace(TRAIN, epochs=1),
        {"data": TEXT * 4, "batching": BatchConfig(batch_size=3, num_steps=7)},
    ),
    "layers of gru, dropout, one-hot, in rows": (
        ModelConfig("gru", 6, num_layers=2, dropout=0.5),
        replace(TRAIN, epochs=1),
        {"data": TEXT * 16, "batching": BatchConfig(batch_size=16, num_steps=20)},
    ),
    "words": (
        ModelConfig("gru", 8),
        TRAIN,
        {
            "data": MIXED,
            "vocab": VocabConfig("word", min_freq=2, max_size=20, reserved=("<bos>", "it's")),
        },
    ),
    "words with marks, and reserved ones": (
        ModelConfig("gru", 8),
        TRAIN,
        {
            "data": "हिन्दी में <eos>, \U0001f44d\U0001f3fd e\u0301te\u0301 it's<eos>\n" * 12,
            "cleaning": CorpusConfig(lower=True, valid=0.3, max_tokens=120),
            "vocab": VocabConfig("word", min_freq=2, max_size=20, reserved=("<eos>", "<bos>")),
        },
    ),
    "a reserved token that is a mark of the pieces of scripts": (
        ModelConfig("gru", 8),
        TRAIN,
        {
            "data": "the SPLIT of the LEARNT is the SPLIT\n" * 12,
            "cleaning": CorpusConfig(valid=0.3),
            "vocab": VocabConfig("word", reserved=("SPLIT", "LEARNT")),
        },
    ),
    "words as the book has them": (
        ModelConfig("lstm", 8),
        TRAIN,
        {
            "data": MIXED,
            "cleaning": CorpusConfig(d2l=True, valid=0.3, max_tokens=90),
            "vocab": VocabConfig("word"),
        },
    ),
    "cleaned characters": (
        ModelConfig("rnn", 8),
        TRAIN,
        {"data": MIXED, "cleaning": CorpusConfig(lower=True, letters_only=True, valid=0.3)},
    ),
    "characters as the book has them": (
        ModelConfig("rnn", 8),
        TRAIN,
        {"data": MIXED, "cleaning": CorpusConfig(d2l=True, valid=0.3)},
    ),
    "numbers": (
        ModelConfig("gru", 8),
        TRAIN,
        {"data": [n * n % 7 for n in range(300)], "cleaning": CorpusConfig(valid=0.2)},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_script_repeats_a_scratch_run_bit_for_bit(
    tmp_path: Path, held_out: HeldOut, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    model, config, others = MODELS[name]
    run, corpus = made(replace(model, scratch=True), config, **others)
    script = write_script(run, corpus, "text.txt")
    assert held_out(script) == run.valid_perplexity
    assert_well_formed(script, tmp_path)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
def test_the_script_repeats_a_fast_run_to_rounding(held_out: HeldOut, cell: str) -> None:
    run, corpus = made(ModelConfig(cell, 8, num_layers=2, dropout=0.2), TRAIN)
    assert run.model.engine != "scratch"
    found = held_out(write_script(run, corpus))
    assert found == pytest.approx(run.valid_perplexity, rel=1e-4)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_file_is_read_again_where_it_lies(
    tmp_path: Path, held_out: HeldOut, encoding: str
) -> None:
    # Longer than any line, wherever it lies: no formatter puts it on a line of its own.
    path = tmp_path / f"a 'quoted' {{name}} {'of a text ' * 10}.txt"
    path.write_bytes(("Caf\u00e9 o'clock,\r\nand 'tis \u00fcber all\n" * 12).encode(encoding))
    config = CorpusConfig(lower=True, valid=0.3)
    corpus = Corpus.load(str(path), config, encoding=encoding)
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 4, 8))
    run = train(batches, ModelConfig(num_hiddens=4, scratch=True), replace(TRAIN, epochs=1))
    script = write_script(run, corpus)
    assert f'.read_text(encoding="{encoding}")' in script.source
    assert "text = text.lower()" in script.source
    assert held_out(script) == run.valid_perplexity
    assert_well_formed(script, tmp_path)


def test_the_built_in_text_is_found_by_any_python(tmp_path: Path, held_out: HeldOut) -> None:
    corpus = Corpus.load("python_docs", CorpusConfig(max_tokens=1500, valid=0.2))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 4, 32))
    run = train(batches, ModelConfig(num_hiddens=4, scratch=True), replace(TRAIN, epochs=1))
    script = write_script(run, corpus)
    assert "from pydoc_data.topics import topics" in script.source
    assert held_out(script) == run.valid_perplexity
    assert_well_formed(script, tmp_path)


def test_a_file_that_has_changed_is_not_taken_for_the_text(
    tmp_path: Path, held_out: HeldOut
) -> None:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    corpus = Corpus.load(str(path), CorpusConfig(valid=0.4))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 4, 8))
    run = train(batches, ModelConfig(num_hiddens=4, scratch=True), replace(TRAIN, epochs=1))
    path.write_text("another text")
    script = write_script(run, corpus)
    assert str(path) not in script.source  # the text itself stands there instead
    assert held_out(script) == run.valid_perplexity


@pytest.mark.parametrize(
    ("text", "vocab", "reason"),
    [
        (
            "\u6587\u5b57 and words\n" * 20,
            VocabConfig("word"),
            "splitting Chinese text into words needs jieba",
        ),
        ([object()] * 2 + [1, 2] * 100, None, "neither text nor numbers"),
    ],
)
def test_a_text_that_no_script_can_have(text: Any, vocab: VocabConfig | None, reason: str) -> None:
    config = replace(TRAIN, epochs=1)
    run, corpus = made(ModelConfig(num_hiddens=4), config, data=text, vocab=vocab)
    with pytest.raises(RNNMagicsError, match=reason):
        write_script(run, corpus)


def test_a_cell_of_ones_own_is_named_in_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "mine", type("Mine", (CELLS["rnn"],), {}))
    run, corpus = made(ModelConfig("mine", 4), replace(TRAIN, epochs=1))
    with pytest.raises(RNNMagicsError, match="cell 'mine' is your own"):
        write_script(run, corpus)


def test_an_optimizer_of_ones_own_is_named_in_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPTIMIZERS, "mine", OptimizerKind(torch.optim.NAdam, 0.005))
    run, corpus = made(ModelConfig(num_hiddens=4), replace(TRAIN, epochs=1, optimizer="mine"))
    with pytest.raises(
        RNNMagicsError, match="optimizer 'mine' is not one of torch's SGD, Adam and AdamW"
    ):
        write_script(run, corpus)
