from __future__ import annotations

import math
from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch

from rnn_magics.errors import ConfigError
from rnn_magics.text.tasks.rules import END, TASKS
from rnn_magics.text.tasks.stream import TaskConfig, draw_examples


@pytest.mark.parametrize("name", TASKS)
def test_examples_follow_from_their_seed_and_from_no_other_generator(name: str) -> None:
    config = TaskConfig(length=4, examples=30, seed=3)
    before = torch.random.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002  (the global one)
    first = list(draw_examples(name, config))
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    torch.rand(3), np.random.rand(3)  # noqa: NPY002
    assert list(draw_examples(name, config)) == first
    assert list(draw_examples(name, TaskConfig(length=4, examples=30, seed=4))) != first
    assert sum(each.begins for each in first) == sum(each.token == END for each in first) == 30


@pytest.mark.parametrize("name", TASKS)
def test_examples_come_one_by_one(name: str) -> None:
    many = TaskConfig(length=4, examples=1_000_000)
    few = TaskConfig(length=4, examples=2)
    told = list(draw_examples(name, few))
    assert list(islice(draw_examples(name, many), len(told))) == told


def test_examples_are_as_frequent_as_their_probability() -> None:
    drawn = list(draw_examples("dyck", TaskConfig(length=3, symbols=1, examples=5000)))
    texts = Counter("".join(each.token for each in drawn).split(END))
    del texts[""]
    assert len(texts) == 5  # Catalan
    assert all(abs(count - 1000) < 4 * math.sqrt(1000) for count in texts.values())
    nats = sum(each.nats for each in drawn) / 5000
    assert nats == pytest.approx(math.log(5))


def test_an_option_that_a_task_does_not_take_is_refused() -> None:
    assert TaskConfig(length=3).taken_by("copy") == {"length": 3, "symbols": 8, "delay": 5}
    assert TaskConfig(delay=0).taken_by("copy") == {"length": 10, "symbols": 8, "delay": 0}
    with pytest.raises(ConfigError, match="task parity takes no --symbols; leave it out"):
        TaskConfig(symbols=3).taken_by("parity")
    with pytest.raises(ConfigError, match="task dyck takes no --delay"):
        TaskConfig(delay=3).taken_by("dyck")


@pytest.mark.parametrize(
    "options", [{"length": 0}, {"length": 1001}, {"symbols": 27}, {"examples": 0}]
)
def test_sizes_out_of_range_are_refused(options: dict[str, int]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=rf"{name} must be in \["):
        TaskConfig(**options)
