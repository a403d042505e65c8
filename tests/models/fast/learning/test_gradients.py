"""The chain rule written out, against torch's autograd."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics import Corpus, CorpusConfig, ModelConfig, RNNModel, Vocab
from rnn_magics.models.fast.learning.gradients import WrittenOut
from rnn_magics.models.rnn_model import as_public, as_tuple

VOCAB = 9
MODELS: dict[str, dict[str, Any]] = {
    "one-hot": {},
    "three layers": {"num_layers": 3},
    "embedding": {"embedding_size": 6, "num_layers": 2},
    "tied": {"tie": True},
    "dropout": {"dropout": 0.4, "num_layers": 2, "embedding_size": 6},
    "wide": {"num_hiddens": 128, "num_layers": 2},  # a matrix unit takes it, where there is one
}


def made(cell: str, dtype: torch.dtype, **options: Any) -> RNNModel:
    config = ModelConfig(cell, **{"num_hiddens": 5, **options})
    model = RNNModel(config, VOCAB, torch.Generator().manual_seed(1)).to(dtype)
    return model.train()


def minibatch(model: RNNModel, batch: int = 16, steps: int = 7) -> tuple[Tensor, Tensor, Any]:
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(VOCAB, (batch, steps + 1), generator=generator)
    begin = as_tuple(model.begin_state(batch))
    state = tuple(torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in begin)
    return tokens[:, :-1], tokens[:, 1:], state


def by_autograd(model: RNNModel, X: Tensor, Y: Tensor, state: Any) -> tuple[Any, ...]:
    model.zero_grad(set_to_none=True)
    model.seed_dropout(torch.Generator().manual_seed(3))
    logits, last = model(X, as_public(state))
    loss = F.cross_entropy(logits.flatten(0, 1), Y.flatten())
    loss.backward()
    return loss.detach(), as_tuple(last), gradients(model)


def written_out(model: RNNModel, X: Tensor, Y: Tensor, state: Any) -> tuple[Any, ...]:
    model.zero_grad(set_to_none=True)
    model.seed_dropout(torch.Generator().manual_seed(3))
    loss, last = WrittenOut(model).add(X, Y, state)
    assert not loss.requires_grad
    assert not any(part.requires_grad for part in last)
    return loss, last, gradients(model)


def gradients(model: RNNModel) -> dict[str, Tensor | None]:
    return {name: p.grad for name, p in model.named_parameters()}


def check(model: RNNModel, X: Tensor, Y: Tensor, state: Any) -> None:
    tolerance = 1e-11 if model.output.weight.dtype == torch.float64 else 1e-5
    close = {"rtol": tolerance, "atol": tolerance}
    (loss, last, ours), (their_loss, their_last, theirs) = (
        way(model, X, Y, state) for way in (written_out, by_autograd)
    )
    torch.testing.assert_close(loss, their_loss, **close)
    for mine, other in zip(last, their_last, strict=True):
        torch.testing.assert_close(mine, other, **close)
    assert {n for n, g in ours.items() if g is None} == {n for n, g in theirs.items() if g is None}
    for name, parameter in model.named_parameters():
        if (mine := ours[name]) is not None:
            torch.testing.assert_close(mine, theirs[name], **close, msg=name)
            assert mine.stride() == parameter.stride()  # as an optimizer passes over it


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("options", MODELS.values(), ids=list(MODELS))
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
def test_they_are_those_of_autograd(cell: str, options: Any, dtype: torch.dtype) -> None:
    model = made(cell, dtype, **options)
    check(model, *minibatch(model))


@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru"])
def test_a_document_begins_anew(cell: str) -> None:
    model = made(cell, torch.float64, num_layers=2)
    documents = CorpusConfig(documents="line", valid=0.0)
    model.vocab = Vocab.from_corpus(Corpus.from_text("abc\nfed", documents))
    assert model.marks is not None
    X, Y, state = minibatch(model)
    assert 0 < (model.marks.begin == X).sum() < X.numel()
    check(model, X, Y, state)
    none = X.masked_fill(model.marks.begin == X, 3)  # nothing begins here
    check(model, none, Y, state)


@pytest.mark.parametrize(
    "learning",
    [["output"], ["embedding"], ["rnn.cells.0"], ["rnn.cells.1"], ["rnn.cells.0", "output"]],
    ids="+".join,
)
def test_what_is_frozen_has_none(learning: list[str]) -> None:
    model = made("gru", torch.float64, num_layers=2, embedding_size=6)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(learning)))
    check(model, *minibatch(model))
    found = {name for name, gradient in gradients(model).items() if gradient is not None}
    assert found == {n for n, _ in model.named_parameters() if n.startswith(tuple(learning))}


@pytest.mark.parametrize("cell", ["rnn", "lstm", "minlstm"])
def test_the_number_of_threads_does_not_change_a_bit(cell: str) -> None:
    model = made(cell, torch.float32, num_hiddens=130, num_layers=2, embedding_size=6)
    given, found = minibatch(model, batch=37), []
    for number in (1, 2, 3):
        torch.set_num_threads(number)
        loss, last, gradients = written_out(model, *given)
        found.append([loss, *last, *gradients.values()])
    torch.set_num_threads(1)
    for ours, theirs in pairwise(found):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_gradients_add_up() -> None:
    model = made("gru", torch.float64)
    X, Y, state = minibatch(model)
    once = {name: g.clone() for name, g in written_out(model, X, Y, state)[2].items()}
    WrittenOut(model).add(X, Y, state)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, 2 * once[name])


def test_a_token_outside_of_the_vocabulary_is_an_error() -> None:
    model = made("gru", torch.float32)
    X, Y, state = minibatch(model)
    for wrong in (-1, VOCAB):
        with pytest.raises(IndexError, match=f"token index {wrong} is outside the vocabulary of 9"):
            WrittenOut(model).add(torch.full_like(X, wrong), Y, state)
        with pytest.raises(IndexError, match=f"token index {wrong} is outside the vocabulary of 9"):
            WrittenOut(model).add(X, torch.full_like(Y, wrong), state)
