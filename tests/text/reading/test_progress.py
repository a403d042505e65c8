"""How much has been read: never less than before, and all of it at the end."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rnn_magics.text.corpus import Corpus
from rnn_magics.text.formats import packed
from rnn_magics.text.reading import sources
from rnn_magics.text.reading.progress import ReadingProgress


@pytest.mark.parametrize("stream_bytes", [0, 1 << 28])
def test_the_bytes_on_disk_are_counted_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream_bytes: int
) -> None:
    monkeypatch.setattr(sources, "STREAM_BYTES", stream_bytes)
    monkeypatch.setattr(packed, "BLOCK_BYTES", 100)
    (tmp_path / "a.txt").write_text("the time traveller\n" * 50)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"a" * 5_000))
    (tmp_path / "c.jsonl").write_text('{"text": "one"}\n' * 50)
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    told: list[ReadingProgress] = []
    Corpus.load([tmp_path, "python_docs"], watch=told.append)
    assert {each.total for each in told} == {total}
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert (told[0].name, told[0].done) == ("a", 100)
    assert told[-1] == ReadingProgress("c", total, total)
    assert list(dict.fromkeys(each.name for each in told)) == ["a", "b", "c"]
    assert len(told) > 20
