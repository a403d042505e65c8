"""The score of a text: how it surprises a model, token by token."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.score import score_text
from rnn_magics.errors import DecodingError


def test_the_surprise_of_a_token_is_its_negative_log_probability_in_bits(run: Any) -> None:
    text = "abcdeedcba"
    found = score_text(run, text)
    ids = torch.tensor([run.vocab[list(text)]])
    with torch.no_grad():
        logits, _ = run.model.eval()(ids)
    log_probs = logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
    assert found.tokens == list(text)
    assert math.isnan(found.surprise[0])
    assert found.surprise[1:] == pytest.approx((-log_probs / math.log(2)).tolist(), abs=1e-5)
    assert found.perplexity == pytest.approx(math.exp(-log_probs.mean().item()), rel=1e-5)


def test_the_perplexity_of_a_text_is_that_of_the_same_prefix(run: Any) -> None:
    prefix_perplexity = generate(run, "abcab").prefix_perplexity
    assert score_text(run, "abcab").perplexity == pytest.approx(prefix_perplexity)


def test_a_score_does_not_depend_on_what_comes_after(run: Any) -> None:
    assert score_text(run, "abcde").surprise[1:4] == pytest.approx(
        score_text(run, "abcd").surprise[1:]
    )


def test_unknown_tokens_are_named(run: Any) -> None:
    found = score_text(run, "azaz")
    assert found.unknown == ("z",)
    assert "read as <unk>: 'z'" in repr(found)


def test_repr_names_the_most_surprising_token(run: Any) -> None:
    found = score_text(run, "abcde")
    place = max(range(1, 5), key=lambda i: found.surprise[i])
    assert f"most surprising {'abcde'[place]!r} at {place} with" in repr(found)
    assert repr(found).startswith(f"Score(perplexity {found.perplexity:.2f} over 4 tokens")


@pytest.mark.parametrize(("text", "number"), [("", 0), ("a", 1)])
def test_a_text_with_nothing_to_predict_is_refused(run: Any, text: str, number: int) -> None:
    tokens = "token" if number == 1 else "tokens"
    with pytest.raises(DecodingError, match=f"the text has {number} char {tokens}"):
        score_text(run, text)


def test_a_bidirectional_model_is_refused(make_run: Callable[..., Any]) -> None:
    with pytest.raises(DecodingError, match="bidirectional"):
        score_text(make_run(bidirectional=True), "abc")


def test_a_model_of_bare_indices_is_refused(run: Any) -> None:
    with pytest.raises(DecodingError, match="bare indices"):
        score_text(SimpleNamespace(model=run.model, vocab=None), "abc")


def test_words_are_scored_as_words(words: Any) -> None:
    found = score_text(words, "the cat, and")
    assert found.tokens == ["the", "cat", ",", "and"]
    assert len(found.surprise) == 4
