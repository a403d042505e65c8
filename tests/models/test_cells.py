"""Cells: one step, as the equations say and as torch computes it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from rnn_magics.models.cells import (
    CELLS,
    Cell,
    GRUCell,
    InputGatedCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)

TORCH_CELLS: dict[str, type[nn.RNNCellBase]] = {
    "rnn": nn.RNNCell,
    "gru": nn.GRUCell,
    "lstm": nn.LSTMCell,
}
INPUTS, HIDDENS, BATCH = 5, 4, 3


def drawn(name: str) -> Cell:
    cell = CELLS[name](INPUTS, HIDDENS)
    cell.reset_parameters(torch.Generator().manual_seed(0))
    return cell


@pytest.mark.parametrize("name", TORCH_CELLS)
def test_a_step_equals_that_of_torch(name: str) -> None:
    cell, peer = drawn(name), TORCH_CELLS[name](INPUTS, HIDDENS)
    peer.load_state_dict(cell.state_dict())
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(BATCH, INPUTS, generator=generator)
    state = tuple(torch.randn(BATCH, HIDDENS, generator=generator) for _ in range(cell.num_states))
    (product,) = cell.input_product(x[None])
    ours = cell(product, state)
    theirs = peer(x, state if len(state) > 1 else state[0])
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", TORCH_CELLS)
def test_the_weights_have_the_names_and_shapes_of_torch(name: str) -> None:
    shapes = {key: value.shape for key, value in drawn(name).state_dict().items()}
    peer = TORCH_CELLS[name](INPUTS, HIDDENS).state_dict()
    assert shapes == {key: value.shape for key, value in peer.items()}


@pytest.mark.parametrize("name", CELLS)
def test_looking_a_token_up_equals_multiplying_by_one_hot(name: str) -> None:
    cell = drawn(name)
    indices = torch.tensor([[0, 4, 2], [1, 1, 3]])  # (num_steps, batch)
    one_hot = nn.functional.one_hot(indices, INPUTS).float()
    looked_up, multiplied = cell.input_product(indices), cell.input_product(one_hot)
    assert looked_up.shape == (2, 3, cell.num_gates * HIDDENS)
    torch.testing.assert_close(looked_up, multiplied, rtol=0, atol=1e-6)

    weights = torch.randn(looked_up.shape, generator=torch.Generator().manual_seed(2))

    def gradients(product: Tensor) -> list[Tensor]:
        return list(torch.autograd.grad((product * weights).sum(), [cell.weight_ih, cell.bias_ih]))

    for mine, other in zip(gradients(looked_up), gradients(multiplied), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_weights_are_drawn_uniformly_within_the_usual_bound(name: str) -> None:
    cell = CELLS[name](50, 16)
    cell.reset_parameters(torch.Generator().manual_seed(0))
    bound = 1 / math.sqrt(16)
    for parameter in cell.parameters():
        assert parameter.abs().max() <= bound
        assert parameter.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.2)


@pytest.mark.parametrize("name", CELLS)
def test_the_same_seed_draws_the_same_weights(name: str) -> None:
    first, again = drawn(name).state_dict(), drawn(name).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize("name", CELLS)
def test_the_same_seed_draws_the_same_weights_however_they_are_stored(name: str) -> None:
    cell = CELLS[name](HIDDENS, HIDDENS)
    cell.weight_ih.data = cell.weight_ih.data.contiguous()
    cell.reset_parameters(torch.Generator().manual_seed(3))
    other = CELLS[name](HIDDENS, HIDDENS)
    other.reset_parameters(torch.Generator().manual_seed(3))
    assert cell.weight_ih.stride() != other.weight_ih.stride()
    for mine, theirs in zip(cell.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_cell_without_equations_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Cell(2, 2)(torch.zeros(1, 2), (torch.zeros(1, 2),))


def test_the_gates_follow_their_equations() -> None:
    x = torch.tensor([0.3])
    h = torch.tensor([0.5])
    rnn, gru, lstm = RNNCell(1, 1), GRUCell(1, 1), LSTMCell(1, 1)
    for cell in (rnn, gru, lstm):
        nn.init.constant_(cell.weight_hh, 2.0)
        nn.init.constant_(cell.bias_hh, 0.1)
    inner = x + 2.0 * h + 0.1
    assert torch.allclose(rnn(x[None], (h[None],))[0], torch.tanh(inner))
    gate = torch.sigmoid(inner)
    candidate = torch.tanh(x + gate * (2.0 * h + 0.1))
    (after,) = gru(x.expand(1, 3), (h[None],))
    assert torch.allclose(after, (1 - gate) * candidate + gate * h)
    memory = gate * 0.7 + gate * torch.tanh(inner)
    after, kept = lstm(x.expand(1, 4), (h[None], torch.tensor([[0.7]])))
    assert torch.allclose(kept, memory)
    assert torch.allclose(after, gate * torch.tanh(memory))


def in_log_space(cell: InputGatedCell, inputs: Tensor) -> Tensor:
    """The states from zero by the log-space scan of Feng et al. (2024), appendix B."""
    x = cell.input_product(inputs)

    def log_g(x: Tensor) -> Tensor:
        return torch.where(x >= 0, (F.relu(x) + 0.5).log(), -F.softplus(-x))

    if isinstance(cell, MinGRUCell):
        x_z, x_n = x.chunk(2, dim=-1)
        log_factors, log_inputs = -F.softplus(x_z), -F.softplus(-x_z)
    else:
        x_f, x_i, x_n = x.chunk(3, dim=-1)
        difference = F.softplus(-x_f) - F.softplus(-x_i)
        log_factors, log_inputs = -F.softplus(difference), -F.softplus(-difference)
    sums = log_factors.cumsum(dim=0)
    return (sums + torch.logcumsumexp(log_inputs + log_g(x_n) - sums, dim=0)).exp()


@pytest.mark.parametrize("kind", [MinGRUCell, MinLSTMCell])
def test_the_steps_are_the_scan_of_the_paper(kind: type[InputGatedCell]) -> None:
    cell = kind(INPUTS, HIDDENS).double()
    cell.reset_parameters(torch.Generator().manual_seed(0))
    inputs = 3 * torch.randn(20, BATCH, INPUTS, generator=torch.Generator().manual_seed(1)).double()
    state, states = (torch.zeros(BATCH, HIDDENS).double(),), []
    for x in cell.input_product(inputs):
        state = cell(x, state)
        states.append(state[0])
    torch.testing.assert_close(torch.stack(states), in_log_space(cell, inputs))
    assert (torch.stack(states) > 0).all()


def test_the_gates_of_the_input_follow_their_equations() -> None:
    before = (torch.tensor([[0.5]]),)

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    for x_n, candidate in ((0.3, 0.8), (0.0, 0.5), (-0.7, sigmoid(-0.7))):
        (after,) = MinGRUCell(1, 1)(torch.tensor([[1.2, x_n]]), before)
        update = sigmoid(1.2)
        assert after.item() == pytest.approx((1 - update) * 0.5 + update * candidate)
        (after,) = MinLSTMCell(1, 1)(torch.tensor([[1.2, -0.4, x_n]]), before)
        forget, given = sigmoid(1.2), sigmoid(-0.4)
        expected = (forget * 0.5 + given * candidate) / (forget + given)
        assert after.item() == pytest.approx(expected)


def test_two_gates_that_are_shut_still_add_up_to_one() -> None:
    x = torch.tensor([[-200.0, -198.0, 1.0]])
    gates = MinLSTMCell(1, 1).gates(x, ())
    assert gates["input"].item() == pytest.approx(1 / (1 + math.exp(-2)))
    assert (gates["forget"] + gates["input"]).item() == pytest.approx(1)


@pytest.mark.parametrize("name", CELLS)
def test_the_weights_are_the_parameters(name: str) -> None:
    cell = drawn(name)
    assert {id(weight) for weight in cell.weights} == {id(each) for each in cell.parameters()}
    assert cell.weights[:2] == (cell.weight_ih, cell.bias_ih)


def test_a_gated_cell_without_equations_says_so() -> None:
    with pytest.raises(NotImplementedError):
        InputGatedCell(2, 2)(torch.zeros(1, 2), (torch.zeros(1, 2),))
