"""The recurrent stack: all engines give one result, the one of torch."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from rnn_magics.batching import Batches
from rnn_magics.models import recurrent
from rnn_magics.models.cells import CELLS, Cell, State
from rnn_magics.models.engines import ENGINES
from rnn_magics.models.recurrent import Dropout, RecurrentStack
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

CPU = torch.device("cpu")
TORCH_LAYERS: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
INPUTS, HIDDENS, STEPS, BATCH = 7, 5, 6, 3


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each engine in turn, whatever the rule would choose."""
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: request.param)
    return str(request.param)


def drawn(cell: str, num_layers: int, num_directions: int, dtype: torch.dtype) -> RecurrentStack:
    """Return a stack with weights larger than the initial ones."""
    bidirectional = num_directions == 2
    stack = RecurrentStack(cell, INPUTS, HIDDENS, num_layers, bidirectional=bidirectional)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.uniform_(-0.9, 0.9, generator=generator)
    return stack.to(dtype)


def stack_and_peer(
    cell: str, num_layers: int, num_directions: int, dtype: torch.dtype
) -> tuple[RecurrentStack, nn.RNNBase]:
    """Return our stack and torch's with the same weights."""
    bidirectional = num_directions == 2
    stack = RecurrentStack(cell, INPUTS, HIDDENS, num_layers, bidirectional=bidirectional)
    peer = TORCH_LAYERS[cell](INPUTS, HIDDENS, num_layers, bidirectional=bidirectional)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in peer.parameters():
            parameter.uniform_(-0.7, 0.7, generator=generator)
    for (layer, direction), ours in zip(
        itertools.product(range(num_layers), range(num_directions)), stack.cells, strict=True
    ):
        suffix = f"_l{layer}" + "_reverse" * direction
        ours.load_state_dict(
            {name: getattr(peer, name + suffix) for name, _ in ours.named_parameters()}
        )
    return stack.to(dtype), peer.to(dtype)


def peer_gradients(peer: nn.RNNBase, num_layers: int, num_directions: int) -> list[Tensor]:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [
        getattr(peer, f"{name}_l{layer}" + "_reverse" * direction).grad
        for layer in range(num_layers)
        for direction in range(num_directions)
        for name in names
    ]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("num_directions", [1, 2])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", TORCH_LAYERS)
