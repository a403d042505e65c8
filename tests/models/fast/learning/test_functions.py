"""The compiled loss against torch's cross-entropy."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics.models.engines import loss_compiled

# (num_rows, vocab_size): below, at and past the sizes of vectors and parts.
SHAPES = [(1, 1), (3, 2), (5, 15), (7, 16), (9, 17), (70, 65), (4, 1000)]


def given(rows: int, size: int, dtype: torch.dtype, scale: float = 5.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows + size)
    logits = scale * torch.randn(rows, size, generator=generator, dtype=dtype)
    return logits.requires_grad_(), torch.randint(size, (rows,), generator=generator)


@pytest.mark.usefixtures("numbers_of_threads")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "size"), SHAPES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 40.0])
def test_it_equals_torch(rows: int, size: int, dtype: torch.dtype, scale: float) -> None:
    logits, labels = given(rows, size, dtype, scale)
    loss = loss_compiled(logits, labels)
    expected = F.cross_entropy(logits.double(), labels)
    bound = 2e-6 if dtype is torch.float32 else 1e-14
    assert loss.dtype == dtype
    torch.testing.assert_close(loss.double(), expected, rtol=bound, atol=bound)
    for factor in (1.0, 0.25):
        (mine,) = torch.autograd.grad(factor * loss, logits, retain_graph=True)
        (theirs,) = torch.autograd.grad(factor * expected, logits, retain_graph=True)
        torch.testing.assert_close(mine, theirs, rtol=10 * bound, atol=bound)


def test_its_gradient_is_that_of_its_values() -> None:
    logits, labels = given(4, 7, torch.float64)
    assert torch.autograd.gradcheck(loss_compiled, (logits, labels))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", [(0, 0), (3, 16), (6, 20)])
def test_a_logit_that_is_not_finite_shows(bad: float, place: tuple[int, int]) -> None:
    logits, labels = given(7, 21, torch.float32)
    with torch.no_grad():
        logits[place] = bad
    assert math.isnan(loss_compiled(logits, labels).item())


def test_what_is_impossible_has_no_share() -> None:
    logits = torch.tensor([[-math.inf, 1.0, 1.0]], requires_grad=True)
    loss = loss_compiled(logits, torch.tensor([1]))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx(math.log(2))
    assert gradient.tolist() == [[0.0, -0.5, 0.5]]
    assert loss_compiled(logits, torch.tensor([0])).item() == math.inf


@pytest.mark.parametrize("wrong", [-1, 5])
def test_a_label_that_is_no_token_is_refused(wrong: int) -> None:
    logits, labels = given(6, 5, torch.float32)
    labels[3] = wrong
    with pytest.raises(IndexError, match=f"index {wrong} is outside the vocabulary of 5 tokens"):
        loss_compiled(logits, labels)


def test_a_loss_that_is_too_large_is_infinite_as_torchs_is() -> None:
    logits = torch.zeros(20, 3)
    logits[:, 0] = 1e38
    for number in (2, 20):  # whose sum is a number, and is none
        labels = torch.ones(number, dtype=torch.long)
        ours, theirs = (f(logits[:number], labels).item() for f in (loss_compiled, F.cross_entropy))
        assert math.isfinite(ours) is (number == 2)
        assert ours == theirs
