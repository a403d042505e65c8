"""Which way gradients take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

from rnn_magics import ModelConfig, RNNModel
from rnn_magics.models.rnn_model import as_tuple
from rnn_magics.training.gradients import Gradients


def made(**options: Any) -> RNNModel:
    config = ModelConfig(**{"cell": "gru", "num_hiddens": 4, **options})
    return RNNModel(config, 7, torch.Generator().manual_seed(0))


class Louder(RNNModel):
    """A model whose forward pass is its own."""

    def forward(self, *given: Any) -> Any:
        logits, state = super().forward(*given)
        return 2 * logits, state


def ignore(*_: Any) -> None:
    return None


@contextmanager
def anomaly(_model: RNNModel) -> Iterator[None]:
    with torch.autograd.detect_anomaly(check_nan=False):
        yield


@contextmanager
def everywhere(_model: RNNModel) -> Iterator[None]:
    hook = register_module_forward_hook(ignore)
    try:
        yield
    finally:
        hook.remove()


def hooked(add: Callable[[RNNModel], Any]) -> Any:
    @contextmanager
    def within(model: RNNModel) -> Iterator[None]:
        hook = add(model)
        yield
        hook.remove()

    return within


@contextmanager
def replaced(model: RNNModel) -> Iterator[None]:
    with mock.patch.object(model.rnn, "forward", model.rnn.forward):
        yield


LISTENERS = {
    "in place of a layer": replaced,
    "of the model": hooked(lambda model: model.register_forward_hook(ignore)),
    "before a layer": hooked(lambda model: model.rnn.register_forward_pre_hook(ignore)),
    "of a gradient": hooked(lambda model: model.dropout.register_full_backward_hook(ignore)),
    "before it": hooked(lambda model: model.rnn.register_full_backward_pre_hook(ignore)),
    "of a weight": hooked(lambda model: model.output.weight.register_hook(ignore)),
    "after it": hooked(lambda model: model.output.bias.register_post_accumulate_grad_hook(ignore)),
    "of all modules": everywhere,
    "of errors": anomaly,
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("listens", LISTENERS.values(), ids=list(LISTENERS))
def test_whoever_listens_hears_autograd(listens: Any) -> None:
    model = made()
    gradients = Gradients(model)
    assert not gradients.need_autograd()
    with listens(model):
        assert gradients.need_autograd()
    assert not gradients.need_autograd()


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({}, False),
        ({"cell": "minlstm", "num_layers": 3, "dropout": 0.5, "tie": True}, False),
        ({"bidirectional": True}, True),
        ({"learn_state": True}, True),
        ({"scratch": True}, True),
    ],
)
def test_the_model_decides(options: Any, *, needed: bool) -> None:
    assert Gradients(made(**options)).need_autograd() is needed


def test_a_model_of_another_class_is_called() -> None:
    ours, theirs = made(), Louder(ModelConfig("gru", num_hiddens=4), 7)
    theirs.load_state_dict(ours.state_dict())
    tokens = torch.randint(7, (3, 6), generator=torch.Generator().manual_seed(1))
    losses = [
        Gradients(model).add(
            tokens[:, :-1], tokens[:, 1:], as_tuple(model.begin_state(3)), "float32"
        )[0]
        for model in (ours, theirs)
    ]
    assert losses[0] != losses[1]


def test_a_weight_counts_a_part() -> None:
    model = made()
    tokens = torch.randint(7, (3, 6), generator=torch.Generator().manual_seed(1))
    given = tokens[:, :-1], tokens[:, 1:], as_tuple(model.begin_state(3)), "float32"
    whole, _ = Gradients(model).add(*given)
    found = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    quarter, state = Gradients(model).add(*given, weight=0.25)
    torch.testing.assert_close(quarter, whole / 4)
    assert not state[0].requires_grad
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, found[name] / 4)
