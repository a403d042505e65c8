"""Data sets of the hub: what is asked of the library, and one line for all that goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rnn_magics.errors import CorpusError
from rnn_magics.text.formats.hub import hub_records, is_hub


class Hub(ModuleType):
    """Stands in for the library, which needs a network."""

    def __init__(self) -> None:
        super().__init__("datasets")
        self.asked: list[dict[str, Any]] = []
        self.rows: list[Any] = [{"text": "one", "label": 1}, {"text": "two", "label": 2}]

    def load_dataset(self, name: str, config: str | None = None, **how: Any) -> Iterator[Any]:
        if name == "gone":
            msg = "Dataset 'gone' doesn't exist\non the Hub"
            raise FileNotFoundError(msg)
        self.asked.append({"name": name, "config": config, **how})
        return iter(self.rows)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    module = Hub()
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        ("hf:imdb", {"name": "imdb"}),
        ("hf:a/b:test", {"name": "a/b", "split": "test"}),
        ("hf:a/b:cfg:test", {"name": "a/b", "config": "cfg", "split": "test"}),
        ("hf:a/b@v1.0:test", {"name": "a/b", "revision": "v1.0", "split": "test"}),
    ],
)
def test_a_data_set_is_asked_for_as_it_is_typed(hub: Hub, spec: str, asked: dict[str, Any]) -> None:
    assert is_hub(spec)
    assert list(hub_records(spec, None, 1)) == ["one", "two"]
    usual = {"config": None, "split": "train", "revision": None, "streaming": True}
    assert hub.asked == [{**usual, **asked}]


@pytest.mark.parametrize("spec", ["hf:", "hf: a", "hf:a:b:c:d", "hf::train"])
def test_what_names_no_data_set_is_refused(hub: Hub, spec: str) -> None:
    with pytest.raises(CorpusError, match="names no data set; type hf:NAME, hf:NAME:SPLIT or"):
        list(hub_records(spec, None, 1))
    assert hub.asked == []


def test_what_the_library_says_is_one_line(hub: Hub) -> None:
    with pytest.raises(CorpusError) as caught:
        list(hub_records("hf:gone", None, 1))
    assert str(caught.value).startswith("'hf:gone' cannot be read; check its name, its CONFIG and")
    assert "\n" not in str(caught.value)
    assert hub.asked == []


def test_a_row_without_the_field_is_named(hub: Hub) -> None:
    hub.rows.append({"label": 3})
    with pytest.raises(CorpusError, match="record 3 of 'hf:a' has no field 'text'"):
        list(hub_records("hf:a", None, 1))


@pytest.mark.usefixtures("hub")
def test_no_more_arrives_than_the_limit() -> None:
    assert list(hub_records("hf:a", None, 0.000008)) == ["one", "two"]
    found = hub_records("hf:a", None, 0.000007)
    assert next(found) == "one"
    with pytest.raises(
        CorpusError, match=r"more than 7e-06 MB of text; allow more with --max-down"
    ):
        next(found)


def test_without_the_library_one_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(CorpusError) as caught:
        list(hub_records("hf:a/b", None, 1))
    assert (
        str(caught.value) == "reading 'hf:a/b' needs datasets: pip install 'rnn_magics[datasets]'"
    )


def test_the_library_itself_reads_a_folder_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    pytest.importorskip("datasets", reason="not installed: pip install '.[datasets]'")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.jsonl").write_text('{"text": "one", "n": 1}\n{"text": "two"}\n')
    (tmp_path / "mine" / "test.jsonl").write_text('{"text": "three"}\n')
    assert list(hub_records(f"hf:{tmp_path / 'mine'}", None, 1)) == ["one", "two"]
    assert list(hub_records(f"hf:{tmp_path / 'mine'}:test", "text", 1)) == ["three"]
    with pytest.raises(CorpusError, match="check its name, its CONFIG and its SPLIT"):
        list(hub_records(f"hf:{tmp_path / 'mine'}:valid", None, 1))
