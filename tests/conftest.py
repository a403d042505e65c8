"""What all tests share: one thread, a small text, and the folder of reference texts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from hatch_build import CATALOGUE, make_catalogue
from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.language import speaking
from rnn_magics.models.engines import compile_cell
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.machine import threads
from tests.registries import as_they_were, registries

# Everything is said in English, in kernels that tests start, too.
os.environ |= {"LANGUAGE": "en", "JUPYTERLAB_SETTINGS_DIR": os.devnull}
# The translations are those of the catalogue now, not when the package was built.
make_catalogue(Path(__file__).parents[1] / CATALOGUE)

TEXT = (
    "the time traveller for so it will be convenient to speak of him\n"
    "was expounding a recondite matter to us his grey eyes shone and\n"
    "twinkled and his usually pale face was flushed and animated\n"
) * 3

# Examples are the same in every run, and no test depends on how busy the machine is.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# Many new examples, to search for what the usual ones miss: HYPOTHESIS_PROFILE=search.
settings.register_profile(
    "search", settings.get_profile("house"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Two cores, whatever the machine has; what is measured is twice as fast on both.

    The list has the numbers of threads that were measured.
    """
    tried: list[int] = []

    def seconds(_work: Callable[[], object]) -> float:
        tried.append(torch.get_num_threads())
        return 1 / tried[-1]

    monkeypatch.setattr(threads, "_seconds", seconds)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    threads.available_threads.cache_clear()
    assert threads.available_threads() == 2
    yield tried
    torch.set_num_threads(before)
    threads.available_threads.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _interrupts_arrive() -> None:
    # A program that a shell started in the background ignores SIGINT, and so would every test
    # of an interrupt; a kernel that a test starts inherits what stands here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    # So that no test is the first to train a cell, and sees what only the first one sees. Two
    # processes that test side by side begin at either end, and load what the other has compiled.
    cells = ["rnn", "gru", "lstm", "mingru", "minlstm"]
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        cells.reverse()
    for cell in cells:
        compile_cell(cell, torch.float32)


@pytest.fixture(autouse=True)
def _in_any_order() -> Iterator[None]:
    # What a test registers, or removes, is as before after it; what it draws without a seed does
    # not depend on what was drawn before. (pytest-randomly does the latter for Python and NumPy.)
    torch.manual_seed(0)
    with as_they_were(registries()), speaking("en"):
        yield


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.from_text(TEXT, CorpusConfig(valid=0.4), name="tiny")


@pytest.fixture
def vocab(corpus: Corpus) -> Vocab:
    return Vocab.from_corpus(corpus)


@pytest.fixture
def batches(corpus: Corpus, vocab: Vocab) -> Batches:
    """Some ten minibatches an epoch, and enough held-out text for two slices of evaluation."""
    return make_batches(corpus, vocab, BatchConfig(batch_size=4, num_steps=8))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder that holds the texts of the reference figures."""
    for folder in os.environ.get("RNN_MAGICS_DATA", "").split(os.pathsep):
        if folder and (Path(folder) / "timemachine.txt").is_file():
            return Path(folder)
    pytest.skip("RNN_MAGICS_DATA names no folder with timemachine.txt")


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def numbers_of_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """One thread and two, one after the other."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)
