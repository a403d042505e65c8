"""Muon: orthogonalised momentum for hidden weights."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.models import fast
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Compiling
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.muon import Muon, by_gates, orthogonalise

SHAPES = [(3, 8, 8), (2, 48, 48), (2, 20, 33), (2, 33, 20), (1, 1, 5), (4, 7, 1)]


def matrices(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def plain(matrix: Tensor) -> Tensor:
    """The iteration of Jordan et al., one matrix at a time, in float64."""
    X = matrix.double()
    X = X / X.norm()
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_iteration_of_the_paper(
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, ...],
    compiled: bool,  # noqa: FBT001
) -> None:
    if not compiled:
        monkeypatch.setattr(fast, "is_available", lambda: False)
    elif not fast.is_available():
        pytest.skip("numba is not installed")
    X = matrices(shape)
    before = X.clone()
    found = orthogonalise(X)
    assert torch.equal(X, before)
    for matrix, one in zip(X, found, strict=True):
        torch.testing.assert_close(one.double(), plain(matrix), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_all_directions_become_about_as_long_as_each_other(shape: tuple[int, ...]) -> None:
    X = matrices(shape, torch.float64)
    U, S, V = torch.linalg.svd(X, full_matrices=False)
    found = orthogonalise((U * S.clamp(min=0.1 * S.max())[:, None]) @ V)
    lengths = torch.linalg.svdvals(found)
    assert ((lengths > 0.65) & (lengths < 1.25)).all()
    directions = U.mT @ found @ V.mT  # diagonal where the directions have stayed
    off = directions - torch.diag_embed(directions.diagonal(dim1=1, dim2=2))
    assert off.abs().max() < 1e-9


def test_a_gradient_of_zeros_moves_nothing() -> None:
    assert torch.equal(orthogonalise(torch.zeros(2, 4, 4)), torch.zeros(2, 4, 4))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_no_bit(threads: int) -> None:
    X, before = matrices((5, 40, 40)), torch.get_num_threads()
    first = orthogonalise(X)
    try:
        torch.set_num_threads(threads)
        assert torch.equal(orthogonalise(X), first)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_hidden_weights_are_taken_by_themselves(cell: str) -> None:
    config = ModelConfig(cell, num_hiddens=8, num_layers=2, bidirectional=True, embedding_size=5)
    model = RNNModel(config, 9)
    hidden, others = by_gates(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert {names[id(p)] for p in hidden["params"]} == {
        *(f"rnn.cells.{i}.weight_hh" for i in range(4)),
        *(f"rnn.cells.{i}.weight_ih" for i in (2, 3)),
    }
    assert hidden["num_gates"] == {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    assert len(hidden["params"]) + len(others["params"]) == len(names)


def stepped(optimizer: torch.optim.Optimizer, gradients: list[Tensor]) -> None:
    (parameter,) = optimizer.param_groups[0]["params"]
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        assert torch.equal(parameter.grad, gradient)  # clipped and looked at by others


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_two_steps_are_those_of_the_equations(decay: float) -> None:
    weight, gradients = matrices((12, 6)), list(matrices((2, 12, 6)) + 1)
    parameter = nn.Parameter(weight.clone())
    groups = [{"params": [parameter], "num_gates": 3}]
    stepped(Muon(groups, lr=0.1, weight_decay=decay), gradients)
    for gate in range(3):
        W, M = weight[4 * gate : 4 * gate + 4], torch.zeros(4, 6)
        for gradient in gradients:
            G = gradient[4 * gate : 4 * gate + 4]
            M = 0.95 * M + 0.05 * G
            step = orthogonalise((0.05 * G + 0.95 * M)[None])[0]
            W = (1 - 0.1 * decay) * W - 0.2 * 0.1 * math.sqrt(6) * step
        torch.testing.assert_close(parameter.detach()[4 * gate : 4 * gate + 4], W)


def test_all_other_parameters_take_the_steps_of_adamw() -> None:
    weight, gradients = matrices((4, 3)), list(matrices((3, 4, 3)))
    ours, theirs = (nn.Parameter(weight.clone()) for _ in range(2))
    hidden = nn.Parameter(torch.eye(3))
    optimizer = Muon([{"params": [ours]}, {"params": [hidden], "num_gates": 1}], lr=0.1)
    stepped(optimizer, gradients)
    stepped(torch.optim.AdamW([theirs], lr=0.1, betas=(0.9, 0.99), weight_decay=0.0), gradients)
    torch.testing.assert_close(ours, theirs)
    assert torch.equal(hidden.detach(), torch.eye(3))  # had no gradient


def test_an_update_can_be_held_back_on_the_device() -> None:
    parameter, other = nn.Parameter(matrices((6, 3))), nn.Parameter(torch.ones(3))
    groups = [{"params": [parameter], "num_gates": 2}, {"params": [other]}]
    optimizer = Muon(groups, lr=0.1, weight_decay=0.1, fused=True)
    parameter.grad, other.grad = matrices((6, 3)), torch.ones(3)
    optimizer.step()
    kept = copy.deepcopy([parameter.detach(), other.detach(), optimizer.state[parameter]])
    parameter.grad.fill_(math.nan)
    optimizer.found_inf = torch.ones(())  # type: ignore[attr-defined]
    optimizer.step()
    assert torch.equal(parameter.detach(), kept[0])
    assert torch.equal(other.detach(), kept[1])
    assert torch.equal(optimizer.state[parameter]["momentum"], kept[2]["momentum"])
    optimizer.found_inf = torch.zeros(())  # type: ignore[attr-defined]
    parameter.grad = matrices((6, 3))
    optimizer.step()
    assert parameter.isfinite().all()
    assert not torch.equal(parameter.detach(), kept[0])


def test_a_closure_is_called_with_gradients() -> None:
    parameter = nn.Parameter(torch.ones(2, 2))
    optimizer = Muon([{"params": [parameter], "num_gates": 1}])

    def closure() -> float:
        loss = F.mse_loss(parameter, torch.zeros(2, 2))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    assert optimizer.step(closure) == 1.0
    assert (parameter < 1).any()


def test_a_copy_of_the_optimizer_goes_on_alike() -> None:
    parameter = nn.Parameter(matrices((4, 4)))
    groups = [{"params": [parameter], "num_gates": 1}]
    optimizer = Muon(groups)
    stepped(optimizer, [matrices((4, 4))])
    other = nn.Parameter(parameter.detach().clone())
    second = Muon([{"params": [other], "num_gates": 1}])
    second.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one in (optimizer, second):
        stepped(one, [matrices((4, 4)) + 1])
    assert torch.equal(parameter, other)


def test_hooks_are_called_once_for_a_step() -> None:
    torch.optim.AdamW([nn.Parameter(torch.ones(1))])  # torch then hooks its steps, too
    hidden, other = nn.Parameter(torch.eye(2)), nn.Parameter(torch.ones(2))
    optimizer = Muon([{"params": [hidden], "num_gates": 1}, {"params": [other]}])
    called: list[int] = []
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    hidden.grad, other.grad = torch.eye(2), torch.ones(2)
    optimizer.step()
    assert called == [1]
    assert (other < 1).all()


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_not_compiled_yet_is_told_before_the_first_step(
    monkeypatch: pytest.MonkeyPatch,
    kept: bool,  # noqa: FBT001
) -> None:
    if not fast.is_available():
        pytest.skip("numba is not installed")
    ids = torch.arange(40) % 7
    run, state = begin(
        Batches(ids, BatchConfig("seq", 2, 4)),
        ModelConfig(num_hiddens=4, scratch=True),
        TrainConfig(epochs=1, optimizer="muon", device="cpu"),
    )
    monkeypatch.setattr(fast, "is_kept", lambda _: kept)
    told = [event for event in iter_train(run, state) if isinstance(event, Compiling)]
    assert told == ([] if kept else [Compiling("the updates of muon", 5)])
    assert run.reason == "epochs"
