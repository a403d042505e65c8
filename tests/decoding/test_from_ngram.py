"""Generation from counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.from_ngram import write_ngram
from rnn_magics.errors import DecodingError
from rnn_magics.models.ngram import NgramModel, fit_ngram, uniform_model
from rnn_magics.models.sentences import fit_sentences
from rnn_magics.text.vocab import Vocab, VocabConfig
from tests.conftest import TEXT

VOCAB = Vocab(TEXT)


@pytest.fixture(params=[1, 2, 4])
def model(request: pytest.FixtureRequest) -> NgramModel:
    return fit_ngram(VOCAB.indices(TEXT), len(VOCAB), request.param)


def test_greedy_follows_the_most_probable_token(model: NgramModel) -> None:
    written = write_ngram(model, VOCAB, "the ", DecodingConfig(length=20, greedy=True))
    ids = VOCAB.indices("the ").tolist()
    for token, log_prob in zip(written.tokens, written.log_probs, strict=True):
        distribution = model.distribution(np.array(ids)[len(ids) - model.order + 1 :])
        best = int(distribution.argmax())
        assert token == VOCAB.to_tokens(best)
        assert log_prob == pytest.approx(math.log(distribution[best]))
        ids.append(best)
    assert written.text == "the " + "".join(written.tokens)


def test_log_probs_are_those_of_the_whole_text(model: NgramModel) -> None:
    written = write_ngram(model, VOCAB, "the ", DecodingConfig(length=40, temperature=2.0))
    ids = VOCAB.indices([*"the ", *written.tokens])
    np.testing.assert_allclose(written.log_probs, model.log_probs(ids, 4), rtol=1e-9)
    assert written.prefix_perplexity == pytest.approx(model.perplexity(ids[:4]))


def test_a_seed_repeats_and_another_does_not(model: NgramModel) -> None:
    first, again, other = (
        write_ngram(model, VOCAB, "the ", DecodingConfig(length=40, seed=seed)).text
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_shorter_text_is_the_beginning_of_a_longer_one(model: NgramModel) -> None:
    short, long = (
        write_ngram(model, VOCAB, "the ", DecodingConfig(length=length)).text for length in (7, 50)
    )
    assert long.startswith(short)


def test_only_the_top_k_are_drawn(model: NgramModel) -> None:
    config = DecodingConfig(length=60, temperature=5.0, top_k=2)
    written = write_ngram(model, VOCAB, "the ", config)
    ids = VOCAB.indices([*"the ", *written.tokens])
    for place in range(4, len(ids)):
        distribution = model.distribution(ids[max(place - model.order + 1, 0) : place])
        assert distribution[ids[place]] >= np.sort(distribution)[-2]


def test_a_decoder_of_the_user_is_asked(model: NgramModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def least(logits: Tensor, _config: DecodingConfig, _u: Tensor) -> Tensor:
        assert logits.shape == (1, len(VOCAB))
        assert logits.dtype == torch.float32
        return logits.argmin(dim=-1)

    monkeypatch.setitem(DECODERS, "least", least)
    written = write_ngram(model, VOCAB, "the ", DecodingConfig(length=1, decoder="least"))
    assert written.log_probs[0] == pytest.approx(
        model.log_probs(VOCAB.indices([*"the ", *written.tokens]))[-1]
    )
    assert written.log_probs[0] < math.log(1 / len(VOCAB))


def test_the_stop_token_ends_the_text(model: NgramModel) -> None:
    written = write_ngram(model, VOCAB, "the ", DecodingConfig(length=500, stop="e"))
    assert written.tokens.index("e") == len(written.tokens) - 1
    assert len(written.log_probs) == len(written.tokens)


def test_words_do_not_run_together() -> None:
    vocab = Vocab(TEXT.split(), VocabConfig(token="word"))
    counted = fit_ngram(vocab.indices(TEXT.split()), len(vocab), 3)
    written = write_ngram(counted, vocab, "the", DecodingConfig(length=5))
    assert written.text.split() == ["the", *written.tokens]
    assert written.prefix_perplexity is None


def test_what_is_unknown_is_told() -> None:
    written = write_ngram(uniform_model(len(VOCAB)), VOCAB, "~~t", DecodingConfig(length=3))
    assert written.unknown == ("~",)
    assert written.perplexity == pytest.approx(len(VOCAB))


def test_what_cannot_be_written_is_refused(model: NgramModel) -> None:
    with pytest.raises(DecodingError, match="prefix has no char tokens"):
        write_ngram(model, VOCAB, "")
    with pytest.raises(DecodingError, match="beam search needs a recurrent model"):
        write_ngram(model, VOCAB, "the", DecodingConfig(beam=2))
    with pytest.raises(DecodingError, match="'ab' is not a single char token"):
        write_ngram(model, VOCAB, "the", DecodingConfig(stop="ab"))
    of_sentences = fit_sentences([[0, 1]], len(VOCAB), 2)
    with pytest.raises(DecodingError, match=f"has {len(VOCAB) + 1} tokens, the vocabulary"):
        write_ngram(of_sentences, VOCAB, "the")
