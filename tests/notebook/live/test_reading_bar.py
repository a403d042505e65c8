"""The bar while files are read: what it shows, and that nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.live.reading_bar import ReadingBar, read_watched, with_bar
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.progress import ReadingProgress, Watch


def test_it_shows_the_share_and_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ReadingBar(delay=0.0, interval=0.0)
    bar(ReadingProgress("a\x1b[1m", 500, 2_000))
    bar(ReadingProgress("b", 2_000, 2_000))
    bar.close()
    shown = capsys.readouterr().out
    assert "2.00k/2.00k" in shown
    assert "\x1b[1m" not in shown
    assert shown.endswith("\r")  # the line is empty again


def test_what_is_read_soon_shows_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadingBar.__init__, "__defaults__", (1e9, 0.0))
    (tmp_path / "a.txt").write_text("the time")
    call = Call.of("corpus", Corpus.load, str(tmp_path / "a.txt"))
    assert read_watched(call).data == "the time"
    assert call.value.data == "the time"  # read once
    assert capsys.readouterr().out == ""


def test_what_has_no_files_is_not_watched() -> None:
    assert read_watched(Call.of("corpus", Corpus.from_text, "the time")).data == "the time"


def test_a_bar_that_saw_nothing_closes() -> None:
    ReadingBar().close()


def test_what_a_model_reads_is_counted_in_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    def read(watch: Watch | None = None) -> int:
        assert watch is not None
        watch(ReadingProgress("tiny", 1_000, 4_000))
        return 7

    assert with_bar(Call.of("read", read), "token") == 7
    assert capsys.readouterr().out == ""  # it was read soon
    bar = ReadingBar(delay=0.0, interval=0.0, unit="token")
    bar(ReadingProgress("tiny", 1_000, 4_000))
    bar.close()
    assert "token/s" in capsys.readouterr().out
