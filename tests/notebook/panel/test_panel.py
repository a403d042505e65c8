"""The control panel does what the lines that it shows do."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.display import display

from rnn_magics.notebook.panel.panel import ControlPanel
from rnn_magics.notebook.panel.steps import PLANS

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
    assert [s.head.is_done for s in bench.panel.sections.values()] == [True] * 4 + [False]
    assert bench.panel.sections["train_rnn"].head.said.startswith("gru-1: all epochs done, held")


def test_every_change_shows_the_line_that_does_the_same(bench: Bench) -> None:
    section = bench.panel.sections["train_rnn"]
    assert "<code>%train_rnn --background</code>" in section.line.value
    bench.choose("train_rnn", cell="lstm", clip="0.5")
    line = "%train_rnn --cell lstm --clip 0.5 --background"
    assert f"the same line: <code>{line}</code>" in section.line.value
    section.insert.click()
    assert bench.inserted == [line]


def test_a_wrong_value_is_said_and_cannot_be_run(bench: Bench) -> None:
    section = bench.panel.sections["sample"]
    bench.choose("sample", batch_size="0")
    assert "Batch size must be at least 1, not 0" in section.problem.value
    assert section.run.disabled
    assert section.insert.disabled
    bench.choose("sample", batch_size="2")
    assert section.problem.value == ""
    assert not section.run.disabled


def test_a_step_out_of_order_says_what_to_do_first(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    section = bench.panel.sections["vocab"]
    section.run.click()
    assert capsys.readouterr().out == ""
    assert "role='alert'>no corpus yet: type %corpus" in section.problem.value
    assert section.output.outputs == ()
    assert not section.head.is_done


def opened(bench: Bench) -> list[str]:
    return [name for name, section in bench.panel.sections.items() if section.head.is_open]


def test_a_step_that_is_done_is_ticked_off_and_the_next_one_opens(
    bench: Bench, notebook: Notebook
) -> None:
    steps = bench.panel.sections
    assert opened(bench) == ["corpus"]
    Path("mine.txt").write_text(notebook.text, encoding="utf-8")
    bench.choose("corpus", source="mine.txt")
    steps["corpus"].run.click()
    assert opened(bench) == ["vocab"]
    assert (steps["corpus"].body.layout.display, steps["vocab"].body.layout.display) == (
        "none",
        None,
    )
    assert steps["corpus"].head.said == f"mine, {len(notebook.text):,} characters"
    assert steps["vocab"].head.brought == 1
    (shown,) = steps["corpus"].output.outputs  # the character of the text stays in sight
    assert "alphabet" in shown["data"]["text/html"]
    steps["vocab"].run.click()
    bench.choose("sample", batch_size="4", num_steps="8")
    steps["sample"].run.click()
    assert opened(bench) == ["train_rnn"]
    bench.choose("train_rnn", num_hiddens="8", epochs="1")
    steps["train_rnn"].run.click()
    assert steps["train_rnn"].head.brought == 2  # it opened, and it shows the run
    notebook.session.jobs["gru-1"].wait()
    assert steps["train_rnn"].head.is_done
    assert opened(bench) == ["generate"]
    steps["corpus"].run.click()  # a new text: what was made of the old one is gone
    assert [s.head.is_done for s in steps.values()] == [True, False, False, True, False]


def test_a_panel_begins_where_the_session_is(notebook: Notebook) -> None:
    notebook.run("%corpus python_docs")
    panel = ControlPanel(notebook.shell, notebook.session)
    assert panel.sections["corpus"].head.is_done
    assert [n for n, s in panel.sections.items() if s.head.is_open] == ["vocab"]


def test_a_click_on_a_heading_opens_and_folds(bench: Bench) -> None:
    section = bench.panel.sections["sample"]
    section.head.is_open = True
    assert section.body.layout.display is None
    section.head.is_open = False
    assert section.body.layout.display == "none"


def test_a_text_that_grows_is_shown_to_its_end(bench: Bench, notebook: Notebook) -> None:
    """An output widget of ipywidgets ignores later forms of a display."""
    section = bench.panel.sections["generate"]

    def grow(_line: str) -> None:
        handle = display("the", display_id=True)
        sys.stdout.write("a b")
        sys.stdout.write("\n")
        handle.update("the end")
        sys.stdout.write("c\n")

    notebook.shell.register_magic_function(grow, magic_name="generate")
    bench.choose("generate", prefix="the")
    section.run.click()
    first, second = section.output.outputs
    assert first["data"]["text/plain"] == "'the end'"
    assert second == {"output_type": "stream", "name": "stdout", "text": "a b\nc\n"}
    section.run.click()  # again, in the place of the first
    assert len(section.output.outputs) == 2


def test_markup_in_a_value_is_text(bench: Bench) -> None:
    bench.choose("sample", batch_size="<img src=x onerror=alert(1)>")
    shown = bench.panel.sections["sample"].problem.value
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_an_uploaded_text_is_kept_beside_the_notebook(bench: Bench) -> None:
    upload(bench, "a b.txt", b"one")
    assert Path("a b.txt").read_bytes() == b"one"
    assert bench.panel.sections["corpus"].form.magic_line() == '%corpus "a b.txt"'


def test_an_upload_takes_the_place_of_no_other_file(bench: Bench) -> None:
    Path("a.txt").write_bytes(b"mine")
    upload(bench, "a.txt", b"yours")
    assert Path("a.txt").read_bytes() == b"mine"
    assert Path("a-1.txt").read_bytes() == b"yours"
    upload(bench, "a.txt", b"mine")
    assert bench.panel.sections["corpus"].form.magic_line() == "%corpus a.txt"


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
        known = set(parser.fields)
        assert {*plan.front} <= set(fields)
        assert set(plan.skip) <= known


def test_the_panel_is_one_widget_with_a_title_for_each_step(bench: Bench) -> None:
    *steps, _inserter = bench.panel.view().children
    heads = [step.children[0] for step in steps]
    assert [(head.number, head.title) for head in heads] == [
        (number, plan.title) for number, plan in enumerate(PLANS, 1)
    ]


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
    assert section.form.magic_line() == "%corpus"
