"""Precisions: what is refused, what bf16 computes, and that no switch of torch stays moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from rnn_magics.batching import Batches
from rnn_magics.errors import DeviceError
from rnn_magics.models import recurrent
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, as_tuple
from rnn_magics.training import loop
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin, train
from rnn_magics.training.machine.precision import (
    PRECISIONS,
    check_precision,
    forward_bf16,
    forward_float32,
    forward_loss,
    tf32_products,
)
from rnn_magics.training.steps.device_step import DeviceStep
from rnn_magics.training.steps.step import EagerStep

CUDA = torch.device("cuda")
SWITCHES = torch.backends.cuda.matmul, torch.backends.cudnn.rnn


def switched() -> list[str]:
    return [switch.fp32_precision for switch in SWITCHES]


@pytest.fixture(autouse=True)
def before() -> Iterator[list[str]]:
    were = switched()
    yield were
    for switch, was in zip(SWITCHES, were, strict=True):
        switch.fp32_precision = was


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_bf16_is_refused_where_there_is_no_cuda(device: str) -> None:
    message = f"--precision bf16 needs a CUDA device, but this run is on {device}; leave it out"
    with pytest.raises(DeviceError) as refused:
        check_precision("bf16", torch.device(device))
    assert str(refused.value) == message
    check_precision("float32", torch.device(device))


def test_a_run_in_bf16_is_refused_before_it_starts(batches: Batches) -> None:
    with pytest.raises(DeviceError, match="bf16 needs a CUDA device"):
        begin(batches, config=TrainConfig(precision="bf16", device="cpu"))


@pytest.mark.parametrize("supported", ["yes", "no"])
def test_bf16_is_refused_on_a_gpu_that_only_emulates_it(
    monkeypatch: pytest.MonkeyPatch, supported: str
) -> None:
    class Guard:
        def __init__(self, device: torch.device) -> None:
            assert device == CUDA

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def is_supported(*, including_emulation: bool) -> bool:
        assert not including_emulation
        return supported == "yes"

    monkeypatch.setattr(torch.cuda, "device", Guard)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Old GPU")
    if supported == "yes":
        check_precision("bf16", CUDA)
    else:
        with pytest.raises(DeviceError, match="Old GPU does not support bfloat16"):
            check_precision("bf16", CUDA)


MODELS = [
    ModelConfig("rnn", num_hiddens=16),
    ModelConfig("gru", num_hiddens=16, num_layers=2),
    ModelConfig("lstm", num_hiddens=16, bidirectional=True),
    ModelConfig("gru", num_hiddens=16, scratch=True),
    ModelConfig("lstm", num_hiddens=16, tie=True),
]


@pytest.mark.parametrize("engine", ["scratch", "torch"])
@pytest.mark.parametrize("config", MODELS, ids=str)
def test_bf16_computes_what_float32_does_but_more_coarsely(
    monkeypatch: pytest.MonkeyPatch, config: ModelConfig, engine: str
) -> None:
    model = RNNModel(config, 20, torch.Generator().manual_seed(0))
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    X = torch.randint(20, (4, 9), generator=torch.Generator().manual_seed(1))
    hidden = as_tuple(model.begin_state(4))
    results = {}
    for name, forward in (("float32", forward_float32), ("bf16", forward_bf16)):
        model.zero_grad()
        logits, last = forward(model, X, hidden)
        loss, _ = forward_loss(model, X, X, hidden, name)
        loss.backward()
        gradients = [p.grad for p in model.parameters()]
        results[name] = [logits, *last, loss, *gradients]
    for exact, coarse in zip(results["float32"], results["bf16"], strict=True):
        assert exact is not None
        assert coarse is not None
        assert coarse.dtype == torch.float32
        assert not torch.equal(exact, coarse)  # it was computed in something else
        torch.testing.assert_close(coarse, exact, rtol=0.1, atol=0.02)
    assert all(p.dtype == torch.float32 for p in model.parameters())


@pytest.mark.parametrize("step", [DeviceStep, lambda state, _config: EagerStep(state)])
def test_a_run_in_bf16_learns_and_keeps_float32(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, step: Any
) -> None:
    """On the CPU, where it is refused otherwise: no test here has seen a GPU."""
    monkeypatch.setattr(loop, "check_precision", lambda *_: None)
    monkeypatch.setattr(loop, "choose_step", step)
    model = ModelConfig(num_hiddens=12, num_layers=2, dropout=0.1, scratch=True)
    run = train(batches, model, TrainConfig(epochs=5, lr=0.02, precision="bf16", device="cpu"))
    assert run.history.train_perplexity[-1] < 0.8 * run.history.train_perplexity[0]
    assert all(p.dtype == torch.float32 for p in run.model.parameters())
    assert not torch.is_autocast_enabled("cpu")


def test_products_run_in_tf32_meanwhile_and_only_then(before: list[str]) -> None:
    with tf32_products(CUDA):
        assert switched() == ["tf32", "tf32"]
    assert switched() == before
    with pytest.raises(RuntimeError, match="broke"), tf32_products(CUDA):
        raise RuntimeError("broke")  # noqa: EM101
    assert switched() == before


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_elsewhere_nothing_is_switched(before: list[str], device: str) -> None:
    with tf32_products(torch.device(device)):
        assert switched() == before


def test_what_someone_has_said_about_products_stands() -> None:
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.rnn.fp32_precision = "ieee"
    with tf32_products(CUDA):
        assert switched() == ["ieee", "ieee"]
    assert switched() == ["ieee", "ieee"]


def test_the_choices_are_the_registry() -> None:
    assert list(PRECISIONS) == ["float32", "bf16"]
    assert TrainConfig().precision == "float32"
