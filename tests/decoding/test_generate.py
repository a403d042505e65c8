"""Generation: a model goes on from a prefix."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.generate import generate, generate_many
from rnn_magics.decoding.prefix import nats_of, read_tokens, select_rows
from rnn_magics.errors import DecodingError
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

CONFIGS = [
    DecodingConfig(length=12),
    DecodingConfig(length=12, temperature=2.0, top_k=3, seed=4),
    DecodingConfig(length=12, greedy=True),
    DecodingConfig(length=5, beam=3),
]


@torch.no_grad()
def fresh_log_probs(run: Any, tokens: list[Any]) -> Tensor:
    """Score every token but the first with one forward pass from zero."""
    ids = torch.tensor([run.vocab[tokens]])
    logits, _ = run.model.eval()(ids[:, :-1])
    return logits[0].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("cell", CELLS)
def test_log_probs_are_those_of_a_fresh_forward_pass(
    make_run: Callable[..., Any], cell: str, config: DecodingConfig
) -> None:
    run = make_run(cell=cell, num_layers=2)
    written = generate(run, "abca", config)
    assert len(written.tokens) == len(written.log_probs) == config.length
    expected = fresh_log_probs(run, [*"abca", *written.tokens])
    assert written.log_probs == pytest.approx(expected[3:].tolist(), abs=1e-5)
    assert written.prefix_perplexity == pytest.approx(
        perplexity(-expected[:3].mean().item()), rel=1e-5
    )
    assert written.perplexity == pytest.approx(perplexity(-expected[3:].mean().item()), rel=1e-5)


def test_greedy_takes_the_most_probable_token_at_every_step(run: Any) -> None:
    written = generate(run, "ab", DecodingConfig(length=15, greedy=True))
    tokens = list("ab")
    for _ in range(15):
        with torch.no_grad():
            logits, _ = run.model.eval()(torch.tensor([run.vocab[tokens]]))
        tokens.append(run.vocab.to_tokens(int(logits[0, -1].argmax())))
    assert written.tokens == tokens[2:]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_greedy_does_not_depend_on_the_seed(run: Any, seed: int) -> None:
    first = generate(run, "ab", DecodingConfig(length=20, greedy=True))
    again = generate(run, "ab", DecodingConfig(length=20, greedy=True, seed=seed))
    assert first.tokens == again.tokens


def test_the_seed_decides_the_text(run: Any) -> None:
    texts = [
        generate(run, "ab", DecodingConfig(length=40, temperature=3.0, seed=seed)).text
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_writing_leaves_model_and_global_generator_as_they_were(
    make_run: Callable[..., Any],
) -> None:
    run = make_run(dropout=0.5, num_layers=2)
    run.model.train()
    before = torch.get_rng_state()
    first, again = generate(run, "ab").text, generate(run, "ab").text
    assert first == again  # no dropout while it writes
    assert run.model.training
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in run.model.parameters())


def test_several_texts_are_one_batch(run: Any) -> None:
    sizes: list[tuple[int, ...]] = []
    run.model.register_forward_hook(lambda _m, given, _o: sizes.append(tuple(given[0].shape)))
    texts = generate_many(run, "abc", DecodingConfig(length=4, temperature=3.0), num=5)
    assert sizes == [(1, 3), (5, 1), (5, 1), (5, 1)]
    assert len(texts) == 5
    assert len({text.text for text in texts}) > 1
    for text in texts:
        expected = fresh_log_probs(run, [*"abc", *text.tokens])[2:]
        assert text.log_probs == pytest.approx(expected.tolist(), abs=1e-5)


def test_each_row_goes_on_from_its_own_tokens(run: Any) -> None:
    texts = generate_many(run, "a", DecodingConfig(length=30, greedy=True), num=3)
    assert len({text.text for text in texts}) == 1


def test_writing_ends_with_the_stop_token(run: Any) -> None:
    config = DecodingConfig(length=500, temperature=5.0)
    endless = generate(run, "a", config)
    stopped = generate(run, "a", DecodingConfig(length=500, temperature=5.0, stop="c"))
    place = endless.tokens.index("c")
    assert stopped.tokens == endless.tokens[: place + 1]
    assert stopped.log_probs == endless.log_probs[: place + 1]


def test_each_row_ends_on_its_own(run: Any) -> None:
    config = DecodingConfig(length=300, temperature=5.0, stop="c")
    texts = generate_many(run, "a", config, num=8)
    assert len({len(text.tokens) for text in texts}) > 1
    for text in texts:
        assert text.tokens.index("c") == len(text.tokens) - 1 == len(text.log_probs) - 1


@pytest.mark.parametrize("stop", ["ab", "", "z", "<unk>"])
def test_a_stop_that_is_no_token_is_refused(run: Any, stop: str) -> None:
    with pytest.raises(DecodingError, match="is not a single char token of the vocabulary"):
        generate(run, "a", DecodingConfig(stop=stop))


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("prefix", ["a", "abba", "xay"])
def test_the_pieces_of_a_stream_are_the_text(run: Any, prefix: str, config: DecodingConfig) -> None:
    pieces: list[str] = []
    written = generate(run, prefix, config, write=pieces.append)
    assert pieces[0] == prefix
    assert "".join(pieces) == written.text == str(written)
    assert written.text == prefix + "".join(written.tokens)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("prefix", ["the", "the cat (", "the cat,\n", "Zebra's mouse"])
def test_the_pieces_of_a_stream_of_words_are_the_text(
    words: Any, prefix: str, config: DecodingConfig
) -> None:
    pieces: list[str] = []
    written = generate(words, prefix, config, write=pieces.append)
    assert "".join(pieces) == written.text
    assert written.text.startswith(prefix)
    tokenizer = words.vocab.tokenizer
    assert tokenizer.split(written.text) == [*tokenizer.split(prefix), *written.tokens]


def test_the_first_of_several_texts_is_streamed(run: Any) -> None:
    pieces: list[str] = []
    config = DecodingConfig(length=30, temperature=5.0, stop="c")
    texts = generate_many(run, "a", config, num=4, write=pieces.append)
    assert "".join(pieces) == texts[0].text


def test_unknown_tokens_of_the_prefix_are_named_once(run: Any) -> None:
    written = generate(run, "zazy", DecodingConfig(length=3))
    assert written.unknown == ("z", "y")
    assert "not in the vocabulary and read as <unk>: 'z', 'y'" in repr(written)
    assert generate(run, "abc", DecodingConfig(length=3)).unknown == ()


def test_a_prefix_of_one_token_has_no_perplexity(run: Any) -> None:
    written = generate(run, "a", DecodingConfig(length=3))
    assert written.prefix_perplexity is None
    assert "prefix perplexity" not in repr(written)
    assert written.prefix == "a"


@pytest.mark.parametrize(("fixture", "prefix"), [("run", ""), ("words", "   ")])
def test_a_prefix_without_tokens_is_refused(
    fixture: str, prefix: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(DecodingError, match=r"the prefix has no .* tokens"):
        generate(request.getfixturevalue(fixture), prefix)


def test_a_bidirectional_model_is_refused(make_run: Callable[..., Any]) -> None:
    with pytest.raises(DecodingError, match=r"bidirectional model .* without --bidirectional"):
        generate(make_run(bidirectional=True), "a")


def test_a_model_of_bare_indices_is_refused(run: Any) -> None:
    with pytest.raises(DecodingError, match="bare indices, so it can neither read nor write text"):
        generate(SimpleNamespace(model=run.model, vocab=None), "a")


@pytest.mark.parametrize("num", [0, -1, 1001, 10**30])
def test_no_text_at_all_and_too_many_are_refused(run: Any, num: int) -> None:
    with pytest.raises(DecodingError, match=rf"num must be in \[1, 1000\], not {num}"):
        generate_many(run, "a", num=num)


def test_a_beam_search_finds_one_text_only(run: Any) -> None:
    with pytest.raises(DecodingError, match="finds one text, not 2"):
        generate_many(run, "a", DecodingConfig(beam=2), num=2)


def test_a_trained_model_writes_what_it_has_learnt() -> None:
    corpus = Corpus.from_text("abcdefgh" * 60)
    vocab = Vocab.from_corpus(corpus)
    batches = Batches(vocab.indices(corpus.tokens()), BatchConfig("seq", 4, 10), vocab=vocab)
    run = train(batches, ModelConfig(num_hiddens=16), TrainConfig(epochs=10, lr=0.02))
    assert str(generate(run, "cde", DecodingConfig(length=9, greedy=True))) == "cdefghabcdef"


def test_given_tokens_can_be_written() -> None:
    tokens = [10, 20, 30] * 60
    vocab = Vocab.from_corpus(Corpus.from_tokens(tokens))
    batches = Batches(vocab.indices(tokens), BatchConfig("seq", 4, 10), vocab=vocab)
    run = train(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1))
    written = generate(run, "10 20", DecodingConfig(length=5, top_k=2))
    assert len(written.tokens) == 5
    assert written.text == " ".join(["10 20", *map(str, written.tokens)])


def test_a_decoder_of_ones_own_is_one_function(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DECODERS, "last", lambda logits, *_: torch.full((len(logits),), 5))
    assert generate(run, "a", DecodingConfig(decoder="last", length=3)).text == "aeee"


@pytest.mark.parametrize("cell", CELLS)
def test_rows_of_a_state_are_selected_in_the_order_asked_for(
    make_run: Callable[..., Any], cell: str
) -> None:
    model = make_run(cell=cell, num_layers=2).model
    _, state = read_tokens(model, torch.tensor([[0, 1], [2, 3], [4, 5]]))
    chosen = select_rows(state, torch.tensor([2, 0, 2]))
    for part, picked in zip(state, chosen, strict=True):
        assert torch.equal(picked, torch.stack([part[:, 2], part[:, 0], part[:, 2]], dim=1))


def test_nats_are_negative_log_probabilities() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, torch.inf]])
    assert nats_of(logits[:1], torch.tensor([1])) == pytest.approx([torch.tensor(2.0).log().item()])


def test_a_prefix_that_ends_with_a_space_gets_no_second_one(make_run: Any) -> None:
    run, config = make_run("one two three four five", "word"), DecodingConfig(length=4)
    spaced, plain = generate(run, "two ", config), generate(run, "two", config)
    assert spaced.text == plain.text
    assert spaced.text.split() == ["two", *spaced.tokens]
