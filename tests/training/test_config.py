"""TrainConfig, the update rules and the schedules."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics.errors import ConfigError, DeviceError
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.training.config import OPTIMIZERS, SCHEDULES, TrainConfig, constant, cosine, linear
from rnn_magics.training.machine.device import choose_device
from rnn_magics.training.steps.device_step import heeds_found_inf

X = torch.randint(9, (4, 6), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 1.0), ("adam", 0.005), ("adamw", 0.005)])
def test_each_optimizer_has_its_usual_learning_rate(optimizer: str, lr: float) -> None:
    assert TrainConfig(optimizer=optimizer).peak_lr == lr
    assert TrainConfig(optimizer=optimizer, lr=0.3).peak_lr == 0.3


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"lr": 0.0},
        {"lr": math.nan},
        {"clip": 0},
        {"clip": math.inf},
        {"warmup": 1.0},
        {"weight_decay": -0.1},
        {"max_time": 0.0},
        {"max_tokens": 0},
        {"seed": -1},
        {"optimizer": "sdg"},
        {"schedule": "cos"},
    ],
)
def test_what_cannot_train_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        TrainConfig.from_dict(values)


@pytest.mark.parametrize(
    ("progress", "warmup", "values"),
    [
        (0.0, 0.0, (1.0, 1.0, 1.0)),
        (0.5, 0.0, (1.0, 0.5, 0.5)),
        (1.0, 0.0, (1.0, 0.0, 0.0)),
        (0.0, 0.2, (1.0, 0.0, 0.0)),
        (0.1, 0.2, (1.0, 0.5, 0.5)),
        (0.2, 0.2, (1.0, 1.0, 1.0)),
        (0.4, 0.2, (1.0, 0.75, 0.5 * (1 + math.cos(math.pi / 4)))),
        (0.6, 0.2, (1.0, 0.5, 0.5)),
        (1.0, 0.2, (1.0, 0.0, 0.0)),
    ],
)
def test_schedules_have_the_values_of_their_formulas(
    progress: float, warmup: float, values: tuple[float, ...]
) -> None:
    found = [schedule(progress, warmup) for schedule in (constant, linear, cosine)]
    assert found == pytest.approx(values, abs=1e-12)


@pytest.mark.parametrize("schedule", [linear, cosine])
@given(warmup=st.floats(0, 0.99), a=st.floats(0, 1), b=st.floats(0, 1))
def test_a_schedule_rises_in_the_warmup_and_then_falls(
    schedule: object, warmup: float, a: float, b: float
) -> None:
    a, b = sorted((a, b))
    before, after = (SCHEDULES[schedule.__name__](p, warmup) for p in (a, b))  # type: ignore[attr-defined]
    if b <= warmup:
        assert before <= after + 1e-9
    elif a >= warmup:
        assert before >= after - 1e-9


PLAIN: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda model, **given: torch.optim.SGD(model.parameters(), foreach=False, **given),
    "adam": lambda model, **given: torch.optim.Adam(model.parameters(), foreach=False, **given),
    "adamw": lambda model, **given: torch.optim.AdamW(model.parameters(), foreach=False, **given),
}


def weights_after(fused: bool, name: str, cell: str) -> list[Tensor]:  # noqa: FBT001
    """Train three steps on weights that are stored transposed."""
    model = RNNModel(
        ModelConfig(cell=cell, num_hiddens=8, num_layers=2), 9, torch.Generator().manual_seed(0)
    )
    assert not model.rnn.cells[0].weight_ih.is_contiguous()
    if fused:
        optimizer = OPTIMIZERS[name].make(model.parameters(), lr=0.05, weight_decay=0.1)
    else:
        contiguous = [
            p.detach().clone(memory_format=torch.contiguous_format) for p in model.parameters()
        ]
        for parameter, plain in zip(model.parameters(), contiguous, strict=True):
            parameter.data = plain
        assert model.rnn.cells[0].weight_ih.is_contiguous()
        optimizer = PLAIN[name](model, lr=0.05, weight_decay=0.1, fused=False)
    for _ in range(3):
        optimizer.zero_grad()
        logits, _ = model(X)
        F.cross_entropy(logits.flatten(0, 1), X.flatten()).backward()
        optimizer.step()
    return list(model.parameters())


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fused_updates_of_transposed_weights_equal_plain_ones(name: str, cell: str) -> None:
    ours, plain = weights_after(True, name, cell), weights_after(False, name, cell)
    for mine, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_is_fused_on_the_cpu(name: str) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = OPTIMIZERS[name].make([parameter], lr=0.1, weight_decay=0.0)
    assert optimizer.param_groups[0]["fused"] is True
    assert heeds_found_inf(optimizer)


@pytest.mark.parametrize("name", ["abacus", "cuda:99", "meta", "xpu", "cpu:1"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match=name):
        choose_device(name)


def test_the_device_is_said_with_its_reason() -> None:
    assert str(choose_device("cpu")) == "cpu (as asked)"


def test_without_an_accelerator_the_cpu_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    choice = choose_device()
    assert (choice.device.type, choice.reason) == ("cpu", "no GPU found")


def test_an_apple_gpu_is_taken_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert str(choose_device()) == "cpu (--device mps tries the Apple GPU)"
    assert choose_device("mps").device.type == "mps"
