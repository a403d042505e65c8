"""Beam search: the most probable text."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from rnn_magics.decoding.beam import beam_search
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.prefix import read_prefix
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import RNNModel

PREFIX = "ab"


@torch.no_grad()
def all_texts(run: Any, length: int) -> dict[tuple[int, ...], float]:
    """Score every continuation there is."""
    size = len(run.vocab)
    texts = list(itertools.product(range(size), repeat=length))
    ids = torch.tensor([[*run.vocab[list(PREFIX)], *text] for text in texts])
    logits, _ = run.model.eval()(ids[:, :-1])
    scores = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[:, len(PREFIX) - 1 :, 0]
    return dict(zip(texts, scores.double().sum(dim=1).tolist(), strict=True))


def best_of(scores: dict[tuple[int, ...], float]) -> tuple[int, ...]:
    """Return the best text; if it is <unk> alone, the best without any."""
    best = max(scores, key=scores.__getitem__)
    return best if any(best) else max(filter(all, scores), key=scores.__getitem__)


@pytest.mark.parametrize("cell", CELLS)
def test_a_beam_of_one_is_greedy(make_run: Callable[..., Any], cell: str) -> None:
    run = make_run(cell=cell)
    found = generate(run, PREFIX, DecodingConfig(length=20, beam=1))
    greedy = generate(run, PREFIX, DecodingConfig(length=20, greedy=True))
    assert found.tokens == greedy.tokens
    assert found.log_probs == pytest.approx(greedy.log_probs, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_beam_wide_enough_finds_the_best_text_of_all(run: Any, length: int, seed: int) -> None:
    run.model.reset_parameters(torch.Generator().manual_seed(seed))
    scores = all_texts(run, length)
    width = len(run.vocab) ** (length - 1)
    found = generate(run, PREFIX, DecodingConfig(length=length, beam=width))
    best = best_of(scores)
    assert tuple(run.vocab[found.tokens]) == best
    assert sum(found.log_probs) == pytest.approx(scores[best], abs=1e-5)


def test_the_beam_beats_greedy_where_greedy_is_shortsighted(run: Any) -> None:
    gains = []
    for seed in range(20):
        run.model.reset_parameters(torch.Generator().manual_seed(seed))
        with torch.no_grad():
            for parameter in run.model.parameters():
                parameter.mul_(4)
        found = generate(run, PREFIX, DecodingConfig(length=4, beam=216))
        greedy = generate(run, PREFIX, DecodingConfig(length=4, greedy=True))
        gains.append(sum(found.log_probs) - sum(greedy.log_probs))
    assert min(gains) > -1e-5
    assert max(gains) > 0.01


@pytest.mark.parametrize("seed", range(6))
def test_with_a_stop_texts_are_compared_by_their_mean(run: Any, seed: int) -> None:
    run.model.reset_parameters(torch.Generator().manual_seed(seed))
    stop, length = run.vocab["c"], 3
    ended: dict[tuple[int, ...], float] = {}
    for number in range(1, length + 1):
        for text, score in all_texts(run, number).items():
            complete = text[-1] == stop or number == length
            if complete and stop not in text[:-1]:
                ended[text] = score / number
    found = generate(run, PREFIX, DecodingConfig(length=length, beam=1000, stop="c"))
    best = best_of(ended)
    assert tuple(run.vocab[found.tokens]) == best
    assert sum(found.log_probs) / len(found.tokens) == pytest.approx(ended[best], abs=1e-5)


def test_nothing_follows_the_stop_token(run: Any) -> None:
    for stop in "abcde":
        found = generate(run, PREFIX, DecodingConfig(length=30, beam=3, stop=stop))
        assert stop not in found.tokens[:-1]
        assert found.tokens[-1] == stop or len(found.tokens) == 30


def test_a_beam_wider_than_all_texts_is_no_error(run: Any) -> None:
    model: RNNModel = run.model
    config = DecodingConfig(length=2, beam=1000)
    indices, log_probs, form_nats = beam_search(model, read_prefix(run, PREFIX), config)
    assert len(indices) == len(log_probs) == 2
    assert form_nats == 0


def test_a_text_that_ended_does_not_narrow_the_beam(run: Any) -> None:
    with torch.no_grad():
        run.model.output.bias[run.vocab["c"]] += 100  # the most probable first token by far
    sizes: list[tuple[int, ...]] = []
    run.model.register_forward_hook(lambda _m, given, _o: sizes.append(tuple(given[0].shape)))
    generate(run, PREFIX, DecodingConfig(length=2, beam=3, stop="c"))
    assert sizes == [(1, len(PREFIX)), (3, 1)]
