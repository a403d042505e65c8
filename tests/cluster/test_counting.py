"""Workers of a Ray cluster count what one process counts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_magics.cluster.connection import Connection, connect
from rnn_magics.cluster.counting import OnRay, count_vocab
from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.sharding import stretches
from rnn_magics.text.vocab import Vocab, VocabConfig

LINES = "one line\nand another line, longer\n" * 50


def killed_once(path: str) -> int:
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return len(path)


def test_a_cluster_counts_what_one_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "_LEAST_BYTES", 1)
    (tmp_path / "text.txt").write_text(LINES)
    alone = Corpus.load(tmp_path / "text.txt", storage=tmp_path / "alone")
    config = VocabConfig("word", min_freq=2)
    with connect(cpus=2) as connection:
        shared = Corpus.load(tmp_path / "text.txt", storage=tmp_path / "shared")
        found = count_vocab(shared, config, workers=2, cluster=connection.address)
        assert found.token_freqs == Vocab.from_corpus(alone, config).token_freqs
        assert shared.numbered("word").checksum == alone.numbered("word").checksum

        path = str(tmp_path / "killed")
        assert list(OnRay(connection, 2).map(killed_once, [path])) == [len(path)]

        (tmp_path / "text.txt").unlink()
        changed = Corpus.load(written(tmp_path / "other.txt"), storage=tmp_path / "shared")
        (tmp_path / "other.txt").unlink()
        with pytest.raises(CorpusError, match=r"other.txt' cannot be read: there is no such file"):
            count_vocab(changed, config, workers=2, cluster=connection.address)


class GoneError(Exception):
    """A machine is lost."""


class SlowError(GoneError):
    """Nothing is there yet."""


class Lost:
    """A Ray whose machines are lost."""

    exceptions = SimpleNamespace(RayError=GoneError, GetTimeoutError=SlowError)
    cancelled = 0

    def remote(self, *given: Any, **_how: Any) -> Any:
        return self if given else lambda _function: self

    def get(self, _asked: Any, **_how: Any) -> Any:
        raise GoneError("the node\n" + "is gone")

    def cancel(self, _asked: Any, **_how: Any) -> None:
        self.cancelled += 1


def test_a_cluster_that_is_lost_is_said_and_nothing_goes_on_there() -> None:
    lost = Lost()
    connection = Connection(lost, "", is_local=False)
    with pytest.raises(CorpusError, match="a worker of the cluster failed: the node is gone"):
        list(OnRay(connection, 2).map(len, ["a", "b", "c"]))
    assert lost.cancelled == 2


def written(path: Path) -> Path:
    path.write_text(LINES)
    return path


def test_processes_of_this_machine_need_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "_LEAST_BYTES", 1)
    monkeypatch.setitem(sys.modules, "ray", None)
    corpus = Corpus.load(written(tmp_path / "text.txt"), storage=tmp_path / "shared")
    assert count_vocab(corpus, workers=2)["e"] > 0


def test_no_cluster_is_joined_for_a_text_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("rnn_magics.cluster.counting.connect", asked)
    with pytest.raises(CorpusError, match="it is in memory"):
        count_vocab(Corpus.from_text("a text"), cluster="auto")


def test_a_cluster_that_does_not_answer_is_said(tmp_path: Path) -> None:
    corpus = Corpus.load(written(tmp_path / "text.txt"), storage=tmp_path / "shared")
    with pytest.raises(ConfigError, match="a cluster is auto or the host:port of its head"):
        count_vocab(corpus, cluster="nowhere")
    assert not (tmp_path / "shared").exists()
