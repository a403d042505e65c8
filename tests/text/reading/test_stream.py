"""A text on disk is the same corpus as a text in memory, and bad input is one line."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import CorpusError
from rnn_magics.scores.ladder import fit_ladder
from rnn_magics.text import statistics
from rnn_magics.text.cleaning import CorpusConfig, clean, clean_pieces
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.formats import packed
from rnn_magics.text.indexing import cache, numbering
from rnn_magics.text.reading import sources, stream
from rnn_magics.text.reading.encoding import decode, decoded
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.statistics import text_statistics
from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus
from tests.text.indexing.test_numbering import texts

LINES = "Don't stop, it's the  3rd\nΤΕΛΟΣ ΟΔΥΣΣΕΥΣ!\r\n我爱北京。\n\n" * 30


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every file is a large one, its pieces are small, and the cache is here."""
    monkeypatch.setattr(sources, "STREAM_BYTES", 0)
    monkeypatch.setattr(packed, "BLOCK_BYTES", 41)
    monkeypatch.setattr(stream, "PIECE", 17)
    monkeypatch.setattr(numbering, "PIECE", 23)
    monkeypatch.setattr(cache, "_BLOCK_BYTES", 64)
    monkeypatch.setattr("rnn_magics.text.indexing.on_disk.cache_folder", lambda: tmp_path / "cache")
    return tmp_path


class Pair(NamedTuple):
    """The same text, on disk and in memory."""

    path: Path
    on_disk: Corpus
    in_memory: Corpus

    @property
    def cached(self) -> list[Path]:
        return sorted(self.path.parent.glob("cache/indices/*"))


@pytest.fixture
def pair(folder: Path) -> Pair:
    return made(folder, CorpusConfig(valid=0.2))


def made(folder: Path, config: CorpusConfig, text: str = LINES) -> Pair:
    path = folder / "large.txt"
    path.write_bytes(text.encode())
    on_disk = Corpus.load(str(path), config)
    assert isinstance(on_disk.data, StreamedText)
    in_memory = Corpus.from_text(decode(path.read_bytes(), None, "x"), config, name="large")
    return Pair(path, on_disk, in_memory)


def encode_both(pair: Pair, config: VocabConfig) -> Iterator[Any]:
    for corpus in (pair.on_disk, pair.in_memory):
        vocab = Vocab.from_corpus(corpus, config)
        yield vocab, encode_corpus(corpus, vocab)


def assert_same(pair: Pair, config: VocabConfig) -> tuple[str, ...]:
    """Hold both corpora together; returns what there is to know of the files of indices."""
    (vocab, encoded), (plain_vocab, plain) = encode_both(pair, config)
    assert (vocab, vocab.token_freqs) == (plain_vocab, plain_vocab.token_freqs)
    assert (encoded.train.dtype, encoded.valid.dtype) == (plain.train.dtype, plain.valid.dtype)
    assert encoded.train.tolist() == plain.train.tolist()
    assert encoded.valid.tolist() == plain.valid.tolist()
    assert encoded.train_unk_share == plain.train_unk_share
    assert isinstance(encoded.train, np.memmap)
    assert not encoded.train.flags.writeable
    assert plain.notes == ()
    return encoded.notes


@pytest.mark.parametrize("token", ["char", "word"])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"lower": True},
        {"letters_only": True},
        {"letters_only": True, "lower": True, "max_tokens": 90},
        {"d2l": True},
        {"d2l": True, "max_tokens": 7},
        {"max_tokens": 100_000},
    ],
)
def test_a_text_on_disk_is_the_same_corpus(
    folder: Path, token: str, config: dict[str, Any]
) -> None:
    pair = made(folder, CorpusConfig(valid=0.2, **config))
    assert len(pair.on_disk) == len(pair.in_memory)
    assert pair.on_disk.fingerprint == pair.in_memory.fingerprint
    assert pair.on_disk.beginning(200) == pair.in_memory.beginning(200)
    assert pair.on_disk.tokens(token) == pair.in_memory.tokens(token)
    assert assert_same(pair, VocabConfig(token=token, min_freq=2, reserved=("<pad>",))) == ()
    assert assert_same(pair, VocabConfig(token=token)) == ()


def test_the_type_of_indices_grows_with_their_number(folder: Path) -> None:
    characters = [chr(0x4E00 + i) for i in range(700)] * 2
    pair = made(folder, CorpusConfig(valid=0.2), "a" * 900 + " ".join(characters))
    assert_same(pair, VocabConfig())
    assert pair.on_disk.numbered().types() == list(dict.fromkeys(pair.in_memory.tokens()))


@pytest.mark.parametrize("token", ["char", "word"])
@pytest.mark.parametrize("batching", ["seq", "random"])
def test_minibatches_of_a_text_on_disk_are_the_same(pair: Pair, token: str, batching: str) -> None:
    config = BatchConfig(batching, 4, 5)
    both = [
        make_batches(corpus, Vocab.from_corpus(corpus, VocabConfig(token=token)), config)
        for corpus in (pair.on_disk, pair.in_memory)
    ]
    for (X, Y), (plain_X, plain_Y) in zip(*both, strict=True):
        assert torch.equal(X, plain_X)
        assert torch.equal(Y, plain_Y)
    assert torch.equal(both[0].valid, both[1].valid)


