"""Memory: refused with numbers before anything is allocated, and survived when it runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import TrainingError, is_out_of_memory
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.machine import memory
from rnn_magics.training.machine.memory import (
    available_memory,
    estimate_memory,
    in_words,
    memory_explained,
    num_parameters,
)
from rnn_magics.training.steps import step as step_module
from rnn_magics.training.steps.update import TorchUpdate

SMALL = ModelConfig(num_hiddens=8)
CPU = torch.device("cpu")
ERRORS = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: x"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
]


@given(
    st.sampled_from(sorted(CELLS)), st.integers(1, 9), st.integers(1, 3), st.integers(1, 9),
    st.none() | st.integers(1, 5), st.booleans(), st.booleans(),
)  # fmt: skip
def test_the_parameters_are_counted_without_the_model(
    cell: str,
    size: int,
    layers: int,
    tokens: int,
    embedding: int | None,
    tie: bool,  # noqa: FBT001
    both: bool,  # noqa: FBT001
) -> None:
    config = ModelConfig(
        cell, size, layers, 0.0, None if tie else embedding, tie=tie, bidirectional=both and not tie
    )
    assert num_parameters(config, tokens) == RNNModel(config, tokens).num_parameters


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(num_hiddens=10**9), ModelConfig(num_hiddens=10**30),
        ModelConfig(num_layers=10**12), ModelConfig(embedding_size=10**12),
    ],
)  # fmt: skip
def test_what_cannot_fit_is_refused_with_numbers(batches: Batches, config: ModelConfig) -> None:
    with pytest.raises(TrainingError) as caught:
        begin(batches, config)
    said = str(caught.value)
    assert said.startswith("this run needs at least ")
    assert ", but cpu has only " in said
    assert " free; try fewer --num-hiddens" in said


def test_the_estimate_is_compared_with_what_is_there(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = estimate_memory(SMALL, batches.vocab_size, batches.config, TrainConfig()).total
    monkeypatch.setattr(memory, "available_memory", lambda _: needed)
    begin(batches, SMALL)
    monkeypatch.setattr(memory, "available_memory", lambda _: needed - 1)
    with pytest.raises(TrainingError, match="this run needs at least"):
        begin(batches, SMALL)
    monkeypatch.setattr(memory, "available_memory", lambda _: None)
    begin(batches, SMALL)


def test_the_optimizer_and_the_minibatch_count() -> None:
    adam = estimate_memory(SMALL, 30, BatchConfig(), TrainConfig())
    sgd = estimate_memory(SMALL, 30, BatchConfig(), TrainConfig(optimizer="sgd"))
    assert adam.training == 2 * sgd.training == 4 * adam.parameters
    twice = estimate_memory(SMALL, 30, BatchConfig(batch_size=64), TrainConfig())
    assert twice.activations == 2 * adam.activations


def test_the_memory_of_this_machine_is_known() -> None:
    there = available_memory(CPU)
    assert there is not None
    assert 0 < there < 10**15


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1 bytes"), (1500, "1.5 kB"), (2 * 10**12, "2 TB"), (10**30, "1e+12 EB")],
)
def test_bytes_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


@pytest.mark.parametrize("error", ERRORS)
def test_an_allocation_that_fails_is_one_line(error: Exception) -> None:
    assert is_out_of_memory(error)
    with pytest.raises(TrainingError, match="there is not enough memory"), memory_explained():
        raise error


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError("out of memory")])
def test_another_error_stays_what_it_is(error: Exception) -> None:
    assert not is_out_of_memory(error)
    with pytest.raises(type(error)), memory_explained():
        raise error


def failing(state: Any, at: int, error: Exception) -> Callable[..., Any]:
    real, calls = state.model.forward, 0

    def forward(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error
        return real(*args)

    return forward


def bits(model: torch.nn.Module) -> bytes:
    return b"".join(p.detach().contiguous().numpy().tobytes() for p in model.parameters())


@pytest.mark.parametrize("error", ERRORS)
def test_a_run_that_runs_out_of_memory_keeps_its_last_good_step(
    batches: Batches, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=2))
    whole, other = begin(batches, SMALL, TrainConfig(epochs=2))
    monkeypatch.setattr(state.model, "forward", failing(state, 4, error))
    events = list(Job(run, state).follow())
    assert run.reason == "out_of_memory"
    assert run.message.startswith("out of memory in epoch 1, step 4; the model keeps")
    assert [type(event) for event in events[-2:]] == [EpochEnd, TrainEnd]
    list(iter_train(whole, other, lambda: "stopped" if other.total_steps == 3 else None))
    assert bits(state.model) == bits(other.model)
    assert all(parameter.grad is None for parameter in state.model.parameters())


def test_running_out_of_memory_at_the_first_step_leaves_no_epoch(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, state = begin(batches, SMALL)
    monkeypatch.setattr(state.model, "forward", failing(state, 1, MemoryError()))
    assert list(iter_train(run, state))[-1] == TrainEnd("out_of_memory", run.message)
    assert len(run.history) == 0


def test_running_out_of_memory_while_scoring_keeps_the_epoch(
    batches: Batches, steps_per_epoch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, state = begin(batches, SMALL)
    monkeypatch.setattr(state.model, "forward", failing(state, steps_per_epoch + 1, MemoryError()))
    list(iter_train(run, state))
    assert run.reason == "out_of_memory"
    assert run.history.valid_perplexity == [None]
    assert state.total_steps == steps_per_epoch


def test_another_error_of_a_step_is_raised(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, state = begin(batches, SMALL)
    monkeypatch.setattr(state.model, "forward", failing(state, 2, RuntimeError("shapes")))
    with pytest.raises(RuntimeError, match="shapes"):
        list(iter_train(run, state))


@pytest.fixture
def steps_per_epoch(batches: Batches) -> int:
    _, state = begin(batches, SMALL)
    return len(batches.plan(state.generator))


def test_an_update_that_runs_out_of_memory_leaves_no_half_of_itself(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_module, "update_for", lambda _, optimizer: TorchUpdate(optimizer))
    run, state = begin(batches, SMALL, TrainConfig(epochs=2))
    whole, other = begin(batches, SMALL, TrainConfig(epochs=2))
    real = state.optimizer.step

    def step() -> None:
        if state.total_steps < 3:
            real()
            return
        with torch.no_grad():
            next(state.model.parameters()).add_(1.0)  # the half that was done
        raise MemoryError

    monkeypatch.setattr(state.optimizer, "step", step)
    list(iter_train(run, state))
    assert run.reason == "out_of_memory"
    list(iter_train(whole, other, lambda: "stopped" if other.total_steps == 3 else None))
    assert bits(state.model) == bits(other.model)
