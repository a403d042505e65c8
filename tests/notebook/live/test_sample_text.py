"""What a model writes while it trains is kept by epoch, and costs little."""

from __future__ import annotations

import pytest

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.live import sample_text
from rnn_magics.notebook.live.sample_text import Samples
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin, train
from rnn_magics.training.run import Run


class Clock:
    """Time that passes when a text is written: a second for each."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()

    def write(_run: Run) -> str:
        made.now += 1.0
        return f"written at {made.now:g}"

    monkeypatch.setattr(sample_text, "time", made)
    monkeypatch.setattr(sample_text, "sample_text", write)
    return made


@pytest.fixture
def run(batches: Batches) -> Run:
    return begin(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1))[0]


def test_the_first_and_the_last_epoch_have_a_text(run: Run, clock: Clock) -> None:
    samples = Samples(run)
    for epoch in range(1, 5):  # of no time at all: no more can be paid
        samples.keep(epoch, is_last=False)
    assert [kept["epoch"] for kept in samples.kept] == [1]
    samples.keep(4, is_last=True)
    assert [kept["epoch"] for kept in samples.kept] == [1, 4]
    samples.keep(4, is_last=True)
    assert (len(samples.kept), clock.now) == (2, 2.0)


def test_writing_takes_a_small_share_of_the_time(run: Run, clock: Clock) -> None:
    samples = Samples(run)
    for epoch in range(1, 1001):
        clock.now += 10.0
        samples.write_now()
        samples.keep(epoch, is_last=False)
    for spent in (samples._spent_on_kept, samples._spent_on_now):
        assert 20 < spent <= 0.0025 * clock.now + 1
    assert len(samples.kept) > 20


def test_many_texts_are_thinned(run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_text, "_SHARE", 1.0)
    samples = Samples(run)
    for epoch in range(1, 1001):
        samples.keep(epoch, is_last=epoch == 1000)
        clock.now += 1.0
    epochs = [kept["epoch"] for kept in samples.kept]
    assert len(epochs) <= 64
    assert epochs == sorted(set(epochs))
    assert (epochs[0], epochs[-1]) == (1, 1000)


def test_a_model_that_cannot_write_keeps_nothing(batches: Batches) -> None:
    both = train(batches, ModelConfig(num_hiddens=4, bidirectional=True), TrainConfig(epochs=1))
    samples = Samples(both)
    samples.keep(1, is_last=True)
    assert (samples.kept, samples.newest) == ([], "")
