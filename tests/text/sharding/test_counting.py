"""A text that workers have counted is the text that one process counts."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing import numbering
from rnn_magics.text.reading.progress import ReadingProgress, Watch
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.sharding import counting, stretches
from rnn_magics.text.sharding.counting import count_shards
from rnn_magics.text.sharding.executors import Executor, Here, Processes
from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus, numbered_as
from tests.text.indexing.test_numbering import SNIPPETS

LINES = "Don't stop, it's the  3rd\nΤΕΛΟΣ ΟΔΥΣΣΕΥΣ!\r\n\n123\n\nplain words, again\n" * 30


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every few bytes may be a shard."""
    monkeypatch.setattr(stretches, "_LEAST_BYTES", 1)
    monkeypatch.setattr(numbering, "PIECE", 23)


def count_vocab(
    corpus: Corpus,
    config: VocabConfig | None = None,
    *,
    executor: Executor,
    workers: int = 2,
    watch: Watch | None = None,
) -> Vocab:
    return count_shards(corpus, config or VocabConfig(), executor, workers, watch)


class Shuffled:
    """Works on the items in another order, and on each as if it had come from elsewhere."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        copies = [pickle.loads(pickle.dumps(item)) for item in items]
        found = {place: function(copies[place]) for place in reversed(range(len(items)))}
        return iter([pickle.loads(pickle.dumps(found[place])) for place in range(len(items))])


def written(folder: Path, texts: Sequence[str], encoding: str = "utf-8") -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text.encode(encoding))
    return [str(path) for path in paths]


def assert_counted_alike(
    folder: Path,
    paths: list[str],
    config: CorpusConfig,
    how: VocabConfig,
    workers: int,
    **read: Any,
) -> None:
    """Hold the vocabulary, the indices and their files together, of the test part, too."""
    alone = Corpus.load(paths, config, storage=folder / "alone", **read)
    shared = Corpus.load(paths, config, storage=folder / "shared", **read)
    assert isinstance(shared.data, StreamedText)
    for one, many in [(alone, shared), (alone.test, shared.test)]:
        if one is None or many is None:
            continue
        vocab = Vocab.from_corpus(one, how)
        found = count_vocab(many, how, workers=workers, executor=Shuffled())
        assert (found, found.token_freqs) == (vocab, vocab.token_freqs)
        assert numbered_as(many, found).checksum == numbered_as(one, vocab).checksum
        encoded, plainly = encode_corpus(many, found), encode_corpus(one, vocab)
        assert encoded.train.tolist() == plainly.train.tolist()
        assert encoded.valid.tolist() == plainly.valid.tolist()
        assert encoded.notes == ()
    left = sorted(path.name for path in (folder / "shared").iterdir())
    assert left == sorted(path.name for path in (folder / "alone").iterdir())


@pytest.mark.parametrize("token", ["char", "word", "byte", "grapheme", "bpe"])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"lower": True, "valid": 0.0},
        {"letters_only": True, "lower": True},
        {"d2l": True},
        {"d2l": True, "test": 0.3},
        {"test": 0.2},
        {"letters_only": True, "test": 0.4, "valid": 0.5},
    ],
)
def test_workers_count_what_one_process_counts(
    tmp_path: Path, token: str, config: dict[str, Any]
) -> None:
    if token in ("grapheme", "bpe") and config.get("letters_only"):
        pytest.skip("no line ends are left to cut at")
    paths = written(tmp_path / "texts", [LINES, "1 2 3", "", "Rückwärts\n" * 90])
    size = 300 if token == "bpe" else None
    how = VocabConfig(token=token, max_size=size, reserved=("<pad>", "stop"))
    assert_counted_alike(tmp_path, paths, CorpusConfig(**{"valid": 0.2, **config}), how, 3)


texts = st.lists(
    st.sampled_from([each for each in SNIPPETS if "\0" not in each and each.isprintable()] + ["\n"])
    | st.sampled_from(["\r\n", "\r", "\n\n", "\ufeff", "a b\n", "1\n", "Σ\n"]),
    max_size=30,
).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@example(
    several=["1\n2\n", "a\n", "3"], workers=5, token="char", cleaning="letters_only",
    valid=0.5, test=0.0, encoding="utf-8",
)  # fmt: skip
@given(
    several=st.lists(texts, min_size=1, max_size=4),
    workers=st.integers(1, 5),
    token=st.sampled_from(["char", "word", "byte"]),
    cleaning=st.sampled_from(["", "lower", "letters_only", "d2l"]),
    valid=st.sampled_from([0.0, 0.3, 0.5]),
    test=st.sampled_from([0.0, 0.4]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)
def test_whatever_the_text_and_wherever_it_is_cut(  # noqa: PLR0913  (one for each choice)
    tmp_path_factory: pytest.TempPathFactory,
    *,
    several: list[str],
    workers: int,
    token: str,
    cleaning: str,
    valid: float,
    test: float,
    encoding: str,
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    several = [f"{LINES[:40]}{several[0]}", *several[1:], "ab\ncd\n" * 4]  # long enough to part
    paths = written(folder / "texts", several, encoding)
    config = CorpusConfig(valid=valid, test=test, **({cleaning: True} if cleaning else {}))
    said = {"encoding": "utf-8" if encoding == "utf-8-sig" else encoding}
    how = VocabConfig(token=token, reserved=("cd",))
    assert_counted_alike(folder, paths, config, how, workers, **said)


def shared(folder: Path, config: CorpusConfig | None = None) -> Corpus:
    paths = written(folder / "texts", [LINES, LINES, "end\n"])
    return Corpus.load(paths, config, storage=folder / "storage", name="texts")


def test_processes_count_it_and_say_how_far_they_are(tmp_path: Path) -> None:
    heard: list[ReadingProgress] = []
    corpus = shared(tmp_path)
    found = count_vocab(corpus, VocabConfig("word"), executor=Processes(2), watch=heard.append)
    alone = Corpus.load(sorted((tmp_path / "texts").glob("*")), storage=tmp_path / "alone")
    assert found.token_freqs == Vocab.from_corpus(alone, VocabConfig("word")).token_freqs
    assert [progress.done for progress in heard] == sorted(progress.done for progress in heard)
    assert heard[-1].done == heard[-1].total == 2 * len(LINES.encode()) + 4


def test_what_was_counted_is_not_counted_again(tmp_path: Path) -> None:
    how = VocabConfig("word")
    first = count_vocab(shared(tmp_path), how, executor=Here())
    again = Corpus.load(sorted((tmp_path / "texts").glob("*")), storage=tmp_path / "storage")
    assert count_vocab(again, how, executor=NotAsked()).token_freqs == first.token_freqs
    # The counts are those of this split alone: another one counts for itself.
    other = Corpus.load(
        sorted((tmp_path / "texts").glob("*")),
        CorpusConfig(valid=0.5),
        storage=tmp_path / "storage",
    )
    assert (
        sum(count for _, count in Vocab.from_corpus(other).token_freqs)
        == other.numbered().num_train
    )


class NotAsked:
    """Nobody has to work."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        raise AssertionError(function, items)


