"""What an update has made non-finite is taken back, on the host and without reading back."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from rnn_magics.training.steps.last_good import LastGood


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("on_device", [False, True])
def test_what_was_kept_comes_back(layer: nn.Linear, bad: float, *, on_device: bool) -> None:
    before = layer.weight.detach().clone()
    guard = LastGood(layer.parameters())
    guard.keep()
    assert guard.is_finite()
    assert guard.all_finite()
    with torch.no_grad():
        layer.weight[1, 2] = bad
    assert not guard.is_finite()
    assert not guard.all_finite()
    if on_device:
        guard.restore_where(~guard.is_finite())
    else:
        guard.restore()
    assert torch.equal(layer.weight, before)


def test_a_good_update_stays(layer: nn.Linear) -> None:
    guard = LastGood(layer.parameters())
    guard.keep()
    with torch.no_grad():
        layer.weight.add_(1)
    after = layer.weight.detach().clone()
    guard.restore_where(~guard.is_finite())
    assert torch.equal(layer.weight, after)


def test_large_finite_weights_are_finite(layer: nn.Linear) -> None:
    with torch.no_grad():
        layer.weight.fill_(3e38)
    guard = LastGood(layer.parameters())
    assert guard.is_finite()
    assert guard.all_finite()
