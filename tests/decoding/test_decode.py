"""The two paths of decoding write the same."""

from __future__ import annotations

import math
from _thread import interrupt_main
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.decoding import decode
from rnn_magics.decoding.decode import (
    is_compiled,
    is_ready,
    iter_compiled,
    iter_decode,
    iter_plain,
    reader_of,
    uniforms,
)
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig, draw
from rnn_magics.decoding.generate import generate, generate_many
from rnn_magics.decoding.limits import MOST_TOKENS
from rnn_magics.decoding.prefix import Prefix, read_by_model, read_tokens
from rnn_magics.errors import DecodingError
from rnn_magics.models import fast
from rnn_magics.models.cells import CELLS, GRUCell
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab

CONFIGS = [
    {},
    {"temperature": 3.0},
    {"top_k": 3},
    {"top_p": 0.7, "temperature": 2.0},
    {"top_k": 4, "top_p": 0.8},
    {"greedy": True},
]


def make_model(vocab_size: int = 11, seed: int = 0, **options: Any) -> RNNModel:
    config = ModelConfig(**{"num_hiddens": 8, **options})
    model = RNNModel(config, vocab_size, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in {*model.parameters()} - {*model.rnn.parameters()}:
            parameter.mul_(5)  # opinions
        for parameter in model.rnn.parameters():
            parameter.mul_(1.5)  # with larger ones a recurrence is chaos, in which rounding grows
    return model


def prefix_of(model: RNNModel) -> Prefix:
    logits, state = read_tokens(model, torch.tensor([[0, 1, 0]]) % model.vocab_size)
    return Prefix("", (), logits[:, -1], state, [])


def written(
    path: Callable[..., Any], model: RNNModel, config: DecodingConfig, num: int = 1
) -> tuple[Tensor, Tensor]:
    seeds = [int(config.of_text(place).seed) for place in range(num)]
    steps = [*path(model, prefix_of(model), config, seeds)]
    return torch.cat([s.indices for s in steps]), torch.cat([s.log_probs for s in steps])


def assert_paths_agree(model: RNNModel, config: DecodingConfig, num: int) -> None:
    assert is_compiled(model, config)
    compiled, log_probs = written(iter_compiled, model, config, num)
    model.rnn.scratch = True  # nothing compiled beside it, either
    plain, plain_log_probs = written(iter_plain, model, config, num)
    assert plain.shape == compiled.shape == (config.length, num)
    assert torch.equal(plain, compiled)
    torch.testing.assert_close(log_probs.float(), plain_log_probs.float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", CONFIGS)
@pytest.mark.parametrize(
    "architecture",
    [
        {},
        {"num_layers": 3, "num_hiddens": 7},
        {"embedding_size": 5},
        {"embedding_size": 5, "num_layers": 2, "vocab_size": 900},  # more tokens than are read
        {"tie": True, "num_layers": 2, "dropout": 0.5},
        {"num_hiddens": 40, "vocab_size": 70},
        {"vocab_size": 1},
    ],
)
@pytest.mark.parametrize("cell", CELLS)
def test_both_paths_write_the_same(
    cell: str, architecture: dict[str, Any], options: dict[str, Any]
) -> None:
    model = make_model(cell=cell, **architecture)
    assert_paths_agree(model, DecodingConfig(length=70, seed=3, **options), num=3)


@given(
    cell=st.sampled_from(list(CELLS)),
    num_layers=st.integers(1, 3),
    num_hiddens=st.integers(1, 40),
    embedding_size=st.none() | st.integers(1, 20),
    vocab_size=st.integers(1, 80),
    num=st.integers(1, 21),
    double=st.booleans(),
    temperature=st.floats(0.2, 5),
    top_k=st.none() | st.integers(1, 90),
    top_p=st.none() | st.floats(0.05, 1),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_both_paths_write_the_same_whatever_the_sizes(
    num: int, temperature: float, top_k: int | None, top_p: float | None, **others: Any
) -> None:
    double = others.pop("double")
    model = make_model(**others)
    model = model.double() if double else model
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    assert_paths_agree(model, DecodingConfig(length=40, seed=others["seed"], **options), num)


@given(
    seeds=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3),
    length=st.integers(1, 200),
    at_once=st.integers(1, 200),
)
@settings(deadline=None, derandomize=True)
def test_a_seed_gives_the_same_numbers_however_many_are_drawn_at_once(
    seeds: list[int], length: int, at_once: int
) -> None:
    blocks = [*uniforms(seeds, length, at_once)]
    assert max(map(len, blocks)) <= at_once
    assert torch.equal(torch.cat(blocks), torch.cat([*uniforms(seeds, 300)])[:length])


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_does_not_depend_on_its_neighbours(cell: str) -> None:
    model = make_model(cell=cell, num_layers=2, num_hiddens=20)
    config = DecodingConfig(length=60, greedy=True)
    one, log_probs = written(iter_compiled, model, config)
    many, all_log_probs = written(iter_compiled, model, config, 19)
    assert torch.equal(many, one.expand(-1, 19))
    torch.testing.assert_close(all_log_probs, log_probs.expand(-1, 19))


def test_threads_change_nothing() -> None:
    model, before = make_model(num_hiddens=33), torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(written(iter_compiled, model, DecodingConfig(length=50), 13))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("path", [iter_plain, iter_compiled])
def test_a_shorter_text_is_the_beginning_of_a_longer_one(path: Callable[..., Any]) -> None:
    model = make_model()
    short, long = (written(path, model, DecodingConfig(length=n), 2)[0] for n in (37, 90))
    assert torch.equal(short, long[:37])


def test_uniform_numbers_are_below_one_and_as_many_as_asked_for() -> None:
    blocks = [*uniforms([0, 1, 2], 70)]
    assert torch.cat(blocks).shape == (70, 3)
    assert all(block.dtype == torch.float64 for block in blocks)
    assert all(((block >= 0) & (block < 1)).all() for block in blocks)


class _OwnModel(RNNModel):
    pass


def own_model() -> RNNModel:
    return _OwnModel(ModelConfig(num_hiddens=8), 11)


def hooked_model() -> RNNModel:
    model = make_model()
    model.rnn.register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize(
    "make",
    [
        own_model,
        hooked_model,
        lambda: make_model(scratch=True),
        lambda: make_model(bidirectional=True),
        lambda: make_model().bfloat16(),
        lambda: make_model().to("meta"),
    ],
)
def test_what_the_compiled_loop_would_leave_out_takes_the_plain_path(
    make: Callable[[], RNNModel],
) -> None:
    assert not is_compiled(make(), DecodingConfig())


def test_a_cell_or_decoder_of_ones_own_takes_the_plain_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(GRUCell):
        pass

    monkeypatch.setitem(CELLS, "own", Own)

    def own_draw(logits: Tensor, config: DecodingConfig, u: Tensor) -> Tensor:
        return draw(logits, config, u)

    monkeypatch.setitem(DECODERS, "own", own_draw)
    assert not is_compiled(make_model(cell="own"), DecodingConfig())
    assert not is_compiled(make_model(), DecodingConfig(decoder="own"))
    monkeypatch.setitem(DECODERS, "draw", own_draw)
    assert not is_compiled(make_model(), DecodingConfig())


@pytest.mark.parametrize("path", [iter_plain, iter_compiled])
@pytest.mark.parametrize("options", [{}, {"greedy": True}])
def test_a_model_without_probabilities_is_refused(
    options: dict[str, Any], path: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "is_compiled", lambda *_: path is iter_compiled)
    model = make_model()
    prefix = prefix_of(model)
    with torch.no_grad():
        model.output.bias[4] = math.nan
    with pytest.raises(DecodingError, match="has diverged"):
        [*iter_decode(model, prefix, DecodingConfig(length=50, **options))]


@pytest.mark.parametrize("num", [1, 3])
def test_a_text_is_the_same_on_both_paths(
    run: Any, num: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = DecodingConfig(length=150, temperature=4.0, stop="c")
    compiled = generate_many(run, "abc", config, num=num)
    monkeypatch.setattr(decode, "is_compiled", lambda *_: False)
    plain = generate_many(run, "abc", config, num=num)
    assert [text.text for text in compiled] == [text.text for text in plain]
    for one, other in zip(compiled, plain, strict=True):
        assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)


def test_an_interrupt_is_heard_while_a_text_is_written(run: Any) -> None:
    pieces: list[str] = []

    def write(piece: str) -> None:
        if len(pieces) == 2:
            interrupt_main()  # as Ctrl-C does
        pieces.append(piece)

    with pytest.raises(KeyboardInterrupt):
        generate(run, "a", DecodingConfig(length=MOST_TOKENS), write=write)
    assert len(pieces) < 10


def test_a_model_that_writes_more_tokens_than_it_reads_is_refused() -> None:
    model = make_model()
    prefix = prefix_of(model)
    model.output = torch.nn.Linear(8, 99)
    with pytest.raises(ValueError, match="reads 11 tokens and writes 99"):
        [*iter_compiled(model, prefix, DecodingConfig(), [0])]


def test_only_what_is_compiled_has_to_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "is_kept", lambda _: False)
    model = RNNModel(ModelConfig("gru", 8), 5, torch.Generator().manual_seed(0))
    plain = RNNModel(ModelConfig("gru", 8, scratch=True), 5, torch.Generator().manual_seed(0))
    assert not is_ready(model, DecodingConfig())
    assert is_ready(model, DecodingConfig(beam=2))
    assert is_ready(plain, DecodingConfig())
    monkeypatch.setattr(fast, "is_kept", lambda _: True)
    assert is_ready(model, DecodingConfig())


@pytest.mark.parametrize(
    "architecture",
    [
        {},
        {"num_layers": 3, "num_hiddens": 7, "learn_state": True},
        {"embedding_size": 5, "num_layers": 2},
        {"tie": True, "dropout": 0.5},
        {"num_hiddens": 40, "vocab_size": 70},
    ],
)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("double", [False, True])
def test_a_short_prefix_is_read_as_by_the_model(
    cell: str, architecture: dict[str, Any], *, double: bool
) -> None:
    model = make_model(cell=cell, **architecture)
    model = model.double() if double else model
    with torch.no_grad():
        for part in model.rnn.initial or ():
            part.fill_(0.3)
    indices = torch.tensor([[3, 0, 7, 7, 2, 10, 1]])
    reader = reader_of(model, DecodingConfig())
    assert reader is not read_by_model
    found, expected = reader(model, indices)[:3], read_by_model(model, indices)[:3]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    one, other = (read(model, indices[:, :1])[:3] for read in (reader, read_by_model))
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_where_a_document_begins_a_prefix_starts_anew() -> None:
    corpus = Corpus.from_text("ab\nba\nabba", CorpusConfig(documents="line"))
    vocab = Vocab.from_corpus(corpus)
    model = make_model(vocab_size=len(vocab), num_hiddens=12)
    model.vocab = vocab
    assert model.marks is not None
    begin = model.marks.begin
    twice = torch.tensor([[begin, 3, 4, begin, 4]])
    reader = reader_of(model, DecodingConfig())
    found, alone = reader(model, twice), reader(model, twice[:, 3:])
    torch.testing.assert_close(found[:2], alone[:2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda weight: weight.data.neg_(),  # does not count as a change for autograd
        lambda weight: np.negative(weight.detach().numpy(), out=weight.detach().numpy()),
    ],
)
def test_a_text_is_that_of_the_weights_of_now(run: Any, change: Callable[[Tensor], Any]) -> None:
    config = DecodingConfig(length=60, temperature=3.0)
    before = generate(run, "abc", config)
    change(run.model.output.weight)
    after = generate(run, "abc", config)
    assert after.text != before.text
    change(run.model.output.weight)
    assert generate(run, "abc", config).text == before.text


def test_a_call_writes_less_of_a_large_model() -> None:
    lengths = {}
    for num_hiddens in (8, 512):
        model = make_model(num_hiddens=num_hiddens)
        steps = iter_compiled(model, prefix_of(model), DecodingConfig(length=600), [0] * 8)
        lengths[num_hiddens] = [len(written.indices) for written in steps]
    assert lengths == {8: [512, 88], 512: [32] * 18 + [24]}