def test_counts_that_were_damaged_are_made_again(tmp_path: Path) -> None:
    first = count_vocab(shared(tmp_path), executor=Here())
    (beside,) = (tmp_path / "storage").glob("*.json")
    document = json.loads(beside.read_text())
    stop, counts, checksum = document["counted"]
    counts[0], counts[1] = counts[0] + 1, counts[1] - 1
    beside.write_text(json.dumps({**document, "counted": [stop, counts, checksum]}))
    corpus = Corpus.load(sorted((tmp_path / "texts").glob("*")), storage=tmp_path / "storage")
    assert Vocab.from_corpus(corpus).token_freqs == first.token_freqs
    assert corpus.numbered().notes


@pytest.mark.parametrize(
    ("config", "how", "said"),
    [
        ({"max_tokens": 90}, {}, "--max-tokens keeps its first tokens alone"),
        ({}, {"reserved": ("a\nb",)}, r"the reserved token 'a\\nb' may lie across two shards"),
        ({"letters_only": True}, {"token": "grapheme"}, "'grapheme' may be cut at line ends alone"),
        ({}, {"token": "own"}, "workers do not know the tokenizer 'own' of this process"),
    ],
)
def test_a_text_that_cannot_be_shared_out_is_refused_before_it_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    how: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setitem(TOKENIZERS, "own", Tokenizer(str.split, max, "own", breaks="\n "))
    corpus = shared(tmp_path, CorpusConfig(**config))
    with pytest.raises(CorpusError, match=rf"'texts' cannot be shared out among workers: {said}"):
        count_vocab(corpus, VocabConfig(**how), executor=NotAsked())
    assert not (tmp_path / "storage").exists()


def test_a_text_in_memory_is_refused() -> None:
    said = "it is in memory; %corpus --storage DIR leaves its files on disk; leave --workers out"
    with pytest.raises(CorpusError, match=said):
        count_vocab(Corpus.from_text("a text\n" * 9), executor=NotAsked())
    with pytest.raises(CorpusError, match="it is in memory"):
        count_vocab(Corpus.from_tokens(range(9)), executor=NotAsked())


