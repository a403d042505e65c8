"""History: one entry per epoch, as plain lists."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest

from rnn_magics.errors import TrainingError
from rnn_magics.training.events import EpochEnd
from rnn_magics.training.history import History

EPOCH = EpochEnd(
    epoch=1,
    complete=True,
    train_nats=math.log(4),
    valid_nats=math.log(8),
    seconds=2.0,
    tokens_per_second=50.0,
    grad_norm=0.5,
    grad_norm_max=0.9,
    clipped=0.25,
)


@pytest.fixture
def history() -> History:
    history = History()
    history.append(EPOCH)
    history.append(replace(EPOCH, epoch=2, valid_nats=None, train_nats=800.0))
    return history


def test_an_epoch_becomes_an_entry_of_every_list(history: History) -> None:
    assert len(history) == 2
    lists = history.to_dict()
    assert {len(values) for values in lists.values()} == {2}
    assert history.train_perplexity == pytest.approx([4.0, math.inf])
    assert history.train_bits == pytest.approx([2.0, 800 / math.log(2)])
    assert history.valid_perplexity == [pytest.approx(8.0), None]
    assert history.valid_bits == [pytest.approx(3.0), None]
    assert history.seconds == [2.0, 2.0]
    assert history.tokens_per_second == [50.0, 50.0]
    assert history.grad_norm == [0.5, 0.5]
    assert history.grad_norm_max == [0.9, 0.9]
    assert history.clipped == [0.25, 0.25]


def test_the_lists_handed_out_are_copies(history: History) -> None:
    history.to_dict()["seconds"].clear()
    assert len(history.seconds) == 2


def test_a_frame_has_a_row_for_each_epoch(history: History) -> None:
    frame = history.to_pandas()
    assert frame.index.tolist() == [1, 2]
    assert frame.index.name == "epoch"
    assert frame["clipped"].tolist() == [0.25, 0.25]


def test_an_empty_history_has_no_epochs() -> None:
    assert len(History()) == 0
    assert History().to_pandas().empty


def test_without_pandas_the_frame_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(TrainingError, match=r"pip install 'rnn_magics\[pandas\]'"):
        History().to_pandas()
