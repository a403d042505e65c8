"""Documents: a corpus of separate texts, cut, split and numbered."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import BOS, DOCUMENTS, EOS
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.read_as import TextReading, corpus_as
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

NAMES = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "charlotte", "amelia"]
LINES = CorpusConfig(documents="line", valid=0.3)
names = st.lists(st.text("abc .\u00e9\U0001f600", min_size=1), min_size=2, max_size=12)


def test_each_line_is_a_document() -> None:
    corpus = Corpus.from_text("emma\n\n  \nolivia\nava\n", LINES, name="n")
    assert corpus.documents == ["emma", "olivia", "ava"]
    assert corpus.tokens() == [BOS, *"emma", BOS, *"olivia", BOS, *"ava", BOS]
    assert len(corpus) == 13
    assert repr(corpus) == "Corpus('n', 3 documents, 13 characters, 30% held out)"
    assert corpus.beginning(8) == "emma\noli"


def test_documents_lie_between_empty_lines() -> None:
    text = "\n\none\ntwo\n \n\t\nthree\n\n\n\nfour\n"
    corpus = Corpus.from_text(text, CorpusConfig(documents="blank"))
    assert corpus.documents == ["one\ntwo", "three", "four"]


def test_files_and_records_are_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text("three\n\nfour")
    files = Corpus.load(tmp_path, CorpusConfig(documents="file"))
    assert files.documents == ["one\ntwo", "three\n\nfour"]
    lines = Corpus.load(tmp_path, CorpusConfig(documents="line"))
    assert lines.documents == ["one", "two", "three", "four"]
    chats = tmp_path / "chats.jsonl"
    chats.write_text("\n".join(json.dumps({"a": 1, "b": text}) for text in ("x\ny", "", "z")))
    records = CorpusConfig(documents="record")
    assert Corpus.load(chats, records, files=FileConfig(field="b")).documents == ["x\ny", "z"]
    table = tmp_path / "table.csv"
    table.write_text('name,age\n"Ann, or\nAnna",3\nBob,4\n')
    found = Corpus.load(table, records, files=FileConfig(field="name"))
    assert found.documents == ["Ann, or\nAnna", "Bob"]
    rows = [{"text": "x\ny"}, {"text": "z"}]
    assert Corpus.from_data(rows, records).documents == ["x\ny", "z"]
    assert Corpus.from_data(["x\ny", "z\n"], records).documents == ["x\ny", "z"]
    assert Corpus.from_data(["x\ny", "z"], CorpusConfig(documents="line")).documents == [*"xyz"]


def test_large_files_are_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    monkeypatch.setattr("rnn_magics.text.reading.sources.STREAM_BYTES", 8)
    plain = Corpus.load(tmp_path / "names.txt", CorpusConfig(valid=0.3))
    assert plain.on_disk
    corpus = Corpus.load(tmp_path / "names.txt", LINES)
    assert corpus.documents == NAMES
    assert plain.read_as(LINES).documents == NAMES


def test_each_document_is_cleaned_by_itself() -> None:
    text = "Emma 3!\n?!\nO'Live\u00e9\n"
    assert Corpus.from_text(text, CorpusConfig(documents="line", d2l=True)).documents == [
        "emma",
        "o live",
    ]
    letters = CorpusConfig(documents="line", letters_only=True, lower=True)
    assert Corpus.from_text(text, letters).documents == ["emma", "o live\u00e9"]
    assert Corpus.from_text("ABC\nD\u00c9\n", CorpusConfig(documents="line", d2l=True)).losses


@given(names, st.floats(0, 0.95), st.sampled_from(["char", "word"]), st.integers(0, 3))
def test_a_document_is_never_cut(documents: list[str], valid: float, token: str, seed: int) -> None:
    kept = [each for each in documents if each.strip()]
    config = CorpusConfig(documents="line", valid=valid, seed=seed or None)
    try:
        corpus = Corpus.from_text("\n".join(documents), config)
        vocab = Vocab.from_corpus(corpus, VocabConfig(token))
    except CorpusError:
        assert valid or len("".join(kept)) < 2
        return
    assert sorted(corpus.documents) == sorted(kept)
    if not seed:
        assert corpus.documents == kept
    encoded = encode_corpus(corpus, vocab)
    assert vocab.to_tokens(encoded.train.tolist())[-1] == BOS
    train, held_out = (_documents(ids, vocab) for ids in (encoded.train, encoded.valid))
    known = [vocab.to_tokens(vocab[vocab.split(each)]) for each in corpus.documents]
    assert train + held_out == known
    assert [*map(vocab.split, corpus.documents)] == _apart(corpus.tokens(token))
    # Held out is what begins in the last share of the characters.
    begins = np.cumsum([0, *map(len, corpus.documents)])
    assert len(train) == sum(begins[:-1] < (1 - corpus.held_out_share) * begins[-1])


def _apart(tokens: list[str]) -> list[list[str]]:
    marks = [place for place, token in enumerate(tokens) if token == BOS]
    return [tokens[a + 1 : b] for a, b in pairwise(marks)]


def _documents(ids: np.ndarray, vocab: Vocab) -> list[list[str]]:
    marks = np.flatnonzero(ids == vocab.marks.begin) if vocab.marks else []
    return [vocab.to_tokens(ids[a + 1 : b].tolist()) for a, b in pairwise(marks)]


def test_the_split_is_the_same_for_every_tokenizer() -> None:
    text = "\n".join(f"{'a' * n} b" for n in range(1, 40))
    corpus = Corpus.from_text(text, LINES)
    counts = set()
    for token in ("char", "word"):
        vocab = Vocab.from_corpus(corpus, VocabConfig(token))
        counts.add(len(_documents(encode_corpus(corpus, vocab).train, vocab)))
    assert len(counts) == 1


def test_a_seed_shuffles_the_documents() -> None:
    orders = {
        seed: Corpus.from_text("\n".join(NAMES), CorpusConfig(documents="line", seed=seed))
        for seed in (None, 1, 2)
    }
    assert orders[None].documents == NAMES
    assert len({*(tuple(each.documents) for each in orders.values())}) == 3
    assert len({each.fingerprint for each in orders.values()}) == 3
    again = Corpus.from_text("\n".join(NAMES), CorpusConfig(documents="line", seed=1))
    assert again.documents == orders[1].documents


def test_the_marks_are_reserved() -> None:
    corpus = Corpus.from_text("\n".join(NAMES), LINES)
    vocab = Vocab.from_corpus(corpus, VocabConfig(reserved=("ia",)))
    assert vocab.to_tokens([0, 1, 2, 3]) == ["<unk>", BOS, EOS, "ia"]
    assert vocab.marks is not None
    assert (vocab.marks.begin, vocab.marks.end) == (1, 2)
    assert dict(vocab.token_freqs)[BOS] == len(
        _documents(encode_corpus(corpus, vocab).train, vocab)
    )
    assert Vocab.from_json(vocab.to_json()) == vocab
    assert Vocab.from_json(vocab.to_json()).marks == vocab.marks
    # A text in which the user reserved the same tokens is still one text.
    plain = Corpus.from_text(f"{BOS}emma{EOS}{BOS}ava{EOS}")
    own = Vocab.from_corpus(plain, VocabConfig(reserved=(BOS, EOS)))
    assert own.marks is None
    assert own != vocab
    assert Vocab.from_json(own.to_json()).marks is None


def test_the_first_documents_are_kept_whole() -> None:
    text = "\n".join(NAMES)
    config = CorpusConfig(documents="line", max_tokens=17, valid=0.4)
    corpus = Corpus.from_text(text, config)
    assert corpus.tokens() == [BOS, *"emma", BOS, *"olivia", BOS, *"ava", BOS]
    assert corpus.tokens("word") == [token for name in NAMES for token in (BOS, name)] + [BOS]
    vocab = Vocab.from_corpus(corpus)
    encoded = encode_corpus(corpus, vocab)
    assert len(_documents(encoded.train, vocab)) == 2
    assert len(_documents(encoded.valid, vocab)) == 1
    short = Corpus.from_text(text, CorpusConfig(documents="line", max_tokens=4))
    with pytest.raises(CorpusError, match="first document of 'text' has 6 tokens"):
        Vocab.from_corpus(short)


@pytest.mark.parametrize(
    ("text", "config", "message"),
    [
        ("only one\n", CorpusConfig(documents="line"), "'text' is one document"),
        ("one\ntwo\n", CorpusConfig(documents="blank"), "what is between empty lines is one"),
        ("a\n" + "b" * 5000, LINES, "every document of 'text' is in its training part"),
        ("\n \n", LINES, "'text' has no characters after cleaning"),
        ("a\nb<eos>\n", LINES, "document 2 of 'text' has <eos> in its text"),
        ("a\nb\n", CorpusConfig(documents="file"), "does not show where a file ends"),
        ("a\nb\n", CorpusConfig(documents="record"), "does not show where a record ends"),
    ],
)
def test_a_text_that_is_no_documents_gets_one_line(
    text: str, config: CorpusConfig, message: str
) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        Corpus.from_text(text, config)
    assert "\n" not in str(caught.value)


def test_without_records_there_are_no_such_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\nb\n")
    with pytest.raises(CorpusError, match="'a' has no records"):
        Corpus.load(tmp_path / "a.txt", CorpusConfig(documents="record"))
    with pytest.raises(CorpusError, match="documents are texts; leave out --documents"):
        Corpus.from_tokens([1, 2, 3], LINES)


def test_a_single_document_is_read_where_nothing_is_held_out() -> None:
    corpus = Corpus.from_text("one\n", CorpusConfig(documents="line", valid=0.0))
    assert corpus.documents == ["one"]


@pytest.mark.parametrize("kind", ["line", "blank"])
def test_a_run_reads_another_text_as_its_own(kind: str) -> None:
    cleaning = CorpusConfig(documents=kind, lower=True, seed=3)
    reading = TextReading(cleaning)
    assert str(reading) == f"--lower --documents {kind}"
    other = Corpus.from_text("One\n\nTwo\n", CorpusConfig(valid=0.5), name="n")
    read = corpus_as(reading, other)
    assert sorted(read.documents) == ["one", "two"]
    assert read.config.valid == 0.5
    # Documents stay documents, in their order; a run of one text reads them as lines.
    mine = Corpus.from_text("One\nTwo\nThree", CorpusConfig(documents="line", valid=0.5))
    assert corpus_as(reading, mine).documents == ["one", "two", "three"]
    plain = corpus_as(TextReading(CorpusConfig(lower=True)), mine)
    assert plain.data == "one\ntwo\nthree"
    assert plain.documents == []


def test_every_kind_says_what_a_document_is() -> None:
    assert {*DOCUMENTS} == {"line", "blank", "file", "record"}
