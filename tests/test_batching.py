"""Batching: one long sequence becomes many short ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.batching import (
    BATCHERS,
    BatchConfig,
    Batcher,
    Batches,
    EpochPlan,
    make_batches,
)
from rnn_magics.errors import BatchError, ConfigError
from rnn_magics.preview import preview
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, encode_corpus

KINDS = list(BATCHERS)


def rows_of(tokens: Tensor) -> list[list[int]]:
    return tokens.tolist()  # type: ignore[no-any-return]


def plan_with_offset(batches: Batches, offset: int) -> EpochPlan:
    """Return the first plan that drops so many tokens."""
    plans = (batches.plan(torch.Generator().manual_seed(seed)) for seed in range(1000))
    return next(plan for plan in plans if plan.offset == offset)


@st.composite
def partitions(draw: st.DrawFn, kinds: Sequence[str] = KINDS) -> tuple[Batches, EpochPlan]:
    """Texts of every length that is enough, cut in every way, at every offset."""
    kind = draw(st.sampled_from(kinds))
    size, steps = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    length = size * (steps + 1) + draw(st.integers(0, 60))
    batches = Batches(range(length), BatchConfig(kind, size, steps))
    return batches, batches.plan(torch.Generator().manual_seed(draw(st.integers(0, 2**32))))


def all_batches(batches: Batches, plan: EpochPlan) -> list[tuple[Tensor, Tensor]]:
    return [batches.batch(plan, index) for index in range(len(plan))]


def test_sequential_minibatches_of_range_35_are_the_published_ones() -> None:
    batches = Batches(range(35), BatchConfig("seq", 2, 5))
    epoch = all_batches(batches, plan_with_offset(batches, 0))
    assert [rows_of(X) for X, _ in epoch] == [
        [[0, 1, 2, 3, 4], [17, 18, 19, 20, 21]],
        [[5, 6, 7, 8, 9], [22, 23, 24, 25, 26]],
        [[10, 11, 12, 13, 14], [27, 28, 29, 30, 31]],
    ]
    assert all(torch.equal(Y, X + 1) for X, Y in epoch)


def test_random_minibatches_of_range_35_are_the_published_ones() -> None:
    batches = Batches(range(35), BatchConfig("random", 2, 5))
    plan = plan_with_offset(batches, 3)
    epoch = all_batches(batches, plan)
    assert [X.shape for X, _ in epoch] == [(2, 5)] * 3
    windows = [row for X, _ in epoch for row in rows_of(X)]
    assert sorted(windows) == [list(range(start, start + 5)) for start in (3, 8, 13, 18, 23, 28)]
    assert windows != sorted(windows)
    assert all(torch.equal(Y, X + 1) for X, Y in epoch)


@given(partitions())
def test_labels_are_inputs_shifted_by_one(drawn: tuple[Batches, EpochPlan]) -> None:
    batches, plan = drawn
    config = batches.config
    for X, Y in all_batches(batches, plan):
        assert X.shape == Y.shape == (config.batch_size, config.num_steps)
        assert torch.equal(Y, X + 1)  # the text is 0, 1, 2 ...
        assert torch.equal(X, X[:, :1] + torch.arange(config.num_steps))


@given(partitions())
def test_no_window_leaves_the_text_nor_the_offset(drawn: tuple[Batches, EpochPlan]) -> None:
    batches, plan = drawn
    last_label = plan.starts + batches.config.num_steps
    assert plan.starts.min() >= plan.offset
    assert last_label.max() < len(batches.ids)


@given(partitions())
def test_every_text_that_is_long_enough_fills_a_minibatch(
    drawn: tuple[Batches, EpochPlan],
) -> None:
    batches, plan = drawn
    assert len(plan) >= 1
    assert plan.starts.shape[1] == batches.config.batch_size


@given(partitions())
def test_the_windows_of_an_epoch_do_not_overlap(drawn: tuple[Batches, EpochPlan]) -> None:
    batches, plan = drawn
    inputs = [place for X, _ in all_batches(batches, plan) for row in rows_of(X) for place in row]
    assert len(inputs) == len(set(inputs))


@given(partitions())
def test_what_is_left_over_is_the_input_of_no_window(drawn: tuple[Batches, EpochPlan]) -> None:
    batches, plan = drawn
    inputs = {place for X, _ in all_batches(batches, plan) for row in rows_of(X) for place in row}
    assert plan.left_over == len(batches.ids) - plan.offset - len(inputs)


@given(partitions())
def test_an_epoch_has_as_many_minibatches_as_fit(drawn: tuple[Batches, EpochPlan]) -> None:
    batches, plan = drawn
    size, steps = batches.config.batch_size, batches.config.num_steps
    remaining = len(batches.ids) - plan.offset - 1
    fitting = {"random": remaining // steps // size, "seq": remaining // size // steps}
    assert len(plan) == fitting[batches.config.batching]


@given(partitions(["seq"]))
def test_a_row_goes_on_where_it_stood_in_the_minibatch_before(
    drawn: tuple[Batches, EpochPlan],
) -> None:
    batches, plan = drawn
    epoch = all_batches(batches, plan)
    for (_, before), (X, _) in itertools.pairwise(epoch):
        assert torch.equal(X[:, 0], before[:, -1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 5, 8])
def test_every_offset_up_to_num_steps_occurs_and_no_other(kind: str, steps: int) -> None:
    batches = Batches(range(200), BatchConfig(kind, 2, steps))
    generator = torch.Generator().manual_seed(0)
    assert {batches.plan(generator).offset for _ in range(300)} == set(range(steps))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("length", "largest"), [(12, 1), (13, 2), (15, 4), (30, 4)])
def test_a_short_text_drops_no_more_than_it_can_spare(kind: str, length: int, largest: int) -> None:
    batches = Batches(range(length), BatchConfig(kind, 2, 5))
    generator = torch.Generator().manual_seed(0)
    assert {batches.plan(generator).offset for _ in range(200)} == set(range(largest + 1))


def test_random_windows_come_in_a_new_order_each_epoch() -> None:
    batches = Batches(range(1000), BatchConfig("random", 4, 1))
    generator = torch.Generator().manual_seed(0)
    first, second = batches.plan(generator), batches.plan(generator)
    assert not torch.equal(first.starts, second.starts)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_same_epochs(kind: str) -> None:
    def epochs(seed: int) -> list[list[list[int]]]:
        batches = Batches(range(300), BatchConfig(kind, 2, 9), seed=seed)
        return [rows_of(X) for _ in range(3) for X, _ in batches]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)


def test_drawing_leaves_the_global_generator_alone(batches: Batches) -> None:
    before = torch.get_rng_state()
    list(batches)
    assert torch.equal(torch.get_rng_state(), before)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 500))
def test_a_text_too_short_is_told_what_would_fit(size: int, steps: int, length: int) -> None:
    needed = size * (steps + 1)
    if length >= needed:
        assert len(Batches(range(length), BatchConfig("seq", size, steps)).ids) == length
        return
    with pytest.raises(BatchError) as caught:
        Batches(range(length), BatchConfig("seq", size, steps))
    message = str(caught.value)
    tokens = "token" if length == 1 else "tokens"
    assert message.startswith(f"the training text has {length:,} {tokens}, but batch_size {size} x")
    assert f"needs {needed:,}; try " in message
    proposed = {key: int(value) for key, value in re.findall(r"--([a-z-]+) (\d+)", message)}
    if not proposed:
        assert length < 4
        return
    size, steps = proposed["batch-size"], proposed.get("num-steps", steps)
    assert len(list(Batches(range(length), BatchConfig("seq", size, steps)))) >= 1


@pytest.mark.parametrize(
    "ids",
    [[[1, 2], [3, 4]], [0.5, 1.5] * 40, torch.rand(80), np.zeros((40, 2), int), ["a", "b"] * 40],
)
def test_what_is_no_sequence_of_indices_is_refused(ids: Any) -> None:
    with pytest.raises(BatchError, match="token indices must be whole numbers"):
        Batches(ids, BatchConfig("seq", 2, 5))


@pytest.mark.parametrize(
    "ids", [range(40), list(range(40)), np.arange(40, dtype=np.int16), torch.arange(40).int()]
)
def test_indices_of_many_kinds_are_the_same_minibatches(ids: Any) -> None:
    batches = Batches(ids, BatchConfig("seq", 2, 5), valid=ids)
    assert batches.valid.dtype == torch.long
    assert {tensor.dtype for pair in batches for tensor in pair} == {torch.long}
    assert rows_of(batches.ids) == rows_of(batches.valid) == list(range(40))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("num_types", "dtype"),
    [(256, torch.uint8), (2**15, torch.int16), (2**15 + 1, torch.int32), (2**31 + 1, torch.long)],
)
def test_indices_are_kept_small_and_minibatches_are_not(
    kind: str, num_types: int, dtype: torch.dtype
) -> None:
    ids = [num_types - 1 - i for i in range(40)]
    batches = Batches(ids, BatchConfig(kind, 2, 5))
    assert batches.ids.dtype == dtype
    assert batches.to(torch.device("cpu")).ids.dtype == dtype
    assert Batches(batches.ids, batches.config).ids is batches.ids
    wide = Batches(torch.tensor(ids), batches.config)
    assert [rows_of(X) for X, _ in batches] == [rows_of(X) for X, _ in wide]
    assert {tensor.dtype for pair in batches for tensor in pair} == {torch.long}


@pytest.mark.parametrize("kind", [np.uint16, np.uint32, np.int8])
def test_types_that_torch_cannot_gather_are_widened(kind: type) -> None:
    batches = Batches(torch.from_numpy(np.arange(40, dtype=kind)), BatchConfig("seq", 2, 5))
    assert batches.ids.dtype == torch.long
    assert batches.vocab_size == 40


def test_a_corpus_and_its_minibatches_share_one_array(corpus: Corpus, vocab: Vocab) -> None:
    encoded = encode_corpus(corpus, vocab)
    first, second = (make_batches(corpus, vocab, BatchConfig(kind, 2, 5)) for kind in KINDS)
    assert first.ids.dtype == torch.uint8
    assert first.ids.data_ptr() == second.ids.data_ptr() == encoded.train.ctypes.data


def test_the_text_is_copied_from_a_numpy_array() -> None:
    ids = np.arange(40)
    batches = Batches(ids, BatchConfig("seq", 2, 5))
    ids[:] = 0
    assert rows_of(batches.ids) == list(range(40))


def test_the_vocabulary_of_bare_indices_reaches_to_the_largest() -> None:
    config = BatchConfig("seq", 2, 5)
    assert Batches(range(40), config).vocab_size == 40
    assert Batches(range(40), config, valid=[77]).vocab_size == 78


def test_a_corpus_becomes_minibatches_of_its_training_part(corpus: Corpus, vocab: Vocab) -> None:
    batches = make_batches(corpus, vocab, BatchConfig("seq", 2, 5))
    encoded = encode_corpus(corpus, vocab)
    assert rows_of(batches.ids) == encoded.train.tolist()
    assert rows_of(batches.valid) == encoded.valid.tolist()
    assert batches.vocab is vocab
    assert batches.corpus is corpus
    assert batches.vocab_size == len(vocab)


def test_moving_keeps_the_minibatches(batches: Batches) -> None:
    moved = batches.to(torch.device("cpu"))
    assert moved.config == batches.config
    assert moved.vocab is batches.vocab
    assert torch.equal(moved.ids, batches.ids)


def test_very_many_held_out_indices_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_magics.batching._WIDENED", 20)
    config = BatchConfig("seq", 2, 5)
    assert Batches(range(40), config, valid=range(20)).valid.dtype == torch.long
    assert Batches(range(40), config, valid=range(21)).valid.dtype == torch.uint8


def test_indices_too_many_for_a_device_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Tensor, _device: torch.device) -> Tensor:
        raise torch.OutOfMemoryError

    batches = Batches(range(40), BatchConfig("seq", 2, 5))
    monkeypatch.setattr(Tensor, "to", refuse)
    with pytest.raises(
        BatchError, match=r"indices need 0\.0 MB, more than cuda has free; keep few"
    ):
        batches.to(torch.device("cuda"))


def test_a_preview_shows_the_first_minibatches_with_their_tokens(batches: Batches) -> None:
    shown = preview(batches, show=2, seed=7)
    plan = batches.plan(torch.Generator().manual_seed(7))
    assert (shown.offset, shown.num_batches, shown.left_over) == (
        *(plan.offset, len(plan), plan.left_over),
    )
    assert torch.equal(shown.starts, plan.starts[:2])
    assert len(shown.batches) == len(shown.tokens or ()) == 2
    text = batches.corpus.data if batches.corpus else ""
    for starts, tokens in zip(shown.starts.tolist(), shown.tokens or (), strict=True):
        assert ["".join(row) for row in tokens] == [text[s : s + 8] for s in starts]


def test_a_preview_shows_no_more_than_there_is() -> None:
    batches = Batches(range(35), BatchConfig("seq", 2, 5))
    shown = preview(batches, show=99)
    assert len(shown.batches) == shown.num_batches == len(shown.starts)
    assert shown.tokens is None


def test_a_preview_leaves_the_epochs_to_come_alone(batches: Batches) -> None:
    again = make_batches(batches.corpus, batches.vocab, batches.config)  # type: ignore[arg-type]
    preview(batches)
    assert [rows_of(X) for X, _ in batches] == [rows_of(X) for X, _ in again]


def test_only_sequential_minibatches_carry_the_state() -> None:
    assert {kind: batcher.carries_state for kind, batcher in BATCHERS.items()} == {
        "seq": True,
        "random": False,
    }


def test_a_batching_of_ones_own_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_only(_tokens: int, size: int, steps: int, _generator: torch.Generator) -> Tensor:
        return torch.arange(size)[None] * steps

    with pytest.raises(ConfigError):
        BatchConfig("first")
    monkeypatch.setitem(BATCHERS, "first", Batcher(first_only, carries_state=False, help="one"))
    batches = Batches(range(40), BatchConfig("first", 2, 5))
    plan = batches.plan(torch.Generator().manual_seed(0))
    assert rows_of(plan.starts) == [[plan.offset, plan.offset + 5]]


def test_repr_says_the_partition() -> None:
    batches = Batches(range(1200), BatchConfig("random", 2, 5))
    assert repr(batches) == "Batches('random', batch_size=2, num_steps=5, 1,200 tokens)"


def test_held_out_text_never_becomes_a_minibatch() -> None:
    corpus = Corpus.from_text("a" * 90 + "b" * 10, CorpusConfig(valid=0.1))
    batches = make_batches(corpus, Vocab("ab"), BatchConfig("random", 2, 5))
    seen = {token for _ in range(20) for X, Y in batches for token in (*X.flatten(), *Y.flatten())}
    assert {int(token) for token in seen} == {1}
