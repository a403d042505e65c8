"""RNNModel: token indices in, logits and state out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics.errors import ConfigError, ModelError
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, detach, require_finite

VOCAB, BATCH, STEPS = 11, 3, 5
X = torch.randint(VOCAB, (BATCH, STEPS), generator=torch.Generator().manual_seed(9))


def make(**config: Any) -> RNNModel:
    options = {"num_hiddens": 8, **config}
    return RNNModel(ModelConfig(**options), VOCAB, torch.Generator().manual_seed(0))


def parts(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("num_layers", "num_directions"), [(1, 1), (2, 1), (2, 2)])
def test_logits_and_states_have_the_shapes_of_the_book(
    cell: str, num_layers: int, num_directions: int
) -> None:
    model = make(cell=cell, num_layers=num_layers, bidirectional=num_directions == 2)
    state = model.begin_state(BATCH)
    logits, after = model(X, state)
    assert logits.shape == (BATCH, STEPS, VOCAB)
    assert isinstance(state, tuple) is isinstance(after, tuple) is (cell == "lstm")
    for part in (*parts(state), *parts(after)):
        assert part.shape == (num_layers * num_directions, BATCH, 8)
    assert not any(part.any() for part in parts(state))


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu"), None])
def test_the_first_state_is_made_on_the_device_asked_for(device: Any) -> None:
    state = make().begin_state(2, device)
    assert isinstance(state, Tensor)
    assert state.device.type == "cpu"


@pytest.mark.parametrize("cell", CELLS)
def test_without_a_state_the_model_begins_with_zeros(cell: str) -> None:
    model = make(cell=cell)
    assert torch.equal(model(X)[0], model(X, model.begin_state(BATCH))[0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scratch", [True, False])
def test_scratch_computes_the_same(cell: str, *, scratch: bool) -> None:
    model = make(cell=cell, num_layers=2, scratch=scratch)
    peer = make(cell=cell, num_layers=2, scratch=not scratch)
    assert (model.engine == "scratch") is scratch
    torch.testing.assert_close(model(X)[0], peer(X)[0], rtol=1e-5, atol=1e-5)


def test_a_model_does_not_see_the_tokens_to_come() -> None:
    model = make(num_layers=2)
    changed = X.clone()
    changed[:, -1] = (changed[:, -1] + 1) % VOCAB
    assert torch.equal(model(X)[0][:, :-1], model(changed)[0][:, :-1])


def test_a_bidirectional_model_does() -> None:
    model = make(bidirectional=True)
    changed = X.clone()
    changed[:, -1] = (changed[:, -1] + 1) % VOCAB
    assert not torch.equal(model(X)[0][:, 0], model(changed)[0][:, 0])


def test_rows_of_a_batch_do_not_touch_each_other() -> None:
    model = make(num_layers=2)
    alone = torch.cat([model(row[None])[0] for row in X])
    torch.testing.assert_close(alone, model(X)[0])


def test_an_embedding_is_looked_up_before_the_cells() -> None:
    model = make(embedding_size=3)
    assert model.embedding is not None
    assert model.embedding.weight.shape == (VOCAB, 3)
    outputs, _ = model.rnn(model.embedding(X.t()), parts(model.begin_state(BATCH)))
    torch.testing.assert_close(model(X)[0], model.output(outputs).transpose(0, 1))


def test_tied_weights_are_one_parameter_that_learns_from_both_ends() -> None:
    model = make(tie=True)
    assert model.config.embedding_size == 8
    assert model.embedding is not None
    assert model.output.weight is model.embedding.weight
    untied = make(embedding_size=8)
    assert model.num_parameters == untied.num_parameters - VOCAB * 8
    untied.load_state_dict(model.state_dict())
    for each in (model, untied):
        each(X)[0].pow(2).sum().backward()
    assert untied.embedding is not None
    both_ends = untied.embedding.weight.grad + untied.output.weight.grad
    torch.testing.assert_close(model.output.weight.grad, both_ends)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bidirectional": True}, "leave out bidirectional"),
        ({"embedding_size": 4}, "tie needs embedding_size = num_hiddens, not 4 and 8"),
    ],
)
def test_what_cannot_be_tied_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ModelConfig(num_hiddens=8, tie=True, **options)


def test_a_model_of_no_tokens_is_refused() -> None:
    with pytest.raises(ModelError, match="at least one token, not 0"):
        RNNModel(ModelConfig(), 0)


@pytest.mark.parametrize("options", [{}, {"embedding_size": 4}, {"tie": True}, {"cell": "lstm"}])
def test_the_seed_decides_every_weight(options: dict[str, Any]) -> None:
    config = ModelConfig(num_hiddens=8, **options)
    models = [RNNModel(config, VOCAB, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    first, again, other = (model.state_dict() for model in models)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("options", [{}, {"embedding_size": 4}, {"tie": True}])
def test_a_seeded_model_leaves_the_global_generator_alone(options: dict[str, Any]) -> None:
    before = torch.get_rng_state()
    make(**options)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_begin_within_their_bounds() -> None:
    model = make(num_hiddens=16, embedding_size=6)
    assert model.embedding is not None
    assert 0.08 < model.embedding.weight.abs().max() <= 0.1
    assert 0.2 < model.output.weight.abs().max() <= 0.25
    assert all(p.abs().max() <= 0.25 for p in model.rnn.parameters())


def test_dropout_acts_between_layers_and_before_the_output_but_not_in_time() -> None:
    model = make(num_layers=2, dropout=0.5)
    model.seed_dropout(torch.Generator().manual_seed(1))
    steady, kept = model.eval()(X)
    logits, state = model.train()(X)
    assert torch.equal(state[0], kept[0])  # the lower layer, through all its steps
    assert not torch.equal(state[1], kept[1])
    assert not torch.equal(logits, steady)


def test_dropout_acts_before_the_output_of_a_single_layer() -> None:
    model = make(dropout=0.5)
    model.seed_dropout(torch.Generator().manual_seed(1))
    steady, kept = model.eval()(X)
    logits, state = model.train()(X)
    assert torch.equal(state, kept)
    assert not torch.equal(logits, steady)


def test_dropout_acts_on_an_embedding() -> None:
    model = make(dropout=0.5, embedding_size=8)
    model.seed_dropout(torch.Generator().manual_seed(1))
    _, kept = model.eval()(X)
    _, state = model.train()(X)
    assert not torch.equal(state, kept)


def test_the_seed_decides_the_dropout() -> None:
    model = make(num_layers=2, dropout=0.5)
    drawn = []
    for seed in (4, 4, 5):
        model.seed_dropout(torch.Generator().manual_seed(seed))
        drawn.append(model(X)[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_nothing_is_dropped_in_evaluation() -> None:
    model = make(num_layers=2, dropout=0.5).eval()
    assert torch.equal(model(X)[0], model(X)[0])
    assert torch.equal(model(X)[0], make(num_layers=2)(X)[0])


@pytest.mark.parametrize("cell", CELLS)
def test_no_gradient_crosses_a_detached_state(cell: str) -> None:
    model = make(cell=cell)

    def gradients(*, cut: bool) -> list[Tensor]:
        begin = tuple(p.requires_grad_() for p in parts(model.begin_state(BATCH)))
        _, state = model(X, begin if len(begin) > 1 else begin[0])
        logits, _ = model(X, detach(state) if cut else state)
        loss = F.cross_entropy(logits.flatten(0, 1), X.flatten())
        return list(torch.autograd.grad(loss, begin, materialize_grads=True))

    assert not any(g.any() for g in gradients(cut=True))
    assert all(g.any() for g in gradients(cut=False))


@pytest.mark.parametrize("cell", CELLS)
def test_detaching_keeps_the_values(cell: str) -> None:
    _, state = make(cell=cell)(X)
    for cut, part in zip(parts(detach(state)), parts(state), strict=True):
        assert torch.equal(cut, part)
        assert not cut.requires_grad


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"cell": "rnn"}, 8 * (11 + 8 + 2) + 11 * 9),
        ({"cell": "gru"}, 24 * (11 + 8 + 2) + 11 * 9),
        ({"cell": "lstm", "num_layers": 2}, 32 * (11 + 8 + 2) + 32 * (8 + 8 + 2) + 11 * 9),
        ({"cell": "rnn", "bidirectional": True}, 2 * 8 * (11 + 8 + 2) + 11 * 17),
        ({"cell": "mingru", "num_layers": 2}, 16 * (11 + 1) + 16 * (8 + 1) + 11 * 9),
        ({"cell": "minlstm", "bidirectional": True}, 2 * 24 * (11 + 1) + 11 * 17),
        ({"cell": "rnn", "embedding_size": 3}, 11 * 3 + 8 * (3 + 8 + 2) + 11 * 9),
    ],
)
def test_parameters_are_counted(options: dict[str, Any], count: int) -> None:
    assert make(**options).num_parameters == count


def test_a_weight_that_is_not_finite_is_refused_by_its_name() -> None:
    model = RNNModel(ModelConfig("gru", 8), 5)
    with torch.no_grad():
        model.output.weight.fill_(3e38)  # finite, though their sum is not
        require_finite(model)
        for value in (math.inf, -math.inf, math.nan):
            model.output.weight[2, 3] = value
            with pytest.raises(ModelError, match=r"output\.weight holds -?(inf|nan) \(1 of its 40"):
                require_finite(model)
        model.output.weight[0, 0] = -math.inf
        with pytest.raises(ModelError, match=r"2 of its 40"):
            require_finite(model)
