"""What the TypeScript half and the Python half must agree on."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path

import pytest

import rnn_magics
from hatch_build import CATALOGUE
from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.extension import MAGICS
from rnn_magics.notebook.page.announce import RUNS, Followed
from rnn_magics.notebook.page.run_entry import ended_entry
from rnn_magics.notebook.page.search import SEARCH
from rnn_magics.notebook.page.telemetry import Telemetry
from rnn_magics.notebook.page.view import INSPECTION_MIME
from rnn_magics.notebook.show.bundle import LIVE_MIME
from rnn_magics.reports.run_payload import RUN_MIME
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, iter_train

ROOT = Path(__file__).parents[2]
LAB = ROOT / "labextension" / "src" / "lab"
SOURCES = {
    path.relative_to(LAB).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
    for path in LAB.rglob("*.ts")
}


def test_the_example_of_runs_has_the_fields_that_are_told(batches: Batches) -> None:
    example = json.loads((ROOT / "tests/contract/payloads/runs.json").read_text(encoding="utf-8"))
    run, state = begin(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1), "tiny")
    told = Followed(Job(run, state), lambda: None, background=True).entry()
    for _ in iter_train(run, state):
        pass
    for entry in example["runs"]:
        assert set(entry) == set(told) == {*ended_entry(run), "background"}
    assert set(example["runs"][1]["series"]) == set(told["series"])


def test_the_present_epoch_has_the_fields_that_a_view_reads(batches: Batches) -> None:
    source = (LAB.parent / "contract/run.ts").read_text(encoding="utf-8")
    (interface,) = re.findall(r"interface Now \{(.*?)\n\}", source, re.DOTALL)
    run, state = begin(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1), "tiny")
    telemetry = Telemetry(run)
    for event in iter_train(run, state):
        telemetry(event)
    read = re.findall(r"^  (\w+):", interface, re.MULTILINE)
    assert [*telemetry.payload()["now"]] == read
    assert "done" in read


def test_both_halves_have_the_same_names() -> None:
    assert f"RUNS = '{RUNS}'" in SOURCES["kernels/kernel_link"]
    contract = LAB.parent / "contract"
    assert f"RUN_MIME = '{RUN_MIME}'" in (contract / "saved.ts").read_text("utf-8")
    assert f"INSPECTION_MIME = '{INSPECTION_MIME}'" in (contract / "looked.ts").read_text("utf-8")
    assert f"LIVE_MIME = '{LIVE_MIME}'" in SOURCES["saved/inspection_renderer"]
    assert f"type: '{SEARCH}'" in SOURCES["kernels/kernel_link"]
    for order in ("pause", "resume", "stop"):
        assert f"'{order}'" in SOURCES["kernels/kernel_link"]
        assert callable(getattr(Job, order))


@pytest.mark.parametrize("name", MAGICS)
def test_a_magic_is_coloured_and_documented(name: str) -> None:
    listed = [re.findall(r"MAGICS = \[(.*?)\]", text, re.DOTALL) for text in SOURCES.values()]
    (coloured,) = chain.from_iterable(listed)
    assert f"'{name}'" in coloured
    assert re.search(rf"`%{name}\b", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_a_module_that_is_named_to_a_reader_is_there() -> None:
    package = Path(rnn_magics.__file__).parent
    place = re.compile(r"\b(?:rnn_magics|labextension)(?:/\w+)+\.(?:py|ts|json)\b")
    named = {
        (str(source.relative_to(ROOT)), found)
        for source in (*package.rglob("*.py"), *LAB.parent.rglob("*.ts"))
        for found in place.findall(source.read_text(encoding="utf-8"))
    }
    assert named
    assert [pair for pair in named if not (ROOT / pair[1]).is_file()] == []


def test_the_package_says_that_it_has_translations() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points."jupyterlab.locale"]\nrnn_magics = "rnn_magics"\n' in project
    head = json.loads((ROOT / CATALOGUE).with_suffix(".json").read_text(encoding="utf-8"))[""]
    assert head["domain"] == "rnn_magics"
    assert head["language"] == "zh-CN"  # with a hyphen, or JupyterLab finds nothing
