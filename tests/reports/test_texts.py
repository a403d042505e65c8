from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import BatchError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_report import report_run
from rnn_magics.reports.texts import evaluate_text, evaluate_texts
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

TEXT = Corpus.from_text("the time traveller came back\n" * 20, CorpusConfig(valid=0.2), name="tiny")
OTHER = Corpus.from_text("another text?", CorpusConfig(valid=0.0), name="other")
TOKENS = Corpus.from_tokens(range(50), name="numbers")


def run_on(corpus: Corpus, name: str) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    config = TrainConfig(epochs=1, device="cpu")
    return train(batches, ModelConfig(num_hiddens=4), config, name=name)


@pytest.fixture(scope="module")
def chars() -> Run:
    return run_on(TEXT, "chars")


@pytest.fixture(scope="module")
def numbers() -> Run:
    return run_on(TOKENS, "numbers")


def test_a_matrix_has_a_row_for_each_run_and_a_column_for_each_text(chars: Run) -> None:
    second = run_on(TEXT, "second")
    found = evaluate_texts([chars, second], [TEXT, OTHER])
    pairs = [(run, text) for run in (chars, second) for text in (TEXT, OTHER)]
    assert list(found) == [evaluate_text(run, text) for run, text in pairs]
    assert len(found) == 4
    assert found[1] is found.rows[0][1]
    shown = repr(found).split("\n")
    assert shown[0].split("  ")[0] == "perplexity"
    assert "tiny (held-out part)" in shown[0]
    assert "other (whole text)" in shown[0]
    assert shown[1].split() == ["chars", *(f"{cell.perplexity:.3f}" for cell in found.rows[0])]
    characters = [f"{cell.bits_per_character:.3f}" for cell in found.rows[1]]
    assert shown[3].startswith("bits per character")
    assert shown[5].split() == ["second", *characters]
    in_bytes = [f"{cell.bits_per_byte:.3f}" for cell in found.rows[1]]
    assert shown[8].split() == ["second", *in_bytes]
    assert shown[14].split() == ["second", *(f"{cell.unk_share:.2%}" for cell in found.rows[1])]
    assert shown[15].endswith("state carried")


def test_a_measure_that_no_text_has_is_left_out(numbers: Run) -> None:
    assert "per word" not in repr(evaluate_texts([numbers], [TOKENS, TOKENS]))


def test_a_text_of_another_kind_is_refused(chars: Run, numbers: Run) -> None:
    with pytest.raises(BatchError, match=r"'chars' reads text .char tokens., but 'numbers' is"):
        evaluate_texts([chars], [OTHER, TOKENS])
    with pytest.raises(BatchError, match=r"'numbers' reads given tokens .*, but 'other' is text;"):
        evaluate_text(numbers, OTHER)


def test_a_tokenizer_that_is_gone_is_named(chars: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TOKENIZERS, "char")
    with pytest.raises(BatchError, match="'char', which is no tokenizer here"):
        evaluate_text(chars, OTHER)


def test_an_empty_matrix_is_refused(chars: Run) -> None:
    with pytest.raises(BatchError, match="given are 1 of the first and 0 of the others"):
        evaluate_texts([chars], [])


def test_a_run_reports_what_evaluating_its_held_out_text_gives(chars: Run) -> None:
    found, scored = report_run(chars).valid, evaluate_text(chars, TEXT)
    assert found is not None
    assert found.word_perplexity is not None
    assert found.word_perplexity == pytest.approx(scored.word_perplexity, rel=1e-9)
    exact = replace(found, score=scored.score)
    assert exact == scored
    assert found.score.nats == pytest.approx(scored.score.nats, rel=1e-9)
    assert found.score.num_tokens == scored.score.num_tokens
    held_out, training = report_run(chars).lines
    assert held_out.startswith(f"Held-out {scored.numbers}: exp of the mean over all ")
    assert ", state carried; 0.00% of the tokens read as <unk>; per word is exp" in held_out
    assert f"over {scored.num_words:,} words between white space." in held_out
    assert training.startswith(f"Training perplexity {chars.train_perplexity:.3f}, ")


def test_per_word_is_the_perplexity_to_the_power_of_the_characters_of_a_word(chars: Run) -> None:
    found = report_run(chars).valid
    assert found is not None
    assert found.num_words is not None
    held_out = TEXT.data[-(found.score.num_tokens + 1) :]
    assert found.num_words == len(held_out.split()) - (not held_out[0].isspace())
    per_word = found.score.num_tokens / found.num_words
    assert found.word_perplexity == pytest.approx(found.perplexity**per_word)


def test_unknown_tokens_of_the_held_out_part_are_in_the_report() -> None:
    corpus = Corpus.from_text("abcdefgh" * 10 + "xyzab" * 4, CorpusConfig(valid=0.2), name="odd")
    found = report_run(run_on(corpus, "odd"))
    assert found.valid is not None
    assert found.train is not None
    assert found.valid.unk_share == 12 / 20
    assert found.train.unk_share == 0.0
    assert "60.00% of the tokens read as <unk>" in found.valid.unknown


@pytest.mark.parametrize(
    ("batching", "train_state", "bidirectional", "valid_state"),
    [("seq", "carried", False, "carried"), ("random", "zero", True, "zero")],
)
def test_the_state_rule_of_each_part_is_named(
    batching: str, train_state: str, valid_state: str, *, bidirectional: bool
) -> None:
    batches = make_batches(TEXT, Vocab.from_corpus(TEXT), BatchConfig(batching, 2, 5))
    model = ModelConfig(num_hiddens=4, bidirectional=bidirectional)
    found = report_run(train(batches, model, TrainConfig(epochs=1, device="cpu")))
    assert found.train is not None
    assert found.valid is not None
    assert (found.train.score.state, found.valid.score.state) == (train_state, valid_state)


def test_a_run_on_bare_indices_has_neither_words_nor_unknown_tokens() -> None:
    batches = Batches([1, 2, 3] * 20, BatchConfig("seq", 2, 5), valid=[1, 2, 3, 1])
    found = report_run(train(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1)))
    assert found.valid is not None
    assert found.valid.word_perplexity is None
    assert found.valid.unk_share is None
    assert "bits per token: exp of the mean over all 3 predicted tokens" in repr(found)
    assert "<unk>" not in repr(found)


def test_an_exploded_run_has_a_perplexity_per_word_beyond_all_floats(chars: Run) -> None:
    bits = [*chars.history.valid_bits[:-1], 700.0]
    found = report_run(replace(chars, history=replace(chars.history, valid_bits=bits))).valid
    assert found is not None
    assert found.word_perplexity == math.inf
    assert ", inf per word" in found.numbers
