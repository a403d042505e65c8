"""Two runs side by side, beside a plain recomputation, and where they differ by construction."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics import Corpus, ModelConfig, RNNMagicsError, RNNModel, Vocab, VocabConfig, score_text
from rnn_magics.inspection.diff import Diff, DiffConfig, inspect_diff
from rnn_magics.models.rnn_model import copy_model, read
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.vocab import encode_corpus

TEXT = "ababababxx"


def corpus_of(text: str = TEXT * 30, **config: Any) -> Corpus:
    return Corpus.from_text(text, CorpusConfig(**{"valid": 0.3, **config}))


def made(corpus: Corpus, seed: int = 0, name: str = "", **model: Any) -> Any:
    vocab = Vocab.from_corpus(corpus)
    drawn = torch.Generator().manual_seed(seed)
    config = ModelConfig(**{"cell": "gru", "num_hiddens": 6, **model})
    made_model = RNNModel(config, len(vocab), drawn).eval()
    with torch.no_grad():
        for parameter in made_model.parameters():
            parameter.mul_(4)  # states far from zero
    return SimpleNamespace(
        model=made_model,
        vocab=vocab,
        name=name or f"run-{seed}",
        reading=TextReading.of(corpus),
    )


def knowing(run: Any, token: str) -> Any:
    """The same run, which expects a token always, and more."""
    model = copy_model(run.model)
    with torch.no_grad():
        model.output.bias[run.vocab[token]] += 3
    return SimpleNamespace(model=model, vocab=run.vocab, name="knows", reading=run.reading)


def test_the_bits_are_those_of_both_runs() -> None:
    corpus = corpus_of()
    runs = [made(corpus, seed) for seed in (0, 1)]
    found = inspect_diff(runs, "abxxab", corpus)
    for bits, run in zip(found.bits, runs, strict=True):
        assert math.isnan(bits[0])
        np.testing.assert_allclose(bits[1:], score_text(run, "abxxab").surprise[1:], atol=1e-4)
    assert found.runs == ("run-0", "run-1")


def held_out_bits(runs: list[Any], corpus: Corpus) -> Any:
    ids = torch.tensor(encode_corpus(corpus, runs[0].vocab).valid.astype(np.int64))
    logits = [read(run.model, ids[None])[0][0] for run in runs]
    rows = range(len(ids) - 1)
    return [-one.double().log_softmax(-1)[rows, ids[1:]] / math.log(2) for one in logits]


def test_the_gain_and_the_passages_are_those_of_a_plain_sum() -> None:
    corpus = corpus_of()
    runs = [made(corpus, seed) for seed in (0, 1)]
    first, second = held_out_bits(runs, corpus)
    differs = (first - second).numpy()
    width = 4
    found = inspect_diff(runs, TEXT, corpus, DiffConfig(num=2, margin=3, width=width))
    assert found.searched == len(differs)
    assert found.gain == pytest.approx(differs.mean(), abs=1e-5)
    assert found.error == pytest.approx(differs.std() / len(differs) ** 0.5, abs=1e-6)
    sums = {at + 1: differs[at : at + width].sum() for at in range(len(differs) - width + 1)}
    best = [max(sums, key=lambda at, sign=sign: sign * sums[at]) for sign in (-1, 1)]
    for passages, place in zip(found.passages, best, strict=True):
        assert passages[0].gain == pytest.approx(sums[place], abs=1e-4)
        for one, other in itertools.combinations(passages, 2):
            assert one.last <= other.first or other.last <= one.first
    held_out = str(corpus.data)[-len(differs) - 1 :]
    for passage in itertools.chain(*found.passages):
        start, end = passage.focus
        assert "".join(passage.tokens[start:end]) == held_out[passage.first : passage.last]
        assert held_out[passage.start :].startswith("".join(passage.tokens))


def test_a_run_that_knows_more_of_one_token_is_better_just_there() -> None:
    corpus = corpus_of()
    plain = made(corpus)
    found = inspect_diff([plain, knowing(plain, "x")], TEXT, corpus, DiffConfig(width=2, num=3))
    worse, better = found.passages
    assert all(set(p.tokens[slice(*p.focus)]) <= set("ab") for p in worse)
    assert all(p.tokens[slice(*p.focus)] == ["x", "x"] for p in better)
    assert "knows is better by most on" in repr(found)
    turned = inspect_diff([knowing(plain, "x"), plain], TEXT, corpus)
    assert turned.gain == pytest.approx(-found.gain)
    assert turned.title.removeprefix("diff: ") == found.title.removeprefix("diff: ")


def test_a_run_beside_itself_differs_nowhere() -> None:
    corpus = corpus_of()
    found = inspect_diff([made(corpus)] * 2, TEXT, corpus)
    assert (found.gain, found.error) == (0, 0)
    assert found.passages == ([], [])
    assert isinstance(found, Diff)


def test_the_order_of_a_vocabulary_does_not_matter() -> None:
    corpus = corpus_of()
    one = made(corpus)
    turned = Vocab([*"xxxbba"])
    places = one.vocab[turned.to_tokens([0, 1, 2, 3])]
    assert places == [0, 3, 2, 1]
    model = copy_model(one.model)
    with torch.no_grad():
        model.rnn.cells[0].weight_ih.copy_(one.model.rnn.cells[0].weight_ih[:, places])
        model.output.weight.copy_(one.model.output.weight[places])
        model.output.bias.copy_(one.model.output.bias[places])
    other = SimpleNamespace(model=model, vocab=turned, name="turned", reading=one.reading)
    found = inspect_diff([one, other], TEXT, corpus)
    assert found.gain == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found.bits[0][1:], found.bits[1][1:], atol=1e-5)


def test_without_a_held_out_part_the_training_part_is_read() -> None:
    corpus = corpus_of(valid=0)
    found = inspect_diff([made(corpus, 0), made(corpus, 1)], TEXT, corpus, DiffConfig(search=50))
    assert (found.part, found.searched) == ("training", 50)


def refused(runs: Any, corpus: Corpus, text: str = TEXT) -> str:
    with pytest.raises(RNNMagicsError) as told:
        inspect_diff(runs, text, corpus)
    assert len(str(told.value).splitlines()) == 1
    return str(told.value)


def test_what_cannot_be_compared_is_refused() -> None:
    corpus = corpus_of()
    one = made(corpus)
    assert "two runs, not 1" in refused([one], corpus)
    assert "two runs, not 3" in refused([one] * 3, corpus)
    fewer = made(corpus_of("ab" * 90))
    assert "of 4 char tokens and 3 char tokens" in refused([one, fewer], corpus)
    words = made(corpus)
    words.vocab = Vocab([*"abx"], VocabConfig("word"))
    assert "of 4 char tokens and 4 word tokens" in refused([one, words], corpus)
    both = made(corpus, bidirectional=True)
    assert "bidirectional" in refused([one, both], corpus)
    lower = made(corpus_of(lower=True), 1)
    assert "read a text differently" in refused([one, lower], corpus, "aBab")
    assert "at least 2" in refused([one, one], corpus, "a")
