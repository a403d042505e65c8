"""The chain rule written out, against torch's autograd."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics import Corpus, CorpusConfig, ModelConfig, RNNModel, Vocab
from rnn_magics.models.fast.learning.gradients import WrittenOut
from rnn_magics.models.recurrent import Share
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


def drawn(model: RNNModel, seed: int, batch: int = 6, steps: int = 5) -> tuple[Tensor, Tensor, Any]:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(VOCAB, (batch, steps + 1), generator=generator)
    begin = as_tuple(model.begin_state(batch))
    state = tuple(torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in begin)
    return tokens[:, :-1], tokens[:, 1:], state


def fresh(model: RNNModel, *given: Any) -> list[Tensor]:
    return computed(WrittenOut(model), model, *given)


def computed(way: WrittenOut, model: RNNModel, *given: Any) -> list[Tensor]:
    model.zero_grad(set_to_none=True)
    loss, last = way.add(*given)
    found = [loss, *last, *(p.grad for p in model.parameters() if p.grad is not None)]
    return [part.clone() for part in found]


def same(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("size", [5, 128])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
def test_a_tape_is_played_to_the_same_bits(cell: str, dropout: float, size: int) -> None:
    model = made(cell, torch.float32, num_layers=2, num_hiddens=size, dropout=dropout)
    way = WrittenOut(model)
    for seed in range(4):
        given = drawn(model, seed, batch=16)
        found = []
        for either in (way, WrittenOut(model)):
            model.seed_dropout(torch.Generator().manual_seed(seed))
            found.append(computed(either, model, *given))
        assert same(*found)
        with torch.no_grad():  # as an optimizer does
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.sin(parameter + seed))
    assert way._taped is not None


def test_what_was_returned_is_not_played_over() -> None:
    model = made("lstm", torch.float32)
    way = WrittenOut(model)
    first, state = way.add(*drawn(model, 0))
    before = [part.clone() for part in (first, *state)]
    model.zero_grad(set_to_none=True)
    way.add(*drawn(model, 1))
    assert same([first, *state], before)


def test_a_tape_ends_where_something_has_changed() -> None:
    model = made("gru", torch.float32, num_layers=2)
    way = WrittenOut(model)

    def check(**shape: int) -> None:
        given = drawn(model, 7, **shape)
        assert same(computed(way, model, *given), fresh(model, *given))

    check()
    check(batch=3)
    check(steps=9)
    model.output.weight.data = model.output.weight.data.clone() * 2  # in other memory
    check(steps=9)
    for parameter in model.rnn.cells[0].parameters():
        parameter.requires_grad_(False)
    check(steps=9)
    for parameter in model.rnn.cells[0].parameters():
        parameter.requires_grad_(True)
    check(steps=9)


def test_a_tape_draws_new_masks() -> None:
    model = made("gru", torch.float32, dropout=0.5)
    model.seed_dropout(torch.Generator().manual_seed(0))
    way, given = WrittenOut(model), drawn(model, 0)
    losses = [computed(way, model, *given)[0].item() for _ in range(4)]
    assert len(set(losses)) == len(losses)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.eval(),
        lambda model: model.share_dropout(Share(2, 6, 16)),
        lambda model: setattr(model.dropout, "p", 0.0),
        lambda model: setattr(model.rnn.dropout, "p", 0.9),
        lambda model: model.seed_dropout(torch.Generator().manual_seed(5)),
    ],
    ids=["evaluation", "a share of the rows", "none before the output", "more", "generator"],
)
def test_a_tape_drops_as_the_model_now_does(change: Callable[[RNNModel], object]) -> None:
    model = made("gru", torch.float32, num_layers=2, dropout=0.5)
    way, given = WrittenOut(model), drawn(model, 0)
    model.seed_dropout(torch.Generator().manual_seed(4))
    before = computed(way, model, *given)
    found = []
    for either in (way, WrittenOut(model)):
        model.seed_dropout(torch.Generator().manual_seed(4))
        change(model)
        found.append(computed(either, model, *given))
    assert same(*found)
    assert not same(found[0], before)


def test_after_an_error_a_tape_goes_on() -> None:
    model = made("rnn", torch.float32)
    way = WrittenOut(model)
    X, Y, state = drawn(model, 0)
    computed(way, model, X, Y, state)
    for wrong in ((X + VOCAB, Y), (X, Y - VOCAB)):
        with pytest.raises(IndexError, match="outside the vocabulary"):
            way.add(*wrong, state)
        model.zero_grad(set_to_none=True)
    assert same(computed(way, model, X, Y, state), fresh(model, X, Y, state))


@pytest.mark.parametrize(
    ("options", "batch", "is_taped"),
    [
        ({}, 6, True),
        ({"dropout": 0.5}, 6, True),
        ({"embedding_size": 3}, 6, False),
        ({"num_hiddens": 512}, 2_000, False),  # too much memory to keep
    ],
)
def test_only_what_is_small_and_fixed_is_taped(options: Any, batch: int, *, is_taped: bool) -> None:
    model = made("gru", torch.float32, **options)
    way = WrittenOut(model)
    way.add(*drawn(model, 0, batch=batch))
    assert (way._taped is not None) is is_taped


def test_gradients_of_an_earlier_minibatch_are_added_to() -> None:
    model = made("gru", torch.float64)
    way = WrittenOut(model)
    way.add(*drawn(model, 0))
    before = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    way.add(*drawn(model, 1))
    after = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    alone = computed(way, model, *drawn(model, 1))[2:]
    for a, b, c in zip(after, before, alone, strict=True):
        torch.testing.assert_close(a, b + c)