def packed(path: Path) -> None:
    with gzip.open(path, "wt") as file:
        file.write(LINES)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("one.txt.gz", packed),
        ("one.jsonl", lambda path: path.write_text('{"text": "a b"}\n' * 90)),
        ("one.txt", lambda path: path.write_text("no lines " * 90)),
        ("one-16.txt", lambda path: path.write_text("abc\n" * 90, "utf-16")),
    ],
)
def test_one_file_that_cannot_be_cut_is_refused(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    corpus = Corpus.load(tmp_path / name, storage=tmp_path / "storage")
    with pytest.raises(CorpusError, match="it is one file that is packed, small or without lines"):
        count_vocab(corpus, executor=NotAsked())
    assert list((tmp_path / "storage").iterdir()) == []


def gone(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    path.write_text("other words\n")


def same_size_and_time(path: Path) -> None:
    before = path.stat()
    path.write_text(LINES.replace("it's", "éé"), "utf-8")  # as many bytes, fewer characters
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (gone, r"001.txt' cannot be read: there is no such file or folder"),
        (changed, r"001.txt' has changed since it was read; type %corpus again"),
        (
            same_size_and_time,
            r"same text as %corpus \(characters of 'texts': [\d,]+ instead of [\d,]+\): its",
        ),
    ],
)
def test_a_shard_that_is_not_what_it_was(
    tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    corpus = shared(tmp_path)
    change(tmp_path / "texts" / "001.txt")
    with pytest.raises(CorpusError, match=said):
        count_vocab(corpus, executor=Here())
    assert list((tmp_path / "storage").iterdir()) == []


def test_a_shard_of_another_encoding_is_named(tmp_path: Path) -> None:
    paths = written(tmp_path, ["plain\n"])
    (tmp_path / "001.txt").write_bytes("Käse\n".encode("cp1252") * 9)
    with pytest.raises(CorpusError, match=r"001.txt' is not utf-8: byte 0xe4 at offset 1; try"):
        Corpus.load([*paths, str(tmp_path / "001.txt")], storage=tmp_path / "storage")


def test_a_folder_that_workers_do_not_see(tmp_path: Path) -> None:
    class Elsewhere:
        def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
            return (function(replace(item, folder="/another/machine/x")) for item in items)

    with pytest.raises(
        CorpusError, match=r"does not see the folder '.*'; name one that all machines"
    ):
        count_vocab(shared(tmp_path), executor=Elsewhere())
    assert list((tmp_path / "storage").iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(_: ReadingProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_vocab(shared(tmp_path), executor=Here(), watch=interrupted)
    assert list((tmp_path / "storage").iterdir()) == []


def test_storage_is_for_files(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match="is kept in memory, as documents and texts without a file"
    ):
        Corpus.load("python_docs", storage=tmp_path)
    (tmp_path / "file").write_text("a\nb\n")
    with pytest.raises(CorpusError, match="leave --storage out"):
        Corpus.load(tmp_path / "file", CorpusConfig(documents="line"), storage=tmp_path)
    with pytest.raises(CorpusError, match="is no folder; --storage takes one"):
        Corpus.load(tmp_path / "file", storage=tmp_path / "file")


def test_what_a_killed_process_left_is_removed_by_the_next_count(tmp_path: Path) -> None:
    def left(name: str, age: float = 7200) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path in (folder / "lock", folder / "part", folder):
            if path != folder:
                path.write_text("x")
            os.utime(path, (time.time() - age,) * 2)
        return folder

    dead, fresh, other = left("a[1].shards-x"), left("a[1].shards-y", 60), left("a1.shards-z")
    alive = left("a[1].shards-w")
    with FileLock(alive / "lock"):
        os.utime(alive / "lock", (time.time() - 7200,) * 2)
        counting._remove_left(tmp_path, "a[1].shards-")
    assert not dead.exists()
    assert all(folder.exists() for folder in (alive, fresh, other))


def test_a_count_leaves_nothing_of_its_own_and_removes_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, str]] = []
    monkeypatch.setattr(counting, "_remove_left", lambda *given: asked.append(given))
    paths = written(tmp_path / "texts", [LINES, LINES])
    corpus = Corpus.load(paths, storage=tmp_path / "kept")
    count_vocab(corpus, executor=Here())
    assert not list((tmp_path / "kept").glob("*.shards-*"))
    (found,) = asked
    assert found[0] == tmp_path / "kept"
    assert any(
        path.name.startswith(found[1].removesuffix(".shards-")) for path in found[0].iterdir()
    )
