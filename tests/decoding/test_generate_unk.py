"""``<unk>`` in a written text: excluded where that is asked for, and where it would be all."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.decoding import decode
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig, draw, greedy, offered
from rnn_magics.decoding.from_ngram import write_ngram
from rnn_magics.decoding.generate import Generation, generate, generate_many
from rnn_magics.errors import DecodingError
from rnn_magics.models.fast.writing.choosing import Rule, choose
from rnn_magics.models.ngram import fit_ngram, uniform_model
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab, VocabConfig

HOW = [
    {},
    {"temperature": 3.0},
    {"top_k": 1},
    {"top_k": 4, "top_p": 0.6},
    {"greedy": True},
    {"temperature": 0.0},
    {"beam": 1},
    {"beam": 4},
    {"beam": 4, "stop": "c"},
]


def make_run(unk: float, text: str = "abcde", **options: Any) -> SimpleNamespace:
    """Return a model whose logit of ``<unk>`` is shifted by this much."""
    vocab = Vocab(text, VocabConfig(max_size=options.pop("max_size", None)))
    config = ModelConfig(num_hiddens=8, **options)
    model = RNNModel(config, len(vocab), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
        model.output.bias[Vocab.unk] += unk
    return SimpleNamespace(model=model, vocab=vocab)


@pytest.fixture(params=["compiled", "torch", "scratch"])
def paths(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Take each path of decoding: the options of a model that does."""
    if request.param == "torch":
        monkeypatch.setattr(decode, "is_compiled", lambda *_: False)
    return {"scratch": request.param == "scratch"}


def is_written_again(text: Generation) -> bool:
    return text.only_unk and text.config.no_unk and f"without {UNK}, which would be" in repr(text)


@pytest.mark.parametrize("options", HOW)
@pytest.mark.parametrize("unk", [0.0, 5.0, 100.0])
def test_it_is_never_written_where_it_is_excluded(
    paths: dict[str, Any], options: dict[str, Any], unk: float
) -> None:
    run = make_run(unk, **paths)
    text = generate(run, "ab", DecodingConfig(length=60, no_unk=True, **options))
    assert UNK not in text.tokens
    assert not text.only_unk
    assert f", without {UNK}" in repr(text)
    # The log-probabilities stay those of the model, which knows of <unk>.
    with torch.no_grad():
        logits, _ = run.model.eval()(torch.tensor([run.vocab[[*"ab", *text.tokens]]]))
    ids = torch.tensor(run.vocab[text.tokens])[:, None]
    expected = logits[0, 1:-1].log_softmax(-1).gather(-1, ids)[:, 0]
    assert text.log_probs == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("options", HOW)
def test_a_text_of_nothing_else_is_written_again_without_it(
    paths: dict[str, Any], options: dict[str, Any]
) -> None:
    run = make_run(100, **paths)
    config = DecodingConfig(length=20, **options)
    pieces: list[str] = []
    text = generate(run, "ab", config, write=pieces.append)
    assert is_written_again(text)
    assert UNK not in text.text
    assert "".join(pieces) == text.text
    assert generate(run, "ab", text.config).text == text.text


@pytest.mark.parametrize("seed", range(4))
def test_beside_other_tokens_it_stays(paths: dict[str, Any], seed: int) -> None:
    run = make_run(1, **paths)
    config = DecodingConfig(length=60, temperature=3.0, seed=seed)
    pieces: list[str] = []
    text = generate(run, "ab", config, write=pieces.append)
    assert UNK in text.tokens
    assert set(text.tokens) != {UNK}
    assert not text.only_unk
    assert text.config == config
    assert "".join(pieces) == text.text


