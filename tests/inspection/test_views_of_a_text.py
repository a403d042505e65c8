"""Views of a text: equal to the forward pass, to the score, to finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.decoding.score import score_text
from rnn_magics.errors import DecodingError, InspectionError
from rnn_magics.inspection import (
    inspect_gates,
    inspect_gradient,
    inspect_hidden,
    inspect_surprise,
)
from rnn_magics.inspection.views.gates import GatesConfig
from rnn_magics.inspection.views.gradient import GradientConfig, gains, saliency
from rnn_magics.inspection.views.hidden import HiddenConfig
from rnn_magics.inspection.views.ordering import UNIT_ORDERS, by_similarity
from rnn_magics.inspection.views.surprise import SurpriseConfig
from rnn_magics.inspection.views.unrolled import MAX_TOKENS, Unrolled, read_text, unroll
from rnn_magics.models.cells import CELLS, Cell, GRUCell, State

TEXT = "the time traveller"
Make = Callable[..., Any]
VIEWS: list[Callable[..., Any]] = [
    inspect_hidden,
    inspect_gates,
    inspect_surprise,
    inspect_gradient,
]


class Leaky(Cell):
    """A cell of a user, with one gate that it names."""

    num_gates = 2

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        product = x + state[0] @ self.weight_hh.t() + self.bias_hh
        keep, candidate = product.chunk(2, dim=-1)
        return {"keep": keep.sigmoid(), "candidate": candidate.tanh()}

    def forward(self, x: Tensor, state: State) -> State:
        gates = self.gates(x, state)
        return (gates["keep"] * state[0] + (1 - gates["keep"]) * gates["candidate"],)


class OtherStep(GRUCell):
    """A cell that takes over the gates of another and steps otherwise."""

    def forward(self, x: Tensor, state: State) -> State:
        return (torch.tanh(x[:, : self.num_hiddens] + state[0]),)


@pytest.fixture(autouse=True)
def _cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "leaky", Leaky)
    monkeypatch.setitem(CELLS, "other", OtherStep)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "rnn"},
        {"cell": "gru", "num_layers": 2},
        {"cell": "lstm", "num_layers": 3, "embedding_size": 4},
        {"cell": "lstm", "scratch": True},
        {"cell": "leaky", "num_layers": 2},
        {"cell": "other"},
    ],
)
def test_hidden_states_are_those_of_the_model(make_run: Make, options: dict[str, Any]) -> None:
    run = make_run(**options)
    found = inspect_hidden(run, TEXT)
    model = run.model
    assert found.states.shape == (model.config.num_layers, len(TEXT), 6)
    ids = torch.tensor([run.vocab[list(TEXT)]])
    with torch.no_grad():
        logits, last = model(ids)
        again = model.output(torch.from_numpy(found.states[-1]))
    torch.testing.assert_close(again, logits[0])
    parts = (last,) if isinstance(last, Tensor) else last
    torch.testing.assert_close(torch.from_numpy(found.states[:, -1]), parts[0][:, 0])
    assert (found.memory is not None) is (len(parts) == 2)
    if found.memory is not None:
        torch.testing.assert_close(torch.from_numpy(found.memory[:, -1]), parts[1][:, 0])


@pytest.mark.parametrize("order", UNIT_ORDERS)
def test_an_order_is_a_permutation(make_run: Make, order: str) -> None:
    found = inspect_hidden(make_run(), TEXT, HiddenConfig(order=order))
    assert sorted(found.units) == list(range(6))
    few = inspect_hidden(make_run(), TEXT, HiddenConfig(order=order, num_units=2))
    assert few.units.tolist() == found.units[:2].tolist()
    assert few.shown.shape == (len(TEXT), 2)
    # One token, and units that never change.
    assert sorted(UNIT_ORDERS[order](np.zeros((1, 4), np.float32))) == list(range(4))


def test_orders_sort_by_what_they_are_called() -> None:
    states = np.array([[0.1, -0.9, 0.5], [0.1, -0.9, -0.5]])
    assert UNIT_ORDERS["activation"](states).tolist() == [1, 2, 0]
    assert UNIT_ORDERS["variance"](states).tolist()[0] == 2


def test_similar_units_stand_side_by_side() -> None:
    drawn = np.random.default_rng(0).normal(size=(2, 200))
    noise = np.random.default_rng(1).normal(size=(200, 10))
    groups = np.arange(10) % 2
    states = drawn[groups].T + 0.3 * noise
    ordered = groups[by_similarity(states)]
    assert (np.diff(ordered) != 0).sum() == 1


@pytest.mark.parametrize("cell", ["gru", "lstm", "leaky"])
@pytest.mark.parametrize("layer", [0, 1])
def test_stepping_with_the_gates_gives_the_states(make_run: Make, cell: str, layer: int) -> None:
    run = make_run(cell=cell, num_layers=2)
    gates = inspect_gates(run, TEXT, GatesConfig(layer=layer))
    states = inspect_hidden(run, TEXT).states[layer]
    v, before = gates.values, np.vstack((np.zeros(6), states[:-1]))
    if cell == "gru":
        assert list(v) == ["reset", "update", "candidate"]
        after = (1 - v["update"]) * v["candidate"] + v["update"] * before
    elif cell == "leaky":
        after = v["keep"] * before + (1 - v["keep"]) * v["candidate"]
    else:
        assert list(v) == ["input", "forget", "candidate", "output", "cell"]
        memory = np.vstack((np.zeros(6), v["cell"][:-1]))
        np.testing.assert_allclose(v["cell"], v["forget"] * memory + v["input"] * v["candidate"])
        after = v["output"] * np.tanh(v["cell"])
    np.testing.assert_allclose(after, states, rtol=0, atol=1e-12)
    assert "candidate" not in gates.low
    for name in gates.low:
        np.testing.assert_allclose(gates.low[name], (v[name] < 0.1).mean(axis=0))
        np.testing.assert_allclose(gates.high[name], (v[name] > 0.9).mean(axis=0))


@pytest.mark.parametrize("cell", ["rnn", "other"])
def test_a_cell_without_gates_of_its_own_is_said_so(make_run: Make, cell: str) -> None:
    with pytest.raises(InspectionError, match=f"the cell '{cell}' names no gates"):
        inspect_gates(make_run(cell=cell), TEXT)


def test_surprise_is_the_score_with_alternatives(make_run: Make) -> None:
    run = make_run()
    found = inspect_surprise(run, TEXT, SurpriseConfig(top=3))
    scored = score_text(run, TEXT)
    assert math.isnan(found.bits[0])
    assert found.bits[1:].tolist() == pytest.approx(scored.surprise[1:])
    assert found.perplexity == pytest.approx(scored.perplexity)
    with torch.no_grad():
        logits, _ = run.model(torch.tensor([run.vocab[list(TEXT)]]))
    p = logits[0].softmax(-1).numpy()
    assert found.alternatives[0] == []
    assert found.probabilities.shape == (len(TEXT) + 1, 3)
    for place in range(1, len(TEXT) + 1):
        best = np.argsort(-p[place - 1])[:3]
        assert found.alternatives[place] == run.vocab.to_tokens(best)
        np.testing.assert_allclose(found.probabilities[place], p[place - 1][best], rtol=1e-5)
    np.testing.assert_allclose(found.entropy[1:], -(p * np.log2(p)).sum(-1), rtol=1e-5)


def test_more_alternatives_than_tokens_are_all_tokens(make_run: Make) -> None:
    run = make_run()
    found = inspect_surprise(run, TEXT, SurpriseConfig(top=10_000))
    assert len(found.alternatives[1]) == len(run.vocab)


@pytest.mark.parametrize("embedding_size", [None, 3])
@pytest.mark.parametrize("cell", [*CELLS, "leaky"])
def test_saliency_is_the_finite_difference(
    make_run: Make, cell: str, embedding_size: int | None
) -> None:
    run = make_run(cell=cell, num_layers=2, embedding_size=embedding_size)
    model, ids = run.model, read_text(run, "the time").ids
    target = run.vocab["t"]
    norms, _, log_p = saliency(model, ids, target)
    if model.embedding is None:
        vectors = torch.nn.functional.one_hot(ids, model.vocab_size).double()
    else:
        vectors = model.embedding(ids).detach()

    def value(inputs: Tensor) -> float:
        with torch.no_grad():
            last = unroll(model, inputs)[-1].states[0][-1]
            return float(model.output(last).log_softmax(-1)[target])

    assert log_p == pytest.approx(value(vectors))
    for place in (0, 3, len(ids) - 1):
        slopes = []
        for element in range(vectors.shape[1]):
            step = torch.zeros_like(vectors)
            step[place, element] = 1e-5
            slopes.append((value(vectors + step) - value(vectors - step)) / 2e-5)
        assert norms[place].item() == pytest.approx(np.linalg.norm(slopes), rel=1e-5)


@pytest.mark.parametrize("cell", [*CELLS, "leaky"])
def test_the_gain_of_the_state_is_the_finite_difference(make_run: Make, cell: str) -> None:
    run = make_run(cell=cell)
    with torch.no_grad():
        (unrolled,) = unroll(run.model, read_text(run, "the time").ids)
    found = gains(unrolled, max_lag=5)
    assert found[0] == 1
    assert len(found) == 6

    def last(state: Tensor, lag: int) -> Tensor:
        after = state.split(6)
        with torch.no_grad():
            for x in unrolled.x[len(unrolled.x) - lag :]:
                after = tuple(p[0] for p in unrolled.cell(x[None], tuple(p[None] for p in after)))
        return torch.cat(after)

    for lag in (1, 3, 5):
        begin = torch.cat([part[-1 - lag] for part in unrolled.states])
        columns = [
            (last(begin + step, lag) - last(begin - step, lag)) / 2e-5
            for step in torch.eye(len(begin), dtype=torch.float64) * 1e-5
        ]
        expected = torch.stack(columns).norm() / math.sqrt(len(begin))
        assert found[lag].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_linear_cell_explodes_as_its_weights_say() -> None:
    class Doubling(Cell):
        def forward(self, x: Tensor, state: State) -> State:
            return (2 * state[0] + x,)

    x = torch.zeros(9, 3)
    found = gains(Unrolled(Doubling(2, 3), x, (torch.zeros(10, 3),)), max_lag=100)
    assert found.tolist() == pytest.approx([2.0**lag for lag in range(9)])


def test_which_prediction_the_gradient_is_of(make_run: Make) -> None:
    run = make_run()
    at_end = inspect_gradient(run, TEXT)
    likeliest = inspect_surprise(run, TEXT).alternatives[-1][0]
    assert (at_end.step, at_end.target) == (len(TEXT) - 1, likeliest)
    assert len(at_end.norms) == len(at_end.lags) == len(TEXT)
    inside = inspect_gradient(run, TEXT, GradientConfig(step=3))
    assert (inside.target, len(inside.norms)) == (TEXT[4], 4)
    assert inside.log_p == pytest.approx(-score_text(run, TEXT).surprise[4] * math.log(2))
    assert inspect_gradient(run, TEXT, GradientConfig(target="m")).target == "m"


@pytest.mark.parametrize("view", VIEWS)
def test_what_a_text_view_refuses(make_run: Make, view: Callable[..., Any]) -> None:
    run = make_run()
    with pytest.raises(
        InspectionError, match="the text has 0 char tokens, but this view needs at least"
    ):
        view(run, "")
    with pytest.raises(
        InspectionError, match=r"the text has 1,001 char tokens, but a view shows at most 1,0"
    ):
        view(run, "a" * (MAX_TOKENS + 1))
    with pytest.raises(
        InspectionError,
        match="in a bidirectional model, the state after a token also depends on later",
    ):
        view(make_run(bidirectional=True), TEXT)
    with pytest.raises(DecodingError, match="bare indices"):
        view(SimpleNamespace(model=run.model, vocab=None), TEXT)


@pytest.mark.parametrize("view", [inspect_surprise, inspect_gradient])
def test_one_token_predicts_nothing_that_is_there(make_run: Make, view: Callable[..., Any]) -> None:
    with pytest.raises(
        InspectionError, match="the text has 1 char token, but this view needs at least 2"
    ):
        view(make_run(), "t")


@pytest.mark.parametrize(
    ("view", "config"),
    [
        (inspect_hidden, HiddenConfig(layer=2)),
        (inspect_gates, GatesConfig(layer=2)),
        (inspect_gradient, GradientConfig(layer=2)),
    ],
)
def test_a_layer_that_is_not_there(make_run: Make, view: Any, config: Any) -> None:
    with pytest.raises(InspectionError, match="no layer 2: its layers are 0 to 1"):
        view(make_run(num_layers=2), TEXT, config)
    with pytest.raises(InspectionError, match="no layer 2: 0 is its only layer"):
        view(make_run(), TEXT, config)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (GradientConfig(step=18), "no token 18: its tokens are 0 to 17"),
        (GradientConfig(target="zz"), "'zz' is not a char token of the vocabulary"),
        (GradientConfig(target="§"), "'§' is not a char token of the vocabulary"),
    ],
)
def test_a_prediction_that_is_not_there(make_run: Make, config: GradientConfig, said: str) -> None:
    with pytest.raises(InspectionError, match=said):
        inspect_gradient(make_run(), TEXT, config)


@pytest.mark.parametrize("view", VIEWS)
def test_unknown_tokens_are_shown_as_unk_with_a_note(
    make_run: Make, view: Callable[..., Any]
) -> None:
    found = view(make_run(), "th§")
    assert found.tokens == ["t", "h", "<unk>"]
    assert repr(found).endswith("read as <unk>: '§'")


@given(text=st.text(min_size=2, max_size=30))
def test_any_text_can_be_looked_at(any_run: Any, text: str) -> None:
    for view in VIEWS:
        found = view(any_run, text)
        assert len(found.tokens) == len(text)
        assert repr(found)
        assert found.to_data()


@pytest.fixture(scope="module")
def any_run() -> Any:
    from rnn_magics import Corpus, ModelConfig, RNNModel, Vocab

    vocab = Vocab.from_corpus(Corpus.from_text("abc\ud800中\n\x1b"))
    return SimpleNamespace(model=RNNModel(ModelConfig(num_hiddens=3), len(vocab)), vocab=vocab)
