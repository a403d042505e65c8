"""A run as one HTML file: what stands in it, how large it is, and what it refuses."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_magics import (
    CELLS,
    Checkpointing,
    Corpus,
    ModelConfig,
    RNNMagicsError,
    TrainConfig,
    Vocab,
    VocabConfig,
    inspect_rnn,
    make_batches,
    train,
)
from rnn_magics.batching import BatchConfig
from rnn_magics.handout import page as page_module
from rnn_magics.handout.page import (
    BEYOND_WEIGHTS,
    VERSION,
    PageConfig,
    page_html,
    write_page,
)
from rnn_magics.inspection.interventions.probes import ProbeConfig
from rnn_magics.inspection.views.payload import unpack
from rnn_magics.models.cells import RNNCell
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.training.run import Run
from tests.browser.test_injection import PAYLOADS
from tests.conftest import TEXT

DOCS = Path(__file__).parents[2] / "docs"
HOSTILE = "".join(f"{payload}\n" for payload in PAYLOADS) + "\ud800 \u2028 ]]> <!-- -->\n"
TRAIN = TrainConfig(epochs=2, threads=1)


def made(
    model: ModelConfig | None = None,
    data: Any = TEXT,
    config: TrainConfig = TRAIN,
    *,
    token: str = "char",
    **more: Any,
) -> tuple[Run, Corpus]:
    corpus = Corpus.from_data(data, CorpusConfig(valid=0.3), name="tiny")
    vocab = Vocab.from_corpus(corpus, VocabConfig(token=token))
    batches = make_batches(corpus, vocab, BatchConfig(batch_size=4, num_steps=8))
    return train(batches, model or ModelConfig("gru", 12), config, **more), corpus


class Elements(HTMLParser):
    """The names of the elements, the attributes, and the text of each script and style."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag in ("script", "style"):
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None:
            self.scripts[-1] += data


def data_of(html: str) -> dict[str, Any]:
    (kept,) = re.findall(r'id="rnn-data">(.*?)</script>', html, re.DOTALL)
    found: dict[str, Any] = json.loads(kept)
    return found


def test_a_page_holds_the_model_the_run_and_the_views() -> None:
    run, corpus = made()
    data = data_of(page_html(run, corpus))
    assert [look["view"] for look in data["looks"]] == ["play", "surprise", "hidden", "gates"]
    assert data["run"]["name"] == data["title"] == run.name
    assert data["run"]["samples"][-1]["epoch"] == 2
    weights = data["looks"][0]["model"]["weights"]
    for name, weight in run.model.state_dict().items():
        wide = float(np.abs(weight.numpy()).max())
        np.testing.assert_allclose(unpack(weights[name]), weight.numpy(), atol=wide / 65_000)
    facts = dict(data["facts"])
    assert facts["trained on"] == f"tiny, {run.num_train_tokens:,} tokens"
    assert f"{run.model.num_parameters:,} weights" in facts["model"]
    assert "epochs 2" in facts["settings"]
    assert "2,000 tokens that it wrote" in facts["repeats"]
    assert "rnn_magics" in facts["made with"]


@pytest.mark.parametrize(
    "model", [ModelConfig("gru", 256), ModelConfig("lstm", 128, 2), ModelConfig("rnn", 4)]
)
def test_a_page_is_hardly_larger_than_its_weights(model: ModelConfig) -> None:
    run, corpus = made(model, config=TrainConfig(epochs=1, threads=1))
    size = len(page_html(run, corpus).encode())
    assert size < 1.5 * 2 * run.model.num_parameters + BEYOND_WEIGHTS


def test_a_page_asks_nobody_and_runs_only_its_own_script() -> None:
    run, corpus = made()
    html = page_html(run, corpus)
    found = Elements(html)
    assert not {name for name, _ in found.attributes} & {"src", "href", "style", "onload"}
    style, data, script = found.scripts
    assert json.loads(data)["version"] == 1
    hashes = [
        base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in (script, style)
    ]
    (policy,) = (value for name, value in found.attributes if value and "default-src" in value)
    assert "default-src 'none'" in policy
    assert re.findall(r"sha256-([^']+)'", policy) == hashes
    assert "unsafe" not in policy


def test_no_text_becomes_an_element() -> None:
    plain = Elements(page_html(*made())).names
    run, corpus = made(data=HOSTILE * 4)
    run.name = PAYLOADS[0]
    html = page_html(run, corpus, PageConfig(text=HOSTILE[:200]))
    assert [*filter(lambda name: name not in ("dt", "dd"), Elements(html).names)] == [
        name for name in plain if name not in ("dt", "dd")
    ]
    data = data_of(html)
    assert data["title"] == PAYLOADS[0]
    assert set("<>&") <= set("".join(data["looks"][0]["model"]["vocab"]))


