"""Minibatches of a text on disk go to another process by the path of their indices."""

from __future__ import annotations

import copy
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnn_magics.batching import BatchConfig, Batches, EpochPlan, make_batches
from rnn_magics.errors import CorpusError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.mapped import MappedIds
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin
from rnn_magics.training.steps.shared import Lockstep


def made(folder: Path, size: int = 20_000, **split: Any) -> Batches:
    path = folder / "text.txt"
    letters = np.random.default_rng(0).choice(list(b"abcdefgh\n"), size)
    path.write_bytes(letters.astype(np.uint8).tobytes())
    corpus = Corpus.load(path, CorpusConfig(**split), storage=folder / "storage")
    return make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 8, 16))


def test_pickled_minibatches_are_small_and_open_the_map(tmp_path: Path) -> None:
    batches = made(tmp_path, 200_000, valid=0.1, test=0.1)
    data = pickle.dumps(batches)
    assert len(data) < 12_000  # of which the generator is the half
    there = pickle.loads(data)
    for one, other in ((batches.ids, there.ids), (batches.valid, there.valid)):
        assert torch.equal(one, other)
        assert one.dtype == other.dtype
    assert torch.equal(batches.test, there.test)
    assert repr(there) == repr(batches)
    for (X, Y), (other_X, other_Y) in zip(batches, there, strict=True):
        assert torch.equal(X, other_X)
        assert torch.equal(Y, other_Y)
    again = pickle.dumps(there)  # a worker may hand them on
    assert torch.equal(pickle.loads(again).ids, batches.ids)
    assert torch.equal(copy.deepcopy(batches).valid, batches.valid)
    assert torch.equal(pickle.loads(pickle.dumps(batches.to(torch.device("cpu")))).ids, batches.ids)


def test_minibatches_in_memory_are_pickled_as_they_are() -> None:
    corpus = Corpus.from_text("some text " * 200, CorpusConfig(test=0.1))
    assert corpus.numbered().size  # what was computed is computed there again
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("random", 4, 5))
    there = pickle.loads(pickle.dumps(batches))
    assert there.corpus == corpus
    assert torch.equal(there.ids, batches.ids)
    assert torch.equal(there.test, batches.test)
    moved = batches.to(torch.device("meta"))
    assert moved.ids.device.type == "meta"


@pytest.mark.parametrize("change", ["gone", "other"])
def test_a_machine_that_does_not_see_them_says_so(tmp_path: Path, change: str) -> None:
    batches = made(tmp_path)
    place = MappedIds.of(np.asarray(batches.ids.numpy()))
    assert place is None  # a tensor does not know
    data = pickle.dumps(batches)
    for path in (tmp_path / "storage").glob("*.ids"):
        if change == "gone":
            path.unlink()
        else:
            path.write_bytes(b"\1" * 7)
    said = {"gone": "there is no such file or folder", "other": "it has changed"}[change]
    with pytest.raises(CorpusError, match=rf"\({said}\); name a folder that all workers see with"):
        pickle.loads(data)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells which pages are mapped")
def test_a_rank_reads_the_pages_of_its_own_rows(tmp_path: Path) -> None:
    batches: Batches = pickle.loads(pickle.dumps(made(tmp_path, 8 << 20, valid=0.0)))
    (place,) = batches._mapped.values()
    assert resident(place.path) == 0
    plan = batches.plan(torch.Generator().manual_seed(0))
    own = EpochPlan(plan.offset, plan.starts[:, 2:4], plan.left_over)  # two of eight rows
    for index in range(0, len(own), 50):
        assert batches.batch(own, index)[0].shape == (2, 16)
    quarter = place.size // 4
    assert 0.5 * quarter < resident(place.path) < 1.2 * quarter


@dataclass(frozen=True)
class Second:
    """The second of four processes, whose others say nothing."""

    rank: int = 1
    size: int = 4

    def add_up(self, numbers: Tensor) -> None:
        pass

    def take_first(self, numbers: Tensor) -> None:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells which pages are mapped")
def test_so_does_one_that_trains(tmp_path: Path) -> None:
    batches = made(tmp_path, 8 << 20, valid=0.0)
    config = TrainConfig(device="cpu", threads=1)
    run, state = begin(batches, ModelConfig("rnn", num_hiddens=4), config)
    state.batches = pickle.loads(pickle.dumps(batches))
    del batches
    path = next(iter(state.batches._mapped.values())).path
    before = resident(path)
    step = Lockstep(run, state, Second()).make_step(state, config)
    epoch = step.begin_epoch()
    for state.step in range(0, len(epoch.plan), 400):
        assert step.take(epoch, config) is not None
    row = (8 << 20) // 8
    assert 0 < resident(path) - before < 2.5 * row


def resident(path: str) -> int:
    """Return how many bytes of a mapped file this process has touched, of all its mappings."""
    total, is_it = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            is_it = line.endswith(path)
        elif is_it and words[0] == "Rss:":
            total += int(words[1]) * 1024
    return total