def test_several_sources_are_joined_by_a_line_end(folder: Path) -> None:
    (folder / "one.txt").write_text("one")
    (folder / "two.txt").write_text("two\n")
    corpus = Corpus.load([str(folder / "one.txt"), str(folder / "two.txt"), "python_docs"])
    assert "".join(corpus.tokens("char")[:8]) == "one\ntwo\n"
    assert corpus.name == "one+two+python_docs"


def test_a_small_file_is_held_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "small.txt"
    path.write_text("abc")
    monkeypatch.setattr(sources, "STREAM_BYTES", 3)
    assert Corpus.load(str(path)).data == "abc"
    monkeypatch.setattr(sources, "STREAM_BYTES", 2)
    corpus = Corpus.load(str(path))
    assert corpus.on_disk
    assert repr(corpus) == "Corpus('small', 3 characters on disk, nothing held out)"


def test_a_large_file_of_which_nothing_is_left_is_refused(folder: Path) -> None:
    path = folder / "digits.txt"
    path.write_text("1" * 90)
    with pytest.raises(CorpusError, match="'digits' has no characters after cleaning"):
        Corpus.load(str(path), CorpusConfig(letters_only=True))


def test_what_is_cached_is_not_made_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    config = VocabConfig(token="word")
    assert_same(pair, config)
    before = [(path, path.stat().st_mtime_ns) for path in pair.cached]
    assert len(before) == 4  # the numbers and the indices, and what they are
    monkeypatch.setattr(StreamedText, "pieces", None)
    again = Corpus.load(str(pair.path), pair.on_disk.config)
    assert_same(Pair(pair.path, again, pair.in_memory), config)
    assert [(path, path.stat().st_mtime_ns) for path in pair.cached] == before


def test_only_the_indices_of_the_newest_vocabulary_are_kept(pair: Pair) -> None:
    for min_freq in (1, 40, 90):
        assert_same(pair, VocabConfig(min_freq=min_freq))
        assert len(pair.cached) == 4
    assert_same(pair, VocabConfig(token="word"))
    assert len(pair.cached) == 8


def test_a_file_that_changed_is_read_anew_and_its_old_indices_go(pair: Pair) -> None:
    assert_same(pair, VocabConfig())
    old = set(pair.cached)
    other = made(pair.path.parent, pair.on_disk.config, LINES * 2)
    assert_same(other, VocabConfig())
    assert len(other.cached) == 4
    assert not old & set(other.cached)


def test_a_file_that_changed_since_it_was_read_is_refused(pair: Pair) -> None:
    pair.path.write_text("other")
    with pytest.raises(CorpusError, match="has changed since it was read; type %corpus again"):
        Vocab.from_corpus(pair.on_disk)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def no_json(path: Path) -> None:
    path.with_suffix(".json").write_text('{"dtype": ')


def other_json(path: Path) -> None:
    path.with_suffix(".json").write_text("[1]")


def other_type(path: Path) -> None:
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps({**json.loads(beside.read_text()), "dtype": "int8"}))


def other_token(path: Path) -> None:
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps({**json.loads(beside.read_text()), "types": ["z"]}))


@pytest.mark.parametrize("damage", [cut_short, flip, no_json, other_json, other_type, other_token])
def test_a_damaged_cache_is_made_anew_and_said_once(
    pair: Pair, damage: Callable[[Path], None]
) -> None:
    assert_same(pair, VocabConfig())
    for path in pair.cached:
        if path.suffix == ".ids":
            damage(path)
    again = Pair(pair.path, Corpus.load(str(pair.path), pair.on_disk.config), pair.in_memory)
    line = "the cached indices of 'large' were damaged and have been rebuilt"
    assert assert_same(again, VocabConfig()) == (line,)  # of two files, but one line says all
    assert assert_same(again, VocabConfig()) == (line,)
    third = Pair(pair.path, Corpus.load(str(pair.path), pair.on_disk.config), pair.in_memory)
    assert assert_same(third, VocabConfig()) == ()


def test_indices_without_their_description_are_made_anew(pair: Pair) -> None:
    assert_same(pair, VocabConfig())
    for path in pair.cached:
        if path.suffix == ".json":
            path.unlink()
    again = Corpus.load(str(pair.path), pair.on_disk.config)
    assert assert_same(Pair(pair.path, again, pair.in_memory), VocabConfig()) == ()


