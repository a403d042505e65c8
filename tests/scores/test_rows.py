"""Rows: a text is cut so that each token is read once, and each row is warmed up."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.scores.rows import Rows


@given(st.integers(1, 200_000), st.integers(1, 5_000))
def test_the_rows_hold_each_place_of_a_text_once(num_tokens: int, num_steps: int) -> None:
    rows = Rows.of(num_tokens)
    slices = list(rows.places(num_steps))
    assert [places.shape[1] for *_, places in slices] == [last - first for first, last, _ in slices]
    found = torch.cat([places for *_, places in slices], dim=1).flatten()
    assert found.tolist() == list(range(len(rows) * rows.length))
    assert 0 <= len(found) - num_tokens < rows.length  # the last row is not empty
    assert len(rows) <= 64


@given(st.integers(2_048, 200_000))
def test_a_row_is_warmed_up_on_the_tokens_before_it(num_tokens: int) -> None:
    rows = Rows.of(num_tokens)
    before = rows.warm_up()
    assert before.shape == (len(rows) - 1, 256)
    assert torch.equal(before[:, -1] + 1, rows.starts[1:, 0])
    assert before.min() >= 0


@pytest.mark.parametrize("shape", [(2, 3, 5), (3, 5)])
def test_the_first_row_begins_as_a_text_does(shape: tuple[int, ...]) -> None:
    first = torch.full((*shape[:-2], 1, 5), 0.5)
    (part,) = Rows.begin((torch.ones(shape),), (first,))
    assert part.shape == (*shape[:-2], 4, 5)
    assert part[..., 0, :].eq(0.5).all()
    assert part[..., 1:, :].eq(1).all()