def test_no_text_of_the_corpus_stands_in_a_page_that_must_not_have_it() -> None:
    run, corpus = made()
    passage = str(corpus.data)[-int(0.3 * len(corpus.data)) :][:40]
    with_text, without = (
        "".join(data_of(page_html(run, corpus, PageConfig(no_text=hidden)))["looks"][1]["tokens"])
        for hidden in (False, True)
    )
    assert with_text == passage
    assert without not in corpus.data
    assert data_of(page_html(run, None))["looks"][1]["tokens"]
    assert "not measured" in dict(data_of(page_html(run, None))["facts"])["repeats"]


def test_what_it_wrote_after_the_epochs_of_its_folder_is_in_it(tmp_path: Path) -> None:
    run, corpus = made(watch=Checkpointing(str(tmp_path / "kept"), keep=None))
    samples = data_of(page_html(run, corpus))["run"]["samples"]
    assert [sample["epoch"] for sample in samples] == [1, 2]
    assert samples[0]["text"] != samples[1]["text"]
    for path in (tmp_path / "kept").iterdir():
        path.unlink()
    assert [s["epoch"] for s in data_of(page_html(run, corpus))["run"]["samples"]] == [2]


def test_further_views_are_kept_small_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    run, corpus = made()
    traces = [inspect_rnn("probe", run, corpus, ProbeConfig(feature="next_space"))]
    looks = data_of(page_html(run, corpus, traces=traces))["looks"]
    assert looks[-1] == json.loads(json.dumps(traces[0].to_data()))
    long = [inspect_rnn("hidden", run, "the time " * 100)]
    size = [len(page_html(run, corpus, traces=given)) for given in ([], long)]
    assert size[1] - size[0] < 200_100
    monkeypatch.setattr(page_module, "_TRACE_BYTES", 1000)
    with pytest.raises(RNNMagicsError, match=r"^a page cannot hold this view: hidden: .*$"):
        page_html(run, corpus, traces=long)


def test_the_page_of_the_docs_is_of_this_version_and_small() -> None:
    html = (DOCS / "page.html").read_text(encoding="utf-8")
    data = data_of(html)
    assert data["version"] == VERSION
    assert [look["view"] for look in data["looks"]] == [
        "play",
        "surprise",
        "hidden",
        "gates",
        "ablate",
    ]
    assert len(html.encode()) < 600_000
    assert "default-src 'none'" in html


def test_a_page_is_written_whole_and_over_nothing(tmp_path: Path) -> None:
    run, corpus = made()
    page = write_page(run, tmp_path / "run.html", corpus)
    assert page.path.read_text(encoding="utf-8") == page_html(run, corpus)
    assert repr(page).startswith(str(page.path))
    page.path.write_text("mine", encoding="utf-8")
    with pytest.raises(RNNMagicsError, match=r"^\S+run.html is there already: .* --overwrite$"):
        write_page(run, page.path, corpus)
    assert page.path.read_text(encoding="utf-8") == "mine"
    write_page(run, page.path, corpus, PageConfig(overwrite=True))
    assert page.path.stat().st_size == page.size


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, corpus = made()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RNNMagicsError) as told:
        write_page(run, tmp_path / "run.html", corpus)
    assert len(str(told.value).splitlines()) == 1
    assert [*tmp_path.iterdir()] == []


def _own_cell() -> Run:
    class Mine(RNNCell):
        pass

    CELLS["mine"] = Mine
    try:
        return made(ModelConfig("mine", 4))[0]
    finally:
        del CELLS["mine"]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda: made(ModelConfig("gru", 4, bidirectional=True))[0], "bidirectional"),
        (lambda: made(ModelConfig("rnn", 4), data=[1, 2, 3, 1, 2] * 40, token="given")[0], "text"),
        (_own_cell, "mine"),
    ],
)
def test_what_a_page_cannot_run_is_refused(run: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(RNNMagicsError, match=said) as told:
        write_page(run(), tmp_path / "run.html")
    assert len(str(told.value).splitlines()) == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", ["run", "run.txt", "no/such/folder/run.html", "\0.html"])
def test_what_is_no_file_for_a_page_is_refused(name: str, tmp_path: Path) -> None:
    run, corpus = made(ModelConfig("rnn", 4))
    with pytest.raises(RNNMagicsError) as told:
        write_page(run, f"{tmp_path}/{name}", corpus)
    assert len(str(told.value).splitlines()) == 1
    assert [*tmp_path.iterdir()] == []


def test_another_text_is_not_taken_for_that_of_the_run() -> None:
    run, _ = made()
    other = Corpus.from_data("another text altogether\n" * 20, CorpusConfig(valid=0.3))
    data = data_of(page_html(run, other))
    assert "not measured" in dict(data["facts"])["repeats"]
    assert "altogether" not in "".join(data["looks"][1]["tokens"])