def test_too_little_room_is_said_before_anything_is_written(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(pair.path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CorpusError) as caught:
        Vocab.from_corpus(pair.on_disk)
    assert re.fullmatch(
        r"the token indices of 'large' need about 0\.0 MB in '.*indices', but only 0\.0 MB are"
        r" free; make room there, or keep fewer tokens with --max-tokens N",
        str(caught.value),
    )
    assert pair.cached == []


class FullDisk:
    """A file on a disk that has room for a few writes."""

    def __init__(self, file: Any, writes: int) -> None:
        self._file, self._left = file, writes
        self.name = file.name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self._file.write(data))


@pytest.mark.parametrize("writes", [0, 3])
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    pair: Pair, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_file = cache.IndexWriter._new_file
    with monkeypatch.context() as patch:
        patch.setattr(cache.IndexWriter, "_new_file", lambda w: FullDisk(new_file(w), writes))
        with pytest.raises(CorpusError, match=r"indices of 'large' need about .* MB are free"):
            Vocab.from_corpus(pair.on_disk)
    assert pair.cached == []
    assert_same(pair, VocabConfig())


def test_an_interrupt_leaves_nothing_half_written(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: StreamedText) -> Iterator[str]:
        yield self.beginning
        raise KeyboardInterrupt

    monkeypatch.setattr(StreamedText, "pieces", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Vocab.from_corpus(pair.on_disk)
    assert pair.cached == []


def test_a_cache_that_cannot_be_written_is_said(pair: Pair) -> None:
    (pair.path.parent / "cache").write_text("a file where a folder should be")
    with pytest.raises(CorpusError, match="the token indices of 'large' cannot be written to"):
        Vocab.from_corpus(pair.on_disk)


def test_more_tokens_than_a_list_should_have(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_magics.text.indexing.on_disk._LISTED", 50)
    with pytest.raises(CorpusError, match=r"tokens, too many for a list; .* --max-tokens 50"):
        pair.on_disk.tokens()


def test_more_tokens_than_can_be_counted(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MAX_COUNTED", 50)
    said = r"training tokens, too many to count n-grams in memory; keep at most 50"
    with pytest.raises(CorpusError, match=said):
        text_statistics(pair.on_disk)
    with pytest.raises(CorpusError, match=said):
        fit_ladder(pair.on_disk, Vocab.from_corpus(pair.on_disk))


def test_a_tokenizer_must_say_where_it_may_be_cut(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TOKENIZERS, "own", Tokenizer(str.split, max, "own"))
    with pytest.raises(
        CorpusError, match=r"where tokenizer 'own' may cut a text: Tokenizer\(\.\.\., breaks="
    ):
        pair.on_disk.numbered("own")
    monkeypatch.setitem(TOKENIZERS, "own", Tokenizer(str.split, max, "own", breaks="\n "))
    assert_same(pair, VocabConfig(token="own"))
    # Under the same name it may be another function tomorrow: nothing old is taken for it.
    monkeypatch.setitem(TOKENIZERS, "own", Tokenizer(str.splitlines, max, "own", breaks="\n"))
    assert_same(pair, VocabConfig(token="own"))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"caf\xe9 au lait" * 9, None),
        (b"\xef\xbb\xbfabc" + b"d" * 50 + b"\xff", None),
        ("é".encode() * 60 + b"\xc3", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00" + b"\x00" * 90, None),
        (b"a" * 60 + b"\x00", None),
        (b"a" * 60, "klingon"),
        ("我爱".encode("gb18030") * 30 + b"\xff", "gb18030"),
        (b"\xff\xfea\x00b", None),
    ],
)
def test_a_large_file_that_is_no_text_is_refused_as_a_small_one(
    folder: Path, data: bytes, encoding: str | None
) -> None:
    path = folder / "odd.txt"
    path.write_bytes(data)
    with pytest.raises(CorpusError) as whole:
        decode(data, encoding, str(path))
    with pytest.raises(CorpusError) as by_block:
        Corpus.load(str(path), encoding=encoding)
    assert str(by_block.value) == str(whole.value)


@given(
    text=st.text(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030"]),
    size=st.integers(4, 9),
    named=st.booleans(),
)
def test_bytes_in_blocks_are_the_same_text(
    *, text: str, encoding: str, size: int, named: bool
) -> None:
    text = text.replace("\0", "").lstrip("\ufeff")
    data = text.encode(encoding, "ignore")
    text = data.decode(encoding)
    marked = encoding in ("utf-8-sig", "utf-16", "utf-32")
    said = encoding if named or not marked else None
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(decoded(blocks, said, "x")) == decode(data, said, "x") == expected


@given(
    text=texts | st.text("aΣσ ΑΒ\n\u0301'.:1。İ"),
    size=st.integers(1, 9),
    lower=st.booleans(),
    letters_only=st.booleans(),
    d2l=st.booleans(),
)
def test_a_text_cleaned_in_pieces_is_the_same(
    *, text: str, size: int, lower: bool, letters_only: bool, d2l: bool
) -> None:
    config = CorpusConfig(lower=lower, letters_only=letters_only, d2l=d2l)
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert "".join(clean_pieces(pieces, config)) == clean(text, config)