def test_values_and_gradients_equal_those_of_torch(
    cell: str, num_layers: int, num_directions: int, dtype: torch.dtype
) -> None:
    stack, peer = stack_and_peer(cell, num_layers, num_directions, dtype)
    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=dtype)

    inputs = draw(STEPS, BATCH, INPUTS)
    begin = tuple(
        draw(num_layers * num_directions, BATCH, HIDDENS) for _ in range(stack.num_states)
    )
    weights = [draw(STEPS, BATCH, HIDDENS * num_directions), *(draw(*s.shape) for s in begin)]

    def backward(outputs: Tensor, last: State) -> list[Tensor]:
        values = [outputs, *last]
        sum((v * w).sum() for v, w in zip(values, weights, strict=True)).backward()
        return values

    ours_in, theirs_in = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    ours_begin = tuple(part.clone().requires_grad_() for part in begin)
    theirs_begin = tuple(part.clone().requires_grad_() for part in begin)
    ours = backward(*stack(ours_in, ours_begin))
    outputs, last = peer(theirs_in, theirs_begin if len(begin) > 1 else theirs_begin[0])
    theirs = backward(outputs, last if isinstance(last, tuple) else (last,))

    ours += [ours_in.grad, *(part.grad for part in ours_begin)]
    ours += [parameter.grad for parameter in stack.parameters()]
    theirs += [theirs_in.grad, *(part.grad for part in theirs_begin)]
    theirs += peer_gradients(peer, num_layers, num_directions)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("num_directions", [1, 2])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_every_engine_equals_the_cell_stepped_as_it_is_written(
    cell: str, num_layers: int, num_directions: int, dtype: torch.dtype, engine: str
) -> None:
    draw = torch.Generator().manual_seed(1)
    tokens = torch.randint(INPUTS, (STEPS, BATCH), generator=draw)
    stack = drawn(cell, num_layers, num_directions, dtype)
    shape = (num_layers * num_directions, BATCH, HIDDENS)
    begin = [torch.randn(shape, generator=draw, dtype=dtype) for _ in range(stack.num_states)]
    results = []
    for name in ("scratch", engine):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recurrent, "choose_engine", lambda *_, name=name, **__: name)
            state = tuple(part.clone().requires_grad_() for part in begin)
            outputs, last = stack(tokens, state)
        loss = sum(value.cos().sum() for value in (outputs, *last))
        wanted = [*state, *stack.parameters()]
        results.append([outputs, *last, *torch.autograd.grad(loss, wanted)])
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("num_directions", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_token_indices_equal_one_hot_vectors(cell: str, num_directions: int) -> None:
    stack = drawn(cell, 2, num_directions, torch.float32)
    indices = torch.randint(INPUTS, (STEPS, BATCH), generator=torch.Generator().manual_seed(3))
    begin = stack.begin_state(BATCH, CPU)
    results = []
    for inputs in (indices, nn.functional.one_hot(indices, INPUTS).float()):
        stack.zero_grad()
        outputs, last = stack(inputs, begin)
        outputs.pow(2).sum().backward()
        results.append([outputs, *last, *(p.grad.clone() for p in stack.parameters())])
    for looked_up, multiplied in zip(*results, strict=True):
        torch.testing.assert_close(looked_up, multiplied, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_with_the_state_carried_equal_the_whole(cell: str) -> None:
    stack = drawn(cell, 2, 1, torch.float64)
    inputs = torch.randn(STEPS, BATCH, INPUTS, dtype=torch.float64)
    whole, end = stack(inputs, stack.begin_state(BATCH, CPU))
    first, state = stack(inputs[:2], stack.begin_state(BATCH, CPU))
    second, state = stack(inputs[2:], state)
    torch.testing.assert_close(torch.cat((first, second)), whole)
    for mine, other in zip(state, end, strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("num_layers", "num_directions"), [(1, 1), (3, 1), (1, 2), (2, 2)])
def test_the_state_has_a_row_for_each_layer_and_direction(
    cell: str, num_layers: int, num_directions: int
) -> None:
    stack = drawn(cell, num_layers, num_directions, torch.float64)
    state = stack.begin_state(BATCH, CPU)
    assert len(state) == (2 if cell == "lstm" else 1)
    for part in state:
        assert part.shape == (num_layers * num_directions, BATCH, HIDDENS)
        assert part.dtype == torch.float64
        assert not part.any()
    assert stack.output_size == HIDDENS * num_directions


class Forgetful(Cell):
    """A user's own cell: the output is the input product."""

    def forward(self, x: Tensor, state: State) -> State:
        return (torch.tanh(x + 0 * state[0] + 0 * self.weight_hh.sum() + 0 * self.bias_hh),)


def test_a_cell_of_ones_own_is_one_class_and_one_line(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CELLS, "forgetful", Forgetful)
    config = ModelConfig(cell="forgetful", num_hiddens=6, num_layers=2)
    run = train(batches, config, TrainConfig(epochs=3, lr=0.02))
    assert run.model.engine == "scratch"
    assert run.history.train_perplexity[-1] < run.history.train_perplexity[0]


def test_dropout_zeroes_its_share_and_scales_the_rest() -> None:
    dropout = Dropout(0.25)
    dropout.generator = torch.Generator().manual_seed(0)
    dropped = dropout(torch.ones(100_000))
    assert torch.equal(dropped.unique(), torch.tensor([0, 1 / 0.75]))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)


def test_dropout_draws_from_its_own_generator() -> None:
    dropout = Dropout(0.5)
    drawn = []
    before = torch.get_rng_state()
    for _ in range(2):
        dropout.generator = torch.Generator().manual_seed(3)
        drawn.append(dropout(torch.ones(64)))
    assert torch.equal(*drawn)
    assert not torch.equal(drawn[0], dropout(torch.ones(64)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_dropout_does_nothing_in_evaluation(p: float) -> None:
    x = torch.randn(32)
    assert Dropout(p).eval()(x) is x
