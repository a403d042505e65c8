"""Evaluation: exp of the mean over every token of the text."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics.errors import BatchError
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.scores.evaluation import (
    Evaluation,
    bits_per_token,
    evaluate,
    iter_evaluate,
    perplexity,
    token_log_probs,
)

VOCAB = 7


def make(cell: str = "gru", *, bidirectional: bool = False, dropout: float = 0.0) -> RNNModel:
    """Return a model that depends on what it has read, and that is far from uniform."""
    config = ModelConfig(cell=cell, num_hiddens=8, bidirectional=bidirectional, dropout=dropout)
    model = RNNModel(config, VOCAB, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def text(length: int) -> Tensor:
    return torch.randint(VOCAB, (length,), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def naive_nats(model: RNNModel, ids: Tensor) -> float:
    """Read the text once, from left to right."""
    logits, _ = model.eval()(ids[None, :-1])
    return F.cross_entropy(logits[0].double(), ids[1:]).item()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("length", [2, 3, 129, 2048])
def test_a_text_of_one_row_is_read_as_in_one_pass(cell: str, length: int) -> None:
    model, ids = make(cell), text(length)
    assert evaluate(model, ids).nats == pytest.approx(naive_nats(model, ids), abs=1e-6)


@pytest.mark.parametrize("length", [2, 129, 5_000, 100_001])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_token_is_scored_in_its_place(length: int, bidirectional: bool) -> None:  # noqa: FBT001
    model, ids = make(bidirectional=bidirectional), text(length)
    found = token_log_probs(model, ids)
    assert found.shape == (length - 1,)
    assert -found.mean().item() == pytest.approx(evaluate(model, ids).nats, abs=1e-9)
    if not bidirectional:  # which reads windows
        logits, _ = model.eval()(ids[None, :-1])
        own = logits[0].detach().double().log_softmax(dim=-1).gather(1, ids[1:, None])[:, 0]
        torch.testing.assert_close(found, own, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int32])
def test_indices_may_be_of_any_integer_type(kind: torch.dtype) -> None:
    model, ids = make(), text(4_000)
    assert evaluate(model, ids.to(kind)) == evaluate(model, ids)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("length", [2049, 2050, 5_000, 7_321])
def test_a_text_of_many_rows_stands_for_one_pass(cell: str, length: int) -> None:
    model, ids = make(cell), text(length)
    assert evaluate(model, ids).nats == pytest.approx(naive_nats(model, ids), abs=1e-4)


def test_a_text_of_the_most_rows_stands_for_one_pass() -> None:
    model, ids = make(), text(64 * 1024 + 38)
    assert evaluate(model, ids).nats == pytest.approx(naive_nats(model, ids), abs=1e-4)


@given(st.integers(1, 300))
def test_the_slices_do_not_change_the_result(num_steps: int) -> None:
    model, ids = make(), text(500)
    assert evaluate(model, ids, num_steps).nats == pytest.approx(
        evaluate(model, ids).nats, abs=1e-6
    )


@pytest.mark.parametrize("length", [2, 100, 2049, 5_001])
def test_every_token_but_the_first_is_counted(length: int) -> None:
    result = evaluate(make(), text(length))
    assert (result.num_tokens, result.state) == (length - 1, "carried")


def test_perplexity_is_the_exp_of_the_mean() -> None:
    model, ids = make(), text(400)
    result = evaluate(model, ids)
    assert result.perplexity == pytest.approx(math.exp(naive_nats(model, ids)), rel=1e-5)
    assert result.bits == pytest.approx(naive_nats(model, ids) / math.log(2), rel=1e-5)


def test_a_model_that_knows_nothing_has_the_perplexity_of_the_vocabulary() -> None:
    model = make()
    torch.nn.init.zeros_(model.output.weight)
    torch.nn.init.zeros_(model.output.bias)
    assert evaluate(model, text(3_000)).perplexity == pytest.approx(VOCAB, rel=1e-6)


@pytest.mark.parametrize(
    ("nats", "value"), [(0.0, 1.0), (math.log(28), 28.0), (710.0, math.inf), (math.inf, math.inf)]
)
def test_perplexity_is_infinite_where_floats_end(nats: float, value: float) -> None:
    assert perplexity(nats) == pytest.approx(value)
    assert Evaluation(nats, 3, "carried").perplexity == pytest.approx(value)


def test_a_bit_is_ln_two_nats() -> None:
    assert bits_per_token(math.log(2) * 3) == pytest.approx(3)


@pytest.mark.parametrize("num_steps", [3, 10, 50])
def test_a_bidirectional_model_reads_windows_from_zero(num_steps: int) -> None:
    model, ids = make(bidirectional=True), text(35)
    total = 0.0
    with torch.no_grad():
        for begin in range(0, 34, num_steps):
            X = ids[begin : min(begin + num_steps, 34)]
            logits, _ = model.eval()(X[None])
            labels = ids[begin + 1 : begin + 1 + len(X)]
            total += F.cross_entropy(logits[0], labels, reduction="sum").item()
    result = evaluate(model, ids, num_steps)
    assert result.nats == pytest.approx(total / 34, abs=1e-6)
    assert (result.num_tokens, result.state) == (34, "zero")


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_model_is_as_it_was(*, training: bool) -> None:
    model = make(dropout=0.5).train(training)
    first, again = evaluate(model, text(300)), evaluate(model, text(300))
    assert model.training is training
    assert first == again  # no dropout while it scores
    assert all(parameter.grad is None for parameter in model.parameters())


def test_between_slices_the_mode_and_the_gradients_are_as_they_were() -> None:
    model = make().train()
    for _ in iter_evaluate(model, text(400)):
        assert model.training
        assert torch.is_grad_enabled()


def test_the_result_comes_after_the_slices() -> None:
    *slices, result = iter_evaluate(make(), text(400), 128)
    assert slices == [None] * 4
    assert result == evaluate(make(), text(400), 128)


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_without_anything_to_predict_is_refused(length: int) -> None:
    with pytest.raises(BatchError, match=f"a text of {length} tokens? has nothing to predict"):
        evaluate(make(), text(length))
