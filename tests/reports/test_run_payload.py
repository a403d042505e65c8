"""A run as JSON, the example that both languages read, and its series."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_payload import (
    MOST_EPOCHS,
    SAVED_POINTS,
    run_payload,
    saved_payload,
    series_bytes,
    series_lists,
)
from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.curve import Curve
from rnn_magics.training.events import EpochEnd
from rnn_magics.training.loop import begin
from rnn_magics.training.run import Run

EXAMPLE = Path(__file__).parents[1] / "contract" / "payloads" / "run.json"


def example_run() -> Run:
    """Return a run whose numbers are made up, so that they are the same on every machine."""
    batches = Batches(list(range(28)) * 20, BatchConfig(batch_size=4, num_steps=5))
    model = ModelConfig(num_hiddens=8, scratch=True)
    run, _ = begin(batches, model, TrainConfig(epochs=3, device="cpu", threads=1), "<b>gru</b>-1")
    for epoch in range(3):
        steps = torch.arange(27 * epoch, 27 * (epoch + 1), dtype=torch.float64)
        run.curve.extend(1.5 + 2 * torch.exp(-steps / 20), 0.5 + (steps == 40) * 9.0)
        run.curve.end_epoch(2.0 * (epoch + 1))
        train, valid = 3.0 / (epoch + 1), 3.1 / (epoch + 1)
        run.history.append(EpochEnd(epoch + 1, True, train, valid, 2.0, 270.0, 0.5, 9.5, 0.04))
    run.steer(TrainConfig(epochs=3, device="cpu", threads=1, lr=0.001, clip=None), 54)
    run.reason = "epochs"
    return run


def assert_close(a: Any, b: Any) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_close(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_close(x, y)
    elif isinstance(a, float):
        assert a == pytest.approx(b, rel=1e-5)
    else:
        assert a == b


def test_the_example_is_what_a_run_gives() -> None:
    """To renew it: python -m tests.notebook.show.test_run_payload."""
    assert_close(as_json(), json.loads(EXAMPLE.read_text(encoding="utf-8")))


def as_json() -> Any:
    return json.loads(json.dumps(saved_payload(example_run()), allow_nan=False))


def test_the_ladder_is_told_as_levels_of_nats() -> None:
    run = example_run()
    assert run_payload(run)["ladder"] == []
    run.ladder = Ladder((Rung(1, 15.0, 16.0), Rung(2, 7.0, 8.0), Rung(3, 2.0, 4.0)), 28, 99)
    levels = run_payload(run)["ladder"]
    names = ["uniform", "unigram", "bigram", "best, 3-gram"]
    assert [level["name"] for level in levels] == names
    assert [(level["order"], level["best"]) for level in levels] == [
        (0, False),
        (1, False),
        (2, False),
        (3, True),
    ]
    reached = [math.exp(level["nats"]) for level in levels]
    assert reached == pytest.approx([28.0, 16.0, 8.0, 4.0])


@pytest.mark.parametrize("number", [1, 256, 257, 3001])
def test_of_very_many_epochs_some_are_told_and_the_last_always(number: int) -> None:
    run = example_run()
    run.history.__init__()  # type: ignore[misc]
    run.curve = Curve()
    for epoch in range(number):
        run.curve.extend(torch.ones(1), torch.ones(1))
        run.curve.end_epoch(float(epoch))
        run.history.append(EpochEnd(epoch + 1, True, 1.0, None, 1.0, 1.0, 1.0, 1.0, 0.0))
    steps = [epoch["step"] for epoch in run_payload(run)["epochs"]]
    assert len(steps) <= MOST_EPOCHS
    assert steps[-1] == number
    assert len({b - a for a, b in itertools.pairwise(steps)}) <= 1


@pytest.mark.parametrize("number", [0, 1, SAVED_POINTS, SAVED_POINTS + 1, 5000, 100_001])
def test_a_saved_series_is_short_and_keeps_its_spike(number: int) -> None:
    curve = Curve()
    values = torch.ones(number)
    if number:
        values[number // 3] = 77.0
    curve.extend(values, values)
    rows = series_lists(curve)["loss"]
    assert len(rows) <= SAVED_POINTS
    if number:
        assert rows[-1][0] == number
        assert max(row[3] for row in rows) == 77.0
        at = next(row for row in rows if row[3] == 77.0)
        assert at[0] > number // 3
    assert all(low <= mean <= high for _, mean, low, high in rows)


def test_a_live_series_goes_as_numbers_of_four_bytes() -> None:
    curve = example_run().curve
    rows = np.frombuffer(series_bytes(curve.grad_norm, 1000), "<f4").reshape(-1, 4)
    assert rows.shape == (81, 4)
    assert rows[:, 0].tolist() == list(range(1, 82))
    assert rows[40].tolist() == [41.0, 9.5, 9.5, 9.5]
    assert math.isclose(rows[0, 1], 0.5)


if __name__ == "__main__":
    EXAMPLE.parent.mkdir(exist_ok=True)
    text = json.dumps(as_json(), indent=1, ensure_ascii=True)
    EXAMPLE.write_text(text + "\n", encoding="utf-8")