@given(
    unk=st.floats(0, 12),
    num=st.integers(1, 12),
    length=st.integers(1, 8),
    stop=st.sampled_from([None, "c", "d"]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_of_several_each_is_judged_by_itself(
    unk: float, num: int, length: int, stop: str | None
) -> None:
    run = make_run(unk)
    pieces: list[str] = []
    config = DecodingConfig(length=length, temperature=2.0, stop=stop)
    texts = generate_many(run, "ab", config, num=num, write=pieces.append)
    assert "".join(pieces) == texts[0].text
    for place, text in enumerate(texts):
        assert text.tokens[0] != UNK or not {*text.tokens} <= {UNK, stop}
        alone = generate(run, "ab", config.of_text(place))
        assert (alone.text, alone.only_unk) == (text.text, text.only_unk)
        assert text.only_unk == is_written_again(text)


def test_both_happen_in_one_batch() -> None:
    texts = generate_many(make_run(4), "ab", DecodingConfig(length=3, temperature=2.0), num=30)
    assert {text.only_unk for text in texts} == {True, False}


def test_a_vocabulary_of_nothing_else_keeps_it() -> None:
    run = make_run(0, max_size=1)
    pieces: list[str] = []
    text = generate(run, "ab", DecodingConfig(length=3), write=pieces.append)
    assert text.tokens == [UNK] * 3
    assert not text.only_unk
    assert "".join(pieces) == text.text
    with pytest.raises(DecodingError, match="the vocabulary has only <unk>, so nothing is left"):
        generate(run, "ab", DecodingConfig(no_unk=True))
    vocab = Vocab("ab", VocabConfig(max_size=1))
    assert write_ngram(uniform_model(1), vocab, "a", DecodingConfig(length=2)).tokens == [UNK] * 2
    with pytest.raises(DecodingError, match="the vocabulary has only <unk>"):
        write_ngram(uniform_model(1), vocab, "a", DecodingConfig(no_unk=True))


def test_counts_follow_the_same_rule() -> None:
    vocab = Vocab("ab" * 9 + "xyz" * 9, VocabConfig(max_size=3))
    model = fit_ngram(np.array([0] * 40 + [1, 2] * 3 + [0] * 40), len(vocab), 3)
    config = DecodingConfig(length=9, greedy=True)
    text = write_ngram(model, vocab, "xx", config)
    assert is_written_again(text)
    assert UNK not in text.tokens
    assert write_ngram(model, vocab, "xx", text.config).tokens == text.tokens


def test_a_decoder_of_ones_own_is_offered_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def most(logits: Tensor, _config: DecodingConfig, _u: Tensor) -> Tensor:
        assert logits[0, 0] == -math.inf
        return logits.argmax(dim=-1)

    monkeypatch.setitem(DECODERS, "most", most)
    text = generate(make_run(100), "ab", DecodingConfig(length=5, decoder="most", no_unk=True))
    assert UNK not in text.tokens


def test_a_decoder_that_insists_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DECODERS, "zero", lambda logits, *_: torch.zeros(len(logits)).long())
    pieces: list[str] = []
    config = DecodingConfig(length=3, decoder="zero")
    text = generate(make_run(0), "ab", config, write=pieces.append)
    assert text.tokens == [UNK] * 3
    assert "".join(pieces) == text.text


@given(
    st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=30),
    st.floats(0.01, 100) | st.just(0.0),
    st.none() | st.integers(1, 45),
    st.none() | st.floats(0.001, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_the_compiled_choice_is_that_of_the_decoder(
    values: list[float], temperature: float, top_k: int | None, top_p: float | None, number: float
) -> None:
    config = DecodingConfig(temperature=temperature, top_k=top_k, top_p=top_p, no_unk=True)
    logits, size = torch.tensor([values]), len(values)
    rule = Rule(temperature == 0, temperature, top_k or size, top_p or math.inf, no_unk=True)
    scratch = torch.empty(2, size).double().numpy(), torch.empty(size).long().numpy()
    token, log_prob = choose(logits[0].clone().numpy(), rule, number, 0, *scratch)
    assert token > 0
    assert log_prob == pytest.approx(logits[0].double().log_softmax(-1)[token].item(), abs=1e-9)
    masked = offered(logits, config)
    assert logits[0].tolist() == values
    nearby = [number + e for e in (-1e-12, 0, 1e-12)]  # on the border to the last bits
    u = torch.tensor(nearby, dtype=torch.float64).clamp(0, 1 - 2**-53)
    chosen = draw(masked.expand(3, -1), config, u)
    assert token in chosen.tolist()
    if temperature == 0:
        assert token == greedy(masked, config, u[:1]).item()
