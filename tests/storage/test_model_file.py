"""A run survives its file, and nothing else comes out of one."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import rnn_magics
from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import StorageError
from rnn_magics.models.cells import CELLS, GRUCell
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, weights
from rnn_magics.storage import container
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import default_path, packed, save_run
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

SHORT = TrainConfig(epochs=1, threads=1)


def same_weights(first: RNNModel, second: RNNModel) -> bool:
    pairs = zip(weights(first).items(), weights(second).items(), strict=True)
    return all(n == m and a.equal(b) and a.stride() == b.stride() for (n, a), (m, b) in pairs)


def test_a_run_survives_its_file(run: Run, tmp_path: Path) -> None:
    path = save_run(run, tmp_path / "tiny.safetensors")
    again = load_run(path)
    assert same_weights(run.model, again.model)
    for name in ("name", "vocab", "config", "device", "corpus", "history", "reason", "message"):
        assert getattr(again, name) == getattr(run, name), name
    for name in ("num_train_tokens", "num_valid_tokens", "threads", "step", "versions"):
        assert getattr(again, name) == getattr(run, name), name
    assert (again.steps, again.tokens) == (run.steps, run.tokens)
    assert run.tokens == run.steps * 32 > 0
    assert str(generate(again, "the ")) == str(generate(run, "the "))
    assert not again.model.training
    assert packed(again) == path.read_bytes()


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(cell="rnn", num_hiddens=5, num_layers=2, dropout=0.5),
        ModelConfig(cell="gru", num_hiddens=5, tie=True),
        ModelConfig(cell="lstm", num_hiddens=5, embedding_size=3),
        ModelConfig(cell="lstm", num_hiddens=5, num_layers=2, bidirectional=True),
        ModelConfig(cell="gru", num_hiddens=5, scratch=True),
    ],
    ids=repr,
)
def test_every_architecture_survives(
    config: ModelConfig, bare_batches: Batches, tmp_path: Path
) -> None:
    run = train(bare_batches, config, SHORT)
    again = load_run(save_run(run, tmp_path / "model"))
    assert same_weights(run.model, again.model)
    assert (again.model.output.weight is again.model.embedding.weight) if config.tie else True
    assert again.vocab is None
    assert again.corpus is None
    X = torch.arange(6)[None]  # (1, num_steps)
    assert again.model(X)[0].equal(run.model(X)[0])


NASTY = ["\ud800", "\ud83d\ude00", "😀", "\x00", "</script>", '"', "\\", "{x}", "\u202e"]
NASTY += ["é", "e\u0301", "<unk>", " ", "\r\n"]


@pytest.mark.parametrize(
    "tokens",
    [
        NASTY,
        list(range(9)),
        [True, False, 2, 3],
        [1.5, -0.0, math.inf, -math.inf, 10**40],
        [("a", 1), ("a", 2), ("a", ("b", None))],
        [None, ("None",), ("nan",)],
    ],
    ids=ascii,
)
def test_tokens_of_every_kind_survive(tokens: list[Any], tmp_path: Path) -> None:
    corpus = Corpus.from_tokens(tokens * 20, name="given")
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig(batch_size=2, num_steps=3))
    run = train(batches, ModelConfig(num_hiddens=3), SHORT)
    again = load_run(save_run(run, tmp_path / "model"))
    assert again.vocab is not None
    assert again.vocab == vocab
    kinds = [(type(token), repr(token), count) for token, count in vocab.token_freqs]
    assert [(type(t), repr(t), count) for t, count in again.vocab.token_freqs] == kinds
    assert again.vocab.config == vocab.config


def test_words_and_reserved_tokens_survive(corpus: Corpus, tmp_path: Path) -> None:
    config = VocabConfig(token="word", min_freq=2, reserved=("<pad>", "\u202e"))
    vocab = Vocab.from_corpus(corpus, config)
    batches = make_batches(corpus, vocab, BatchConfig(batch_size=2, num_steps=4))
    run = train(batches, ModelConfig(num_hiddens=3), SHORT)
    again = load_run(save_run(run, tmp_path / "model"))
    assert again.vocab is not None
    assert again.vocab.config == config
    assert again.vocab == vocab
    assert again.vocab.split("The eyes") == vocab.split("The eyes")


def test_what_is_not_finite_survives(run: Run, tmp_path: Path) -> None:
    run.history.train_perplexity[0] = math.inf
    run.history.grad_norm[0] = -math.inf
    run.history.valid_bits[0] = None
    run.history.grad_norm_max[1] = math.nan
    again = load_run(save_run(run, tmp_path / "model"))
    assert again.history.train_perplexity[0] == math.inf
    assert again.history.grad_norm[0] == -math.inf
    assert again.history.valid_bits[0] is None
    assert math.isnan(again.history.grad_norm_max[1])


def test_other_programs_can_open_the_file(run: Run, tmp_path: Path) -> None:
    from safetensors import safe_open

    path = save_run(run, tmp_path / "tiny.safetensors")
    with safe_open(path, "pt") as file:
        assert file.get_tensor("model.output.bias").equal(run.model.output.bias)
        assert list(file.metadata()) == ["rnn_magics"]


def test_a_model_of_another_number_type_survives(bare_batches: Batches, tmp_path: Path) -> None:
    run = train(bare_batches, RNNModel(ModelConfig(num_hiddens=3), 7).double(), SHORT)
    again = load_run(save_run(run, tmp_path / "model"))
    assert again.model.output.weight.dtype == torch.float64
    assert same_weights(run.model, again.model)


def test_saving_and_loading_leave_the_global_generator(run: Run, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    load_run(save_run(run, tmp_path / "model"))
    assert torch.random.get_rng_state().equal(before)


def test_the_name_of_a_file_comes_from_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert save_run(run) == Path("tiny.safetensors")
    (tmp_path / "models").mkdir()
    assert save_run(run, tmp_path / "models") == tmp_path / "models" / "tiny.safetensors"
    assert load_run("tiny.safetensors", name="other").name == "other"
    for name in ("../up", "/root", "a/b\x00", "..", "", "  "):
        path = default_path(replace(run, name=name))
        assert path.parent == Path()
        assert path.name not in (".", "..")
        save_run(replace(run, name=name))


def test_a_tilde_is_the_home_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    save_run(run, "~/tiny")
    assert (tmp_path / "tiny").is_file()
    assert load_run("~/tiny").name == "tiny"
    for call in (lambda path: save_run(run, path), load_run):
        with pytest.raises(StorageError, match="'~nobody-of-that-name/x': "):
            call("~nobody-of-that-name/x")


def test_a_file_that_is_none_of_ours_is_not_replaced(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    with pytest.raises(
        StorageError, match=r"exists and is not a model file of rnn_magics; --force"
    ):
        save_run(run, path)
    assert path.read_text() == "years of work"
    save_run(run, path, force=True)
    save_run(run, path)
    assert load_run(path).name == "tiny"


def test_what_cannot_be_written_is_one_line_and_leaves_the_file(run: Run, tmp_path: Path) -> None:
    path = save_run(run, tmp_path / "model")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"the folder .* does not exist; create it first"):
        save_run(run, tmp_path / "nowhere" / "model")
    run.config = replace(run.config, model=replace(run.config.model, num_layers=5000))
    with pytest.raises(StorageError, match="num_layers is 5000; a file holds at most 1024"):
        save_run(run, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a model file of rnn_magics"),
        (b"hello world, this is a text", "is not a model file of rnn_magics"),
        (
            b"\x80\x04\x95cposix\nsystem\n",
            "is a pickle, which torch.save writes; such a file can run code",
        ),
        (
            b"PK\x03\x04 archive/data.pkl",
            "is a pickle, which torch.save writes; such a file can run code",
        ),
        (b"\x02\0\0\0\0\0\0\0{}", "is not a model file of rnn_magics"),
        (b'\xff\xff\xff\xff\xff\xff\xff\xff{"__metadata__":{"rnn_magics":"', "is damaged"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=message) as caught:
        load_run(path)
    assert str(path) in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        load_run(tmp_path / "nothing")
    with pytest.raises(StorageError, match="is not the folder of a run; %rnn runs"):
        load_run(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="it is a named pipe, not a file"):
        load_run(tmp_path / "pipe")
    with pytest.raises(StorageError, match="it is a device, not a file"):
        load_run("/dev/zero")
    with pytest.raises(StorageError, match="it holds a character that no name can hold"):
        load_run("a\x00b")


def test_a_file_is_as_long_as_its_header_says(run: Run, tmp_path: Path) -> None:
    path = save_run(run, tmp_path / "model")
    size = path.stat().st_size
    for length in (size - 1, size + 1, 1 << 40):  # a hole takes no room, and would not fit
        os.truncate(path, length)
        with pytest.raises(StorageError, match=f"it should have {size:,} bytes, and it has"):
            load_run(path)


def test_a_file_that_memory_does_not_hold_is_not_begun(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_run(run, tmp_path / "model")
    monkeypatch.setattr(container, "available_memory", lambda _: path.stat().st_size)
    with pytest.raises(
        StorageError, match=r"it does not fit into memory: it needs .* kB, and only .* are free"
    ):
        load_run(path)


class HalfGRU(GRUCell):
    """A cell that a user has registered."""


def test_a_cell_that_is_not_registered_is_one_clear_line(
    bare_batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CELLS, "half", HalfGRU)
    run = train(bare_batches, ModelConfig(cell="half", num_hiddens=4), SHORT)
    path = save_run(run, tmp_path / "model")
    assert same_weights(load_run(path).model, run.model)
    monkeypatch.delitem(CELLS, "half")
    with pytest.raises(
        StorageError, match=r"'half' is not one of rnn, gru, lstm.*register it again"
    ):
        load_run(path)
    monkeypatch.setitem(CELLS, "half", CELLS["lstm"])
    with pytest.raises(StorageError, match=r"tensor 'model\.rnn\.cells\.0\.weight_ih' is"):
        load_run(path)


def test_a_tokenizer_that_is_not_registered_is_one_clear_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run.vocab is not None
    monkeypatch.setitem(TOKENIZERS, "mine", TOKENIZERS["char"])
    run.vocab.config = VocabConfig(token="mine")
    path = save_run(run, tmp_path / "model")
    monkeypatch.delitem(TOKENIZERS, "mine")
    with pytest.raises(StorageError, match=r"VocabConfig: token: 'mine' is not one of .*\bchar\b"):
        load_run(path)


def test_a_newer_format_says_who_wrote_it(run: Run, tmp_path: Path) -> None:
    contents = container.unpack(packed(run))
    document = {**contents.document, "format": 3}
    path = tmp_path / "model"
    path.write_bytes(container.pack(document, contents.tensors))
    with pytest.raises(
        StorageError, match=rf"format 3.*rnn_magics {rnn_magics.__version__} wrote it; update"
    ):
        load_run(path)
