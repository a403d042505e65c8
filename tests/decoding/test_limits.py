"""What one call can write: each bound is told in one line before any work is done."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.decoding import decode
from rnn_magics.decoding.decoders import DECODERS, MOST_CANDIDATES, DecodingConfig
from rnn_magics.decoding.from_ngram import write_ngram
from rnn_magics.decoding.generate import generate, generate_many
from rnn_magics.decoding.limits import MOST_LOGITS, MOST_TOKENS, check_size
from rnn_magics.errors import ConfigError, DecodingError
from rnn_magics.models.ngram import uniform_model
from tests.decoding.test_generate_several import run_of


@pytest.mark.parametrize("beam", [MOST_CANDIDATES + 1, 100_000, 10**30])
def test_a_beam_has_a_bound(beam: int) -> None:
    with pytest.raises(ConfigError, match=rf"beam must be in \[1, 1000\], not {beam}"):
        DecodingConfig(beam=beam)
    assert DecodingConfig(beam=MOST_CANDIDATES).beam == MOST_CANDIDATES


LONG = "tokens are too many for one call, which writes at most 10,000,000; lower --length"
WIDE = "the logits of all rows are in memory at once"


@pytest.mark.parametrize(
    ("options", "num", "vocab_size", "said"),
    [
        (
            {"length": MOST_TOKENS + 1},
            1,
            9,
            f"10,000,001 {LONG}",
        ),
        (
            {"length": 20_000},
            1000,
            9,
            f"1,000 x 20,000 {LONG} or --num",
        ),
        (
            {"length": 200_000, "beam": 100},
            1,
            9,
            f"100 x 200,000 {LONG} or --beam",
        ),
        (
            {"beam": 1000},
            1,
            250_000,
            f"with 250,000 tokens in the vocabulary --beam must be at most 200, not 1,000: {WIDE}",
        ),
        (
            {},
            300,
            200_000,
            f"with 200,000 tokens in the vocabulary --num must be at most 250, not 300: {WIDE}",
        ),
        ({"beam": 2}, 2, 9, "a beam search finds one text, not 2; leave out --num or --beam"),
    ],
)
def test_what_is_too_much_is_told(
    options: dict[str, Any], num: int, vocab_size: int, said: str
) -> None:
    with pytest.raises(DecodingError) as told:
        check_size(DecodingConfig(**options), num, vocab_size)
    assert str(told.value) == said


@pytest.mark.parametrize(
    ("options", "num", "vocab_size"),
    [
        ({"length": MOST_TOKENS}, 1, 9),
        ({"length": MOST_TOKENS // 1000}, 1000, 9),
        ({}, 1, 2 * MOST_LOGITS),  # one row is needed for any text
        ({"beam": 1}, 1, 2 * MOST_LOGITS),
    ],
)
def test_the_bounds_themselves_are_allowed(
    options: dict[str, Any], num: int, vocab_size: int
) -> None:
    check_size(DecodingConfig(**options), num, vocab_size)


def test_nothing_is_computed_for_what_is_refused() -> None:
    run, pieces = run_of(), list[str]()
    run.model.register_forward_hook(lambda *_: pytest.fail("the model was asked"))
    config = DecodingConfig(length=10**30)
    with pytest.raises(DecodingError, match="too many for one call"):
        generate_many(run, "the", config, num=3, write=pieces.append)
    with pytest.raises(DecodingError, match="too many for one call"):
        write_ngram(uniform_model(len(run.vocab)), run.vocab, "the", config)
    assert pieces == []


@pytest.mark.parametrize("is_compiled", [True, False])
@given(top_k=st.integers(1, 10**30))
@settings(max_examples=30, deadline=None)
def test_a_top_k_beyond_the_vocabulary_keeps_all_tokens(*, is_compiled: bool, top_k: int) -> None:
    run = run_of()
    with pytest.MonkeyPatch.context() as patch:
        if not is_compiled:
            patch.setattr(decode, "is_compiled", lambda *_: False)
        kept = DecodingConfig(length=9, temperature=3.0, top_k=min(top_k, len(run.vocab)))
        beyond = DecodingConfig(length=9, temperature=3.0, top_k=top_k)
        assert generate(run, "the", beyond).text == generate(run, "the", kept).text


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("cut", [{}, {"top_k": 3}, {"top_p": 0.5}, {"top_k": 99, "top_p": 0.1}])
def test_temperature_zero_is_greedy(
    *, is_compiled: bool, cut: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_compiled:
        monkeypatch.setattr(decode, "is_compiled", lambda *_: False)
    run = run_of()
    expected = generate(run, "the", DecodingConfig(length=40, greedy=True))
    for temperature in (0, 0.0, -0.0):
        config = DecodingConfig(length=40, temperature=temperature, seed=5, **cut)
        found = generate(run, "the", config)
        assert (found.tokens, found.log_probs) == (expected.tokens, expected.log_probs)
    model = uniform_model(len(run.vocab))
    config = DecodingConfig(length=4, temperature=0, no_unk=True, **cut)
    assert write_ngram(model, run.vocab, "a", config).tokens == [run.vocab.to_tokens(1)] * 4


def test_temperature_zero_and_greedy_say_the_same_and_a_beam_does_not() -> None:
    assert DecodingConfig(greedy=True, temperature=0) == DecodingConfig(
        decoder="greedy", greedy=True, temperature=0.0
    )
    with pytest.raises(ConfigError, match="beam draws nothing, so temperature has no effect"):
        DecodingConfig(beam=2, temperature=0)


def test_a_decoder_made_of_draw_needs_no_case_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = DECODERS["draw"]
    monkeypatch.setitem(DECODERS, "sharp", lambda logits, *rest: draw(2 * logits, *rest))
    run = run_of()
    found = generate(run, "the", DecodingConfig(length=20, decoder="sharp", temperature=0))
    assert found.tokens == generate(run, "the", DecodingConfig(length=20, greedy=True)).tokens
