"""Several texts of one prefix: each is the text that its own seed writes alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.decoding import decode
from rnn_magics.decoding.decode import uniforms
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import Generation, generate, generate_many
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.vocab import Vocab

VOCAB = Vocab("the quick brown fox jumps over the lazy dog")
DECODERS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 5),
        "top_k": st.integers(1, 40),
        "top_p": st.floats(0.05, 1),
        "no_unk": st.booleans(),
        "stop": st.sampled_from("ex "),
    },
) | st.sampled_from([{"greedy": True}, {"decoder": "greedy"}, {"temperature": 0.0}])


def run_of(**options: Any) -> SimpleNamespace:
    """Return a model with opinions, and its vocabulary."""
    config = ModelConfig(num_hiddens=9, **options)
    model = RNNModel(config, len(VOCAB), torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in {*model.parameters()} - {*model.rnn.parameters()}:
            parameter.mul_(5)
        model.output.bias[Vocab.unk] = 0
    return SimpleNamespace(model=model, vocab=VOCAB)


def said(text: Generation) -> tuple[Any, ...]:
    return text.text, text.tokens, text.config, text.only_unk


@pytest.mark.parametrize("path", ["compiled", "scratch", "torch"])
@given(
    options=DECODERS,
    cell=st.sampled_from(["rnn", "gru", "lstm", "mingru", "minlstm"]),
    size=st.sampled_from([{}, {"num_layers": 2}, {"embedding_size": 4}]),
    num=st.integers(1, 9),
    length=st.integers(1, 70),
    seed=st.integers(0, 2**64 - 1),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_each_text_is_the_one_that_its_configuration_writes_alone(
    path: str, options: Any, cell: str, size: Any, num: int, length: int, seed: int
) -> None:
    run = run_of(cell=cell, scratch=path == "scratch", **size)
    config = DecodingConfig(length=length, seed=seed, **options)
    with pytest.MonkeyPatch.context() as patch:
        if path == "torch":
            patch.setattr(decode, "is_compiled", lambda *_: False)
        texts = generate_many(run, "the ", config, num=num)
        assert said(texts[0]) == said(generate(run, "the ", config))
        for text in texts:
            alone = generate(run, "the ", text.config)
            assert said(alone)[:3] == said(text)[:3]


def test_the_compiled_loop_computes_a_row_alike_to_the_last_bit_alone_and_among_others() -> None:
    run = run_of(num_layers=2, embedding_size=6)
    config = DecodingConfig(length=25, temperature=2.0)  # 25 < the size of the vocabulary < 2 x 25
    texts = generate_many(run, "the ", config, num=19)
    for text in texts:
        assert text.log_probs == generate(run, "the ", text.config).log_probs


def test_the_seeds_are_consecutive_and_the_texts_differ() -> None:
    run = run_of()
    texts = generate_many(run, "the ", DecodingConfig(seed=2**64 - 2, temperature=2.0), num=4)
    assert [text.config.seed for text in texts] == [2**64 - 2, 2**64 - 1, 0, 1]
    assert len({text.text for text in texts}) == 4
    assert [f", seed {text.config.seed})" in repr(text) for text in texts] == [True] * 4


@pytest.mark.parametrize("options", [{"greedy": True}, {"beam": 2}, {"temperature": 0}])
def test_no_seed_is_named_where_nothing_is_drawn(options: dict[str, Any]) -> None:
    assert "seed" not in repr(generate(run_of(), "the ", DecodingConfig(**options)))


def test_a_random_seed_is_drawn_said_and_can_be_repeated() -> None:
    run = run_of()
    seeds = set()
    for _ in range(4):
        config = DecodingConfig(seed="random", temperature=2.0)
        text = generate(run, "the ", config)
        assert f"seed {config.seed}" in repr(text)
        seed = int(config.seed)
        assert seed < 2**32
        assert generate(run, "the ", DecodingConfig(seed=seed, temperature=2.0)).text == text.text
        seeds.add(seed)
    assert len(seeds) == 4


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6), st.integers(1, 100))
def test_the_numbers_of_a_row_are_those_of_its_seed(seeds: list[int], length: int) -> None:
    found = torch.cat([*uniforms(seeds, length)])
    assert found.shape == (length, len(seeds))
    for row, seed in enumerate(seeds):
        alone = torch.cat([*uniforms([seed], length)])
        assert torch.equal(found[:, [row]], alone)


def test_the_numbers_of_a_seed_are_those_of_earlier_versions() -> None:
    generator = torch.Generator().manual_seed(7)
    before = torch.rand(32, 1, dtype=torch.float64, generator=generator)
    assert torch.equal(next(uniforms([7], 32)), before)
