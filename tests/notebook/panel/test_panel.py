"""The control panel does what the lines that it shows do."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.panel.panel import PLANS, ControlPanel

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


class Bench:
    """A panel, and what it has put into the notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self.inserted: list[str] = []
        self.panel = ControlPanel(notebook.shell, notebook.session, self.inserted.append)

    def choose(self, magic: str, **values: Any) -> None:
        for name, value in values.items():
            self.panel.sections[magic].form.fields[name].widget.value = value


@pytest.fixture
def bench(notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    notebook.run("%config RNNMagics.figures = False")
    notebook.run("%config RNNMagics.progress = False")
    return Bench(notebook)


def upload(bench: Bench, name: str, content: bytes) -> None:
    """Do what the front end does once a file was chosen."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    facts = {"name": name, "type": "text/plain", "size": len(content), "last_modified": now}
    bench.panel.upload.value = ({**facts, "content": memoryview(content)},)


def test_the_whole_pipeline_by_its_buttons(bench: Bench, notebook: Notebook) -> None:
    Path("mine.txt").write_text(notebook.text, encoding="utf-8")
    bench.choose("corpus", source="mine.txt", valid="0.2")
    bench.choose("sample", batching="random", batch_size="4", num_steps="8")
    bench.choose("train_rnn", num_hiddens="8", epochs="1")
    bench.choose("generate", prefix="the ", length="5")
    for magic, section in bench.panel.sections.items():
        section.run.click()
        if magic == "train_rnn":
            notebook.session.jobs["gru-1"].wait()
    session = notebook.session
    assert session.corpus is not None
    assert session.corpus.config.valid == 0.2
    assert session.batches is not None
    assert session.batches.config.batching == "random"
    assert session.runs["gru-1"].config.model.num_hiddens == 8
    assert "gru-1" in bench.panel._status.value


def test_every_change_shows_the_line_that_does_the_same(bench: Bench) -> None:
    section = bench.panel.sections["train_rnn"]
    assert section.line.value == "%train_rnn --background"
    bench.choose("train_rnn", cell="lstm", clip="0.5")
    assert section.line.value == "%train_rnn --cell lstm --clip 0.5 --background"
    section.insert.click()
    assert bench.inserted == ["%train_rnn --cell lstm --clip 0.5 --background"]


def test_a_wrong_value_is_said_and_cannot_be_run(bench: Bench) -> None:
    section = bench.panel.sections["sample"]
    bench.choose("sample", batch_size="0")
    assert "--batch-size must be at least 1, not 0" in section.problem.value
    assert section.run.disabled
    assert section.insert.disabled
    bench.choose("sample", batch_size="2")
    assert section.problem.value == ""
    assert not section.run.disabled


def test_a_step_out_of_order_says_what_to_do_first(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    bench.panel.sections["vocab"].run.click()
    assert capsys.readouterr().out.count("UsageError: no corpus yet: type %corpus") == 1


def test_markup_in_a_value_is_text(bench: Bench) -> None:
    bench.choose("sample", batching="<img src=x onerror=alert(1)>")
    shown = bench.panel.sections["sample"].problem.value
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_an_uploaded_text_is_kept_beside_the_notebook(bench: Bench) -> None:
    upload(bench, "a b.txt", b"one")
    assert Path("a b.txt").read_bytes() == b"one"
    assert bench.panel.sections["corpus"].line.value == '%corpus "a b.txt"'


def test_an_upload_takes_the_place_of_no_other_file(bench: Bench) -> None:
    Path("a.txt").write_bytes(b"mine")
    upload(bench, "a.txt", b"yours")
    assert Path("a.txt").read_bytes() == b"mine"
    assert Path("a-1.txt").read_bytes() == b"yours"
    upload(bench, "a.txt", b"mine")
    assert bench.panel.sections["corpus"].line.value == "%corpus a.txt"


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil.txt", ".."])
def test_an_upload_stays_in_the_folder(bench: Bench, name: str, tmp_path: Path) -> None:
    upload(bench, name, b"x")
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"x"
    assert kept.parent == tmp_path


def test_every_argument_of_every_plan_exists(bench: Bench) -> None:
    for plan in PLANS:
        fields = bench.panel.sections[plan.magic].form.fields
        parser = bench.panel.sections[plan.magic].form._parser
        known = {action.dest for action in parser.actions}
        assert {*plan.front, *plan.sliders} <= set(fields)
        assert set(plan.skip) <= known


def test_the_panel_is_one_widget_with_a_title_for_each_step(bench: Bench) -> None:
    steps = bench.panel.view().children[1]
    assert list(steps.titles) == [plan.title for plan in PLANS]
    assert len(steps.children) == len(PLANS)


def test_a_line_goes_to_the_page_and_the_same_line_twice_is_two_cells(notebook: Notebook) -> None:
    panel = ControlPanel(notebook.shell, notebook.session)
    for _ in range(2):
        panel.sections["vocab"].insert.click()
    assert (panel._inserter.line, panel._inserter.count) == ("%vocab", 2)


def test_a_terminal_has_no_panel(notebook: Notebook) -> None:
    assert notebook.refused("%rnn_lab").startswith("the panel needs a notebook")


def test_a_notebook_opens_it(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(notebook.shell), "kernel", object(), raising=False)
    panel = notebook.run("%rnn_lab")
    assert repr(panel).startswith("ControlPanel: %corpus, %vocab")


@pytest.mark.parametrize("name", ["x" * 300, "a\ud800b.txt"])
def test_an_upload_that_no_file_can_keep_is_one_line(
    bench: Bench, name: str, tmp_path: Path
) -> None:
    there = sorted(tmp_path.iterdir())
    upload(bench, name, b"x")
    section = bench.panel.sections["corpus"]
    assert "cannot keep " in section.problem.value or "a lone surrogate" in section.problem.value
    assert "\n" not in section.problem.value
    assert sorted(tmp_path.iterdir()) == there


def test_an_upload_does_not_wait_for_a_pipe_of_its_name(bench: Bench, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    upload(bench, "a.txt", b"mine")
    assert (tmp_path / "a-1.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["x?\n!touch pwned\n#.txt", "a\u2028b.txt", "a\x1b[31m.txt"])
def test_an_upload_whose_name_no_line_can_hold_is_refused(
    bench: Bench, name: str, tmp_path: Path
) -> None:
    upload(bench, name, b"x")
    assert list(tmp_path.iterdir()) == []
    section = bench.panel.sections["corpus"]
    assert "the file name has a" in section.problem.value
    assert section.line.value == "%corpus"
