"""The test part: the end of a text, which nothing else sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.scores.ladder import fit_ladder
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import BOS, documents_in
from rnn_magics.text.formats import packed
from rnn_magics.text.indexing import on_disk
from rnn_magics.text.reading import sources
from rnn_magics.text.series.levels import Levels, LevelsConfig, Series
from rnn_magics.text.series.read import read_series, with_levels
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

TEXT = "the time traveller was expounding a matter to us\n" * 40
THREE = CorpusConfig(valid=0.2, test=0.1)
SIZE = BatchConfig(batch_size=2, num_steps=4)


def parts(corpus: Corpus, token: str = "char") -> tuple[list[str], list[str], list[str]]:
    assert corpus.test is not None
    return (*corpus.split(token), corpus.test.tokens(token))


def with_another_end(text: str, mark: str) -> str:
    end = len(text) // 10
    return text[:-end] + mark * end


def test_a_text_has_three_parts_in_order() -> None:
    train, valid, test = parts(Corpus.from_text(TEXT, THREE))
    assert "".join([*train, *valid, *test]) == TEXT
    assert len(test) == len(TEXT) // 10
    assert len(valid) == int((len(TEXT) - len(test)) * 0.2)


@pytest.mark.parametrize("token", ["char", "word", "byte", "grapheme"])
def test_the_end_is_in_no_other_part_whatever_the_tokens(token: str) -> None:
    one, other = Corpus.from_text(TEXT, THREE), Corpus.from_text(with_another_end(TEXT, "X"), THREE)
    assert parts(one, token)[:2] == parts(other, token)[:2]
    assert parts(one, token)[2] != parts(other, token)[2]
    config = VocabConfig(token=token, min_freq=1)
    vocab = Vocab.from_corpus(one, config)
    assert vocab == Vocab.from_corpus(other, config)
    assert one.fingerprint == other.fingerprint
    batches = make_batches(one, vocab, SIZE)
    assert len(batches.test) == len(parts(one, token)[2])
    without = make_batches(replace(one, test=None), vocab, SIZE)
    assert batches.ids.equal(without.ids)
    assert batches.valid.equal(without.valid)


def test_what_occurs_in_the_test_part_alone_is_unknown() -> None:
    corpus = Corpus.from_text("ab" * 100 + "c" * 30, CorpusConfig(valid=0.1, test=0.1))
    vocab = Vocab.from_corpus(corpus)
    assert "c" not in [token for token, _ in vocab.token_freqs]
    assert make_batches(corpus, vocab, SIZE).test.tolist() == [vocab.unk] * 23


def test_the_baselines_never_see_it() -> None:
    found = []
    for text in (TEXT, with_another_end(TEXT, "t")):
        corpus = Corpus.from_text(text, THREE)
        found.append(fit_ladder(corpus, Vocab.from_corpus(corpus)))
    assert found[0].to_dict() == found[1].to_dict()


def test_documents_have_three_parts_and_none_is_cut() -> None:
    names = [f"name {number}{'x' * (number % 7)}" for number in range(60)]
    config = CorpusConfig(valid=0.2, test=0.1, documents="line")
    corpus = Corpus.from_text("\n".join(names), config)
    assert corpus.test is not None
    rest, test = corpus.documents, corpus.test.documents
    assert [*rest, *test] == names
    assert 4 <= len(test) <= 8
    train, valid, tested = parts(corpus)
    assert tested[0] == tested[-1] == BOS
    assert documents_in("".join(train)) + documents_in("".join(valid)) == rest
    vocab = Vocab.from_corpus(corpus)
    assert vocab.marks is not None
    assert int(make_batches(corpus, vocab, SIZE).test[0]) == vocab.marks.begin


def test_given_tokens_have_three_parts() -> None:
    corpus = Corpus.from_tokens(list(range(100)), CorpusConfig(valid=0.1, test=0.2))
    assert corpus.test is not None
    assert corpus.test.tokens() == list(range(80, 100))
    assert corpus.split() == (list(range(72)), list(range(72, 80)))


def test_a_series_is_cut_into_levels_by_its_training_part() -> None:
    values = np.sin(np.arange(300) / 5)
    wild = values.copy()
    wild[-30:] *= 1000
    config = CorpusConfig(valid=0.1, test=0.1)
    one, other = (read_series(v, LevelsConfig(levels=8), config) for v in (values, wild))
    for corpus, given in ((one, values), (other, wild)):
        series, test = corpus.behind, corpus.test
        assert isinstance(series, Series)
        assert test is not None
        assert isinstance(test.behind, Series)
        assert np.array_equal(series.values, given[:270])
        assert np.array_equal(test.behind.values, given[270:])
        assert test.behind.levels == series.levels
    assert one.behind.levels == other.behind.levels  # type: ignore[union-attr]
    assert one.data == other.data
    levels = Levels.fit(values, 4, "uniform", "x")
    again = with_levels(one, levels)
    assert again.test is not None
    assert (len(again), len(again.test)) == (270, 30)
    assert isinstance(again.test.behind, Series)
    assert again.test.behind.levels == levels


def test_a_largest_number_of_tokens_holds_for_it_as_well() -> None:
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.1, test=0.1, max_tokens=200))
    assert corpus.test is not None
    assert "".join(corpus.tokens()) == TEXT[:200]
    assert "".join(corpus.test.tokens()) == TEXT[-(len(TEXT) // 10) :][:20]


def test_it_is_read_as_the_text_is() -> None:
    corpus = Corpus.from_text(TEXT.upper(), THREE)
    read = corpus.read_as(CorpusConfig(lower=True))
    assert read.test is not None
    assert corpus.test is not None
    assert read.test.data == str(corpus.test.data).lower()
    assert read.test.is_test
    assert read.config.test == 0.1


def test_a_file_is_parted_as_well(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    loaded, made = Corpus.load(path, THREE), Corpus.from_text(TEXT, THREE)
    assert loaded.data == made.data
    assert loaded.test is not None
    assert made.test is not None
    assert loaded.test.data == made.test.data


@pytest.mark.parametrize("token", ["char", "word", "byte", "grapheme"])
@pytest.mark.parametrize(
    "config", [THREE, replace(THREE, d2l=True), replace(THREE, lower=True, max_tokens=300)]
)
def test_a_text_on_disk_is_parted_as_one_in_memory(
    token: str, config: CorpusConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(TEXT.encode())
    monkeypatch.setattr(sources, "STREAM_BYTES", 0)
    monkeypatch.setattr(packed, "BLOCK_BYTES", 41)
    monkeypatch.setattr(on_disk, "cache_folder", lambda: tmp_path / "cache")
    streamed, made = Corpus.load(path, config), Corpus.from_text(TEXT, config)
    assert streamed.on_disk
    assert streamed.test is not None
    assert made.test is not None
    assert parts(streamed, token) == parts(made, token)
    assert streamed.fingerprint == made.fingerprint
    assert streamed.test.fingerprint == made.test.fingerprint
    vocab = Vocab.from_corpus(streamed, VocabConfig(token=token))
    assert vocab == Vocab.from_corpus(made, VocabConfig(token=token))
    mapped, kept = make_batches(streamed, vocab, SIZE), make_batches(made, vocab, SIZE)
    for one, other in (
        (mapped.ids, kept.ids),
        (mapped.valid, kept.valid),
        (mapped.test, kept.test),
    ):
        assert one.equal(other)
    again = Corpus.load(path, config)  # its indices are on disk now, those of each part apart
    assert make_batches(again, vocab, SIZE).test.equal(mapped.test)


def test_a_text_on_disk_with_a_test_part_is_not_cleaned_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(TEXT.encode())
    monkeypatch.setattr(sources, "STREAM_BYTES", 0)
    streamed = Corpus.load(path, THREE)
    assert streamed.read_as(CorpusConfig()) is streamed  # as it is
    with pytest.raises(
        CorpusError, match=r"^'large' is on disk and has a test part, so it [^\n]+$"
    ):
        streamed.read_as(CorpusConfig(lower=True))
    assert Corpus.load(path).read_as(CorpusConfig(lower=True)).config.lower


@pytest.mark.parametrize(
    ("text", "config"),
    [("abcdefgh", CorpusConfig(valid=0, test=0.1)), ("abc", CorpusConfig(valid=0, test=0.7))],
)
def test_a_part_that_is_too_short_is_refused(text: str, config: CorpusConfig) -> None:
    with pytest.raises(CorpusError, match=r"^--test leaves \d of 'text' to train on and \d to"):
        Corpus.from_text(text, config)


def test_documents_that_do_not_begin_in_it_are_refused() -> None:
    config = CorpusConfig(valid=0, test=0.1, documents="line")
    with pytest.raises(CorpusError, match=r"^--test leaves 2 of 'text' to train on and 0 to test"):
        Corpus.from_text(f"one\n{'two' * 50}", config)


def test_a_task_has_none() -> None:
    with pytest.raises(ConfigError, match="a made-up task never ends"):
        task_corpus("copy", config=CorpusConfig(test=0.1))


def test_bare_indices_may_have_one() -> None:
    batches = Batches(torch.arange(100) % 5, SIZE, test=[7, 1, 2])
    assert batches.vocab_size == 8
    assert batches.test.tolist() == [7, 1, 2]
    assert len(batches.to(torch.device("cpu")).test) == 3


def test_without_one_nothing_changes() -> None:
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.2))
    assert corpus.test is None
    encoded = encode_corpus(corpus, Vocab.from_corpus(corpus))
    assert len(encoded.train) + len(encoded.valid) == len(TEXT)
    assert "set aside" not in repr(corpus)
    assert "196 more set aside to test on" in repr(Corpus.from_text(TEXT, THREE))
