"""The compiled update against torch's own, step by step, and what both do with bad numbers."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.training.config import OPTIMIZERS
from rnn_magics.training.steps.update import CompiledUpdate, TorchUpdate, Update, update_for

UPDATES = [TorchUpdate, CompiledUpdate]
DTYPES = [torch.float32, torch.float64]
# Below, at and past the sizes of vectors, blocks and chunks; the second is stored transposed.
SHAPES = [(3, 5), (40, 33), (1, 1), (511,), (512,), (8192,), (8193,), (2, 8200)]


def drawn(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def parameters(dtype: torch.dtype = torch.float32) -> list[nn.Parameter]:
    made = [nn.Parameter(drawn(seed, *shape, dtype=dtype)) for seed, shape in enumerate(SHAPES)]
    made[1].data = made[1].data.t().contiguous().t()
    return made


def give_gradients(given: list[nn.Parameter], step: int) -> None:
    for place, parameter in enumerate(given):
        values = drawn(100 * step + place, *parameter.shape, dtype=parameter.dtype)
        parameter.grad = torch.empty_like(parameter).copy_(values)


def trained(
    kind: Callable[[torch.optim.Optimizer], Update],
    name: str,
    theta: float | None,
    dtype: torch.dtype = torch.float32,
    steps: int = 5,
) -> tuple[list[nn.Parameter], list[float], torch.optim.Optimizer]:
    given = parameters(dtype)
    optimizer = OPTIMIZERS[name].make(given, lr=0.05, weight_decay=0.1)
    update, norms = kind(optimizer), []
    for step in range(steps):
        give_gradients(given, step)
        if step == 3:  # a layer that took no part
            given[0].grad = None
        norm = update.take(theta)
        assert norm is not None
        assert norm.dtype == dtype
        norms.append(norm.item())
    return given, norms, optimizer


@pytest.mark.usefixtures("numbers_of_threads")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("theta", [None, 1.0, 1e6])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_equals_torch(name: str, theta: float | None, dtype: torch.dtype) -> None:
    ours, norms, optimizer = trained(CompiledUpdate, name, theta, dtype)
    theirs, their_norms, other = trained(TorchUpdate, name, theta, dtype)
    close = (
        {"rtol": 1e-5, "atol": 2e-6} if dtype is torch.float32 else {"rtol": 1e-12, "atol": 1e-14}
    )
    torch.testing.assert_close(norms, their_norms, rtol=1e-5, atol=0)
    for mine, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, their, **close)  # type: ignore[call-overload]
        torch.testing.assert_close(mine.grad, their.grad, **close)  # type: ignore[call-overload]
        kept, others = optimizer.state[mine], other.state[their]
        assert kept.keys() == others.keys()
        for key, value in kept.items():
            torch.testing.assert_close(value, others[key], **close)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_number_of_threads_changes_no_bit(name: str) -> None:
    before, found = torch.get_num_threads(), []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        found.append(trained(CompiledUpdate, name, 1.0)[0])
    torch.set_num_threads(before)
    for one, *others in zip(*found, strict=True):
        assert all(torch.equal(one, other) for other in others)


COMPILED_HERE = """
import sys
from rnn_magics.models.fast.kept import Kept
if sys.argv[1] == "anew":  # each function then has its helpers in it
    Kept.load_overload = lambda *_: None
    Kept.save_overload = lambda *_: None
import torch
from rnn_magics.training.config import OPTIMIZERS
from rnn_magics.training.steps.update import CompiledUpdate
for name in OPTIMIZERS:
    weight = torch.nn.Parameter(torch.randn(9_000, generator=torch.Generator().manual_seed(0)))
    optimizer = OPTIMIZERS[name].make([weight], lr=0.05, weight_decay=0.1)
    for step in range(5):
        weight.grad = torch.randn(9_000, generator=torch.Generator().manual_seed(step + 1))
        CompiledUpdate(optimizer).take(1.0)
    print(weight.detach().numpy().tobytes().hex())
