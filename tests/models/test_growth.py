"""A model grows by tokens, and what it says of the others stays."""

from __future__ import annotations

import pytest
import torch

from rnn_magics.errors import ModelError
from rnn_magics.models.cells import CELLS, Cell, State
from rnn_magics.models.growth import grow_model
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, weights

CONFIGS = [
    *(ModelConfig(cell, num_hiddens=6) for cell in ("rnn", "gru", "lstm")),
    ModelConfig("gru", num_hiddens=6, num_layers=2, embedding_size=4),
    ModelConfig("lstm", num_hiddens=6, num_layers=2, tie=True),
    ModelConfig("gru", num_hiddens=6, bidirectional=True),
    ModelConfig("gru", num_hiddens=6, scratch=True),
]
IDS = torch.tensor([[0, 3, 4, 1, 2, 4, 0]])


def model_of(config: ModelConfig, vocab_size: int = 5) -> RNNModel:
    return RNNModel(config, vocab_size, torch.Generator().manual_seed(1)).eval()


def grown(config: ModelConfig, seed: int = 0, vocab_size: int = 8) -> RNNModel:
    return grow_model(model_of(config), vocab_size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_the_logits_of_the_tokens_there_were_stay(config: ModelConfig) -> None:
    with torch.no_grad():
        before, _ = model_of(config)(IDS)
        after, _ = grown(config)(IDS)
    assert after.shape == (1, 7, 8)
    torch.testing.assert_close(after[..., :5], before, rtol=0, atol=1e-6)
    torch.testing.assert_close(after[..., :5].softmax(-1), before.softmax(-1))


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_old_rows_keep_their_bits(config: ModelConfig) -> None:
    before, after = weights(model_of(config)), weights(grown(config))
    assert before.keys() == after.keys()
    for name, value in before.items():
        part = after[name]
        for dim, size in enumerate(value.shape):
            part = part.narrow(dim, 0, size)
        assert torch.equal(part, value), name
    assert len(grown(config).output.weight) == 8


def test_new_rows_are_near_the_mean_and_follow_the_seed() -> None:
    config = ModelConfig("gru", num_hiddens=6)
    one, again, other = grown(config), grown(config), grown(config, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    old, new = one.output.weight[:5], one.output.weight[5:]
    assert not torch.equal(new, other.output.weight[5:])
    assert not torch.equal(new[0], new[1])
    assert ((new - old.mean(0)).abs() <= 0.5 * old.std(0)).all()  # five times its own spread


def test_what_is_tied_stays_tied() -> None:
    model = grown(ModelConfig("gru", num_hiddens=6, tie=True))
    assert model.embedding is not None
    assert model.output.weight is model.embedding.weight


def test_precision_and_the_global_generator_stay() -> None:
    before = torch.random.get_rng_state()
    model = grow_model(model_of(ModelConfig("gru", num_hiddens=6)).double(), 7, torch.Generator())
    assert model.output.weight.dtype == torch.float64
    assert torch.equal(torch.random.get_rng_state(), before)


def test_fewer_tokens_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^a model of 5 tokens cannot become one of 4$"):
        grown(ModelConfig("gru", num_hiddens=6), vocab_size=4)


class Square(Cell):
    """A cell with a weight that is as large as its input in both directions."""

    def __init__(self, input_size: int, num_hiddens: int) -> None:
        super().__init__(input_size, num_hiddens)
        self.mixed = torch.nn.Parameter(torch.zeros(input_size, input_size))

    def forward(self, x: torch.Tensor, state: State) -> State:
        """Take one step."""
        return (torch.tanh(x) + 0 * state[0],)


def test_a_cell_that_cannot_grow_is_refused() -> None:
    CELLS["square"] = Square
    with pytest.raises(ModelError, match=r"^rnn.cells.0.mixed of this cell does not grow"):
        grown(ModelConfig("square", num_hiddens=6))
