"""What is shown: text in a corpus, a token or a name never acts on a page or a terminal."""

from __future__ import annotations

import html
import html.parser
import json
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.notebook.live.progress import NotebookProgress
from rnn_magics.notebook.show.escape import escaped, one_line
from rnn_magics.results import shortened, visible
from rnn_magics.training.events import TrainEnd

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=a()> & \x1b[31mred\x1b[0m\x07"
    " \u202eright-to-left\u2066 \ufeff\u200b\u2028 \ud800 lone \x00 \x9b1m 'q' \"d\" $x^2$ {x}\r"
)
TAGS = {"span", "div", "b", "small", "table", "thead", "tbody", "tr", "th", "td"}
TAGS |= {"details", "summary", "pre"}
VISIBLE = Path(__file__).parents[2] / "contract" / "visible.json"
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Page(html.parser.HTMLParser):
    """Collects the tags, attributes and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = dict(attrs).get("src") or ""
        if tag == "img" and re.fullmatch(r"data:image/png;base64,[\w+/=]+", source):
            return  # a picture of ours
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(text: str) -> None:
    unseen = {c for c in text if unicodedata.category(c) in UNSEEN} - {"\n", "\t"}
    assert not [
        c for c in unseen if c not in "\u200c\u200d" and not "\U0001f000" <= c <= "\U0001fffd"
    ]
    assert not re.search("(?:^|[ -~\n\t])[\u200c\u200d]", text.replace(" ... ", ""))


def assert_harmless_page(source: str) -> None:
    page = Page(source)
    assert page.tags <= TAGS
    assert page.attributes <= {"style", "title"}
    assert_harmless(source)


@given(st.text(st.characters(codec=None)))
def test_visible_text_has_nothing_unseen(text: str) -> None:
    assert_harmless(visible(text))
    assert "\n" not in one_line(text)
    assert_harmless(shortened(visible(text), 20))


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])))
def test_text_without_controls_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert Page(f"<b>{escaped(text)}</b>").text == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc", "a\nb\tc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e", "\\u202e"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
        ("\r", "\\r"),
    ],
)
def test_what_would_act_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(("text", "shown"), json.loads(VISIBLE.read_text(encoding="utf-8")))
def test_what_joins_is_shown_and_what_hides_is_not(text: str, shown: str) -> None:
    """The views in TypeScript show the same of the same file."""
    assert visible(text) == shown
    for at in range(1, len(text)):  # as it streams
        assert visible(text[:at]) + visible(text[at:], before=text[:at]) == shown
    assert json.dumps(visible(text)) == json.dumps(shown)


@pytest.fixture
def hostile(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """With a hostile corpus under a hostile name, its vocabulary, minibatches and a run."""
    for module in ("names", "notebook.line.parser"):  # such names are refused where they are typed
        monkeypatch.setattr(f"rnn_magics.{module}.misfit", lambda _text: "")
    notebook.variables.update(text=HOSTILE * 3, name=HOSTILE.replace("\0", ""))
    notebook.run("corpus = %corpus --data text --name $name")
    notebook.run("vocab = %vocab --reserved '<script>,<b>'")
    notebook.run("batches = %sample --batch-size 2 --num-steps 8")
    notebook.run("run = %train_rnn --num-hiddens 8 --epochs 1 --name $name")
    return notebook


@pytest.mark.parametrize("name", ["corpus", "vocab", "batches", "run"])
def test_results_are_harmless(hostile: Notebook, name: str) -> None:
    forms = hostile.rich(hostile.variables[name])
    assert_harmless(forms["text/plain"])
    if name != "batches":
        assert_harmless_page(forms["text/html"])


@pytest.mark.parametrize(
    "options",
    ["", "--beam 2", "--num 2", "--score", "--stop '<' --greedy"],
)
def test_written_text_is_harmless(hostile: Notebook, options: str) -> None:
    hostile.variables["prefix"] = HOSTILE + "\U0001f600\x85"
    length = "" if options == "--score" else "--length 30"
    out = hostile.printed(f"%generate $prefix {options} {length}")
    assert_harmless(out)
    made = hostile.variables["_shown_nowhere"]
    forms = hostile.rich(made)
    assert_harmless(forms["text/plain"])
    assert_harmless_page(forms.get("text/html", ""))


def test_what_is_displayed_and_printed_is_harmless(
    hostile: Notebook, shown: list[dict[str, Any]]
) -> None:
    cells = (
        "%rnn",
        "%vocab --zipf --token word",
        "%vocab --zipf",
        "%sample --batch-size 2 --num-steps 8 --show 2",
        "%train_rnn --num-hiddens 8 --epochs 1 --name $name",
        "%train_rnn --explain --name $name",
        "%corpus --data text --name $name --explain",
    )
    for cell in cells:
        assert_harmless(hostile.printed(cell))
    assert_harmless(hostile.rich(hostile.run("%rnn"))["text/plain"])
    assert shown != []
    for output in shown:
        assert_harmless(output["data"]["text/plain"])
        assert_harmless_page(output["data"].get("text/html", ""))


@pytest.mark.parametrize(
    "cell", ["%corpus $name", "%generate the --run $name", "%rnn stop $name", "%train_rnn $name"]
)
def test_an_error_about_it_is_harmless(trained: Notebook, cell: str) -> None:
    trained.variables["name"] = HOSTILE
    assert_harmless(trained.refused(cell))


def test_a_file_name_is_harmless(notebook: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "<b>\x1b[31m\u202e & 'name'.txt"
    path.write_text("some text")
    notebook.variables["path"] = str(path)
    forms = notebook.rich(notebook.run("%corpus $path"))
    assert_harmless(forms["text/plain"])
    assert_harmless_page(forms["text/html"])
    assert "<b>\\x1b[31m\\u202e & 'name'" in Page(forms["text/html"]).text


def test_the_begin_of_a_corpus_is_shown_as_text(notebook: Notebook) -> None:
    page = notebook.rich(notebook.run("%%corpus\n<b>bold</b> &amp; {x}"))["text/html"]
    assert "<b>bold</b> &amp; {x}" in Page(page).text


def test_the_progress_of_a_hostile_run_is_harmless(
    hostile: Notebook, shown: list[dict[str, Any]]
) -> None:
    run = hostile.variables["run"]
    progress = NotebookProgress(run)
    progress(TrainEnd("failed", run.message))
    assert len(shown) == 2
    for output in shown:
        assert_harmless(output["data"]["text/plain"])
        assert_harmless_page(output["data"]["text/html"])


@pytest.mark.parametrize("text", ["$x$", "$$x$$", r"\(x\)", r"\[x\]", r"\begin{a}x\end{a}"])
def test_no_formula_is_found_in_html(text: str) -> None:
    source = escaped(text)
    # MathJax looks for a formula in text between elements: each mark stands alone in its own.
    pieces = re.split("<span>|</span>", source)
    assert "".join(pieces) == html.escape(text)
    assert not any(len(piece) > 1 and ("$" in piece or "\\" in piece) for piece in pieces)