"""


def test_how_it_was_compiled_changes_no_bit() -> None:
    # numba has no helper in a function whose helper it has loaded. The compiler may then choose
    # another product to round, and a run that goes on in another process would differ.
    found = [
        subprocess.run(
            [sys.executable, "-c", COMPILED_HERE, how], check=True, capture_output=True
        ).stdout
        for how in ("as kept", "anew")
    ]
    assert len(found[0].split()) == len(OPTIMIZERS)
    assert found[0] == found[1]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_goes_on_where_the_other_has_stopped(name: str) -> None:
    for first, second in (UPDATES, UPDATES[::-1]):
        given, _, optimizer = trained(first, name, 1.0)
        alone, _, its_optimizer = trained(second, name, 1.0)
        for each, its in ((given, optimizer), (alone, its_optimizer)):
            give_gradients(each, 9)
            assert second(its).take(1.0) is not None
        for mine, their in zip(given, alone, strict=True):
            torch.testing.assert_close(mine, their, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("kind", UPDATES)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, 3e38])
def test_a_gradient_without_a_finite_norm_changes_nothing(
    kind: Callable[[Any], Update], name: str, bad: float
) -> None:
    given, _, optimizer = trained(kind, name, 1.0)
    give_gradients(given, 7)
    before = [p.detach().clone() for p in given]
    given[-1].grad[1, 8199] = bad  # type: ignore[index]  # squared, 3e38 is inf
    assert kind(optimizer).take(1.0) is None
    assert all(torch.equal(p, old) for p, old in zip(given, before, strict=True))


@pytest.mark.parametrize("kind", UPDATES)
def test_weights_that_would_not_be_finite_are_as_before(kind: Callable[[Any], Update]) -> None:
    given = parameters()
    optimizer = OPTIMIZERS["sgd"].make(given, lr=3e38, weight_decay=0)
    give_gradients(given, 1)
    before = [p.detach().clone() for p in given]
    assert kind(optimizer).take(None) is None
    assert all(torch.equal(p, old) for p, old in zip(given, before, strict=True))


@pytest.mark.parametrize("kind", UPDATES)
def test_large_finite_weights_are_finite(kind: Callable[[Any], Update]) -> None:
    parameter = nn.Parameter(torch.full((70,), 3e38))
    parameter.grad = torch.ones(70)
    optimizer = OPTIMIZERS["sgd"].make([parameter], lr=1.0, weight_decay=0)
    assert kind(optimizer).take(1.0) is not None


@settings(deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=90), min_size=1),
    st.floats(1e-3, 1e3),
)
def test_clipping_scales_by_exactly_the_factor_of_the_formula(
    values: list[list[float]], theta: float
) -> None:
    given = [nn.Parameter(torch.zeros(len(part))) for part in values]
    for parameter, part in zip(given, values, strict=True):
        parameter.grad = torch.tensor(part)
    before = torch.tensor([value for part in values for value in part]).double()
    optimizer = OPTIMIZERS["sgd"].make(given, lr=1.0, weight_decay=0)
    found = CompiledUpdate(optimizer).take(theta)
    norm = math.sqrt(before.square().sum())
    assert found is not None
    assert found.item() == pytest.approx(norm, rel=1e-5, abs=1e-18)
    factor = min(1, theta / norm) if norm else 1
    after = torch.cat([p.detach() for p in given]).double()
    torch.testing.assert_close(after, -factor * before, rtol=1e-5, atol=1e-30)


def test_moments_and_gradients_may_lie_in_another_order() -> None:
    given, _, optimizer = trained(CompiledUpdate, "adamw", 1.0)
    same, _, other = trained(CompiledUpdate, "adamw", 1.0)
    moment = optimizer.state[given[1]]["exp_avg"]
    optimizer.state[given[1]]["exp_avg"] = moment.contiguous()
    assert moment.stride() != optimizer.state[given[1]]["exp_avg"].stride()
    for each, its in ((given, optimizer), (same, other)):
        give_gradients(each, 8)
        if each is given:
            given[1].grad = given[1].grad.contiguous()  # type: ignore[union-attr]
        assert CompiledUpdate(its).take(1.0) is not None
    for mine, their in zip(given, same, strict=True):
        assert torch.equal(mine, their)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_hooks_of_a_step_are_called(name: str) -> None:
    given, _, optimizer = trained(CompiledUpdate, name, 1.0)
    called: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    give_gradients(given, 8)
    assert CompiledUpdate(optimizer).take(1.0) is not None
    assert called == ["before", "after"]


def plain_model(*, scratch: bool = False) -> RNNModel:
    return RNNModel(ModelConfig(num_hiddens=8, scratch=scratch), 5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_compiled_update_is_for_compiled_models(name: str) -> None:
    model, scratch = plain_model(), plain_model(scratch=True)
    for each, kind in ((model, CompiledUpdate), (scratch, TorchUpdate)):
        optimizer = OPTIMIZERS[name].make(each.parameters(), lr=0.1, weight_decay=0)
        assert type(update_for(each, optimizer)) is kind


@pytest.mark.parametrize(
    "make",
    [
        torch.optim.Adagrad,
        lambda given: torch.optim.SGD(given, momentum=0.9),
        lambda given: torch.optim.SGD(given, maximize=True),
        lambda given: torch.optim.AdamW(given, amsgrad=True),
        lambda given: torch.optim.Adam([{"params": [each]} for each in given]),
    ],
)
def test_other_rules_are_left_to_torch(make: Callable[[Any], torch.optim.Optimizer]) -> None:
    model = plain_model()
    assert type(update_for(model, make(list(model.parameters())))) is TorchUpdate
