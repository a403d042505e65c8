"""Other people's notebooks, models and files: nothing that they say is run, and all is shown."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from rnn_magics.notebook.page.view import INSPECTION_MIME
from tests.browser.mutants import DO, HOSTILE, mutants, originals
from tests.browser.renders import Drawn, draw

PATIENCE = 60_000
SOURCES = (
    "() => [...jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.source)"
)
ENDS = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
TWO_LINES = [f"x?{end}!touch pwned{end}#" for end in ENDS]
ONE_LINE = ["x?", "a\\", "b?", '"?', "!touch pwned", "%run pwned", "$(touch pwned)", DO]
COMMANDS = "() => jupyterapp.commands.listCommands().filter(id => id.startsWith('rnn-magics:'))"
# Whatever the extension and its views have to be pressed, now and when there is more of it.
PRESS = """() => {
  const ours = '.rnn-panel button, .rnn-view button, .rnn-status-item';
  const buttons = [...document.querySelectorAll(ours)].filter(button => !button.disabled);
  buttons.forEach(button => button.click());
  return buttons.map(button => button.textContent);
}"""


REFUSED = "Nothing was inserted"
# A kernel does one thing after the other: what a cell asked of it before is done, too.
DONE = """async () => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  await kernel.requestExecute({ code: '' }).done;
}"""


def output(payload: Any, mime: str = INSPECTION_MIME) -> Any:
    data = {"text/plain": "the words of it", mime: payload}
    return nbformat.v4.new_output("display_data", data)  # type: ignore[no-untyped-call]


def saved(lab: Any, name: str, payloads: list[Any], kernel: str = "no-such-kernel") -> str:
    cells = [
        nbformat.v4.new_code_cell(f"# {at}", outputs=[output(payload)])  # type: ignore[no-untyped-call]
        for at, payload in enumerate(payloads)
    ]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]
    # A server cannot send a lone surrogate, so none reaches a page in a notebook.
    text = json.dumps(notebook).replace("\\ud800", "?")
    (lab.folder / name).write_text(text, encoding="ascii")
    return f"{lab.url}/lab/tree/{name}?reset"


def is_ours(source: str) -> bool:
    return source.splitlines() == [source] and source.startswith(("%rnn ", "%corpus ", "%inspect"))


def test_names_of_other_people_run_nothing_whatever_is_pressed(lab: Any, page: Any) -> None:
    hidden = {**originals()["hidden"][1], "text": HOSTILE, "look": ""}
    kept = json.dumps(hidden).replace("\\ud800", "?")  # no message can hold a lone surrogate
    names = json.dumps([*TWO_LINES, *ONE_LINE])
    # Past the wall that refuses such names where they enter, as a later hole in it would let them.
    rename = (
        f"import copy, json\nsession = get_ipython()._rnn_magics_session\n"
        f"session.runs = {{}}\n"
        f"for name in json.loads({names!r}):\n"
        f"    session.runs[name] = copy.copy(run)\n"
        f"    session.runs[name].name = name"
    )
    train = "run = %train_rnn --cell rnn --num-hiddens 8 --max-tokens 2000 --threads 1"
    steps = "%load_ext rnn_magics\n%corpus --max-tokens 9000\n%vocab\n%sample --num-steps 16"
    view = (
        "import json\nfrom IPython.display import display\n"
        f"display({{'{INSPECTION_MIME}': json.loads({kept!r})}}, raw=True)"
    )
    given = [view, steps, f"{train} --no-baseline", rename]
    (lab.folder / f"{TWO_LINES[0]}.txt").write_text("text " * 99, encoding="utf-8")
    page.run_all(lab.write("hostile.ipynb", *given))
    page.run("rnn-magics:open-panel")
    tab = page.tab
    boxes = tab.locator(".rnn-panel input[type=checkbox]")
    tab.wait_for_function(
        "n => document.querySelectorAll('.rnn-panel input[type=checkbox]').length === n",
        arg=len(TWO_LINES) + len(ONE_LINE),
        timeout=PATIENCE,
    )
    tab.locator(".rnn-heatmap canvas").press("Shift+ArrowRight")
    tab.wait_for_selector("text=There is no line")
    for box in boxes.all():
        box.check()
    assert "Compare" in tab.evaluate(PRESS)
    tab.wait_for_selector("text=Nothing was inserted")
    items = tab.locator(".jp-DirListing-item", has_text="touch")
    items.first.click()
    for command in tab.evaluate(COMMANDS):
        if command != "rnn-magics:quickstart":  # opens another notebook: at the end
            page.run(command)
    page.idle()
    # Without the names of two lines, the picture is drawn, by a cell that says what is shown.
    assert tab.evaluate(SOURCES) == given
    for box in boxes.all():
        label = box.get_attribute("aria-label")
        if "pwned\\" in label or "pwned⏎" in label:
            box.uncheck()
    assert "Compare" in tab.evaluate(PRESS)
    page.idle()
    tab.wait_for_function(f"() => ({SOURCES})().length === {len(given) + 1}")
    (line,) = [source for source in tab.evaluate(SOURCES) if source not in given]
    assert is_ours(line)
    inserted = tab.locator(".jp-Notebook .jp-Cell", has_text="%rnn compare")
    inserted.locator(".rnn-saved").wait_for(timeout=PATIENCE)
    page.run("rnn-magics:quickstart")
    tab.wait_for_selector(".jp-Notebook h1:has-text('six lines')")
    assert list(lab.folder.rglob("*pwned")) == []


def refused(page: Any, cells: int) -> bool:
    """Wait until the page has refused to make a cell, or has made one and it is done."""
    tab = page.tab
    tab.wait_for_function(
        f"n => document.body.innerText.includes('{REFUSED}') || ({SOURCES})().length > n", arg=cells
    )
    tab.evaluate(DONE)
    said = bool(tab.locator(f"text={REFUSED}").count())
    if said:
        tab.locator(".jp-Notification-Toast-Close").first.click()
        tab.wait_for_selector(f"text={REFUSED}", state="detached")
    return said


def test_compare_says_that_it_takes_no_name_of_two_lines(lab: Any, page: Any) -> None:
    # A run out of a file, renamed past the wall where names enter.
    rename = (
        "import copy, json\nsession = get_ipython()._rnn_magics_session\n"
        "%save_rnn hostile.safetensors\nrun = %load_rnn hostile.safetensors --name loaded\n"
        f"for name in json.loads({json.dumps(TWO_LINES)!r}):\n"
        "    session.runs[name] = copy.copy(run)\n    session.runs[name].name = name"
    )
    given = [
        "%load_ext rnn_magics\n%corpus --max-tokens 9000\n%vocab\n%sample --num-steps 16",
        "%train_rnn --num-hiddens 8 --max-tokens 2000 --threads 1 --no-baseline --name plain",
        rename,
    ]
    page.run_all(lab.write("compare.ipynb", *given))
    page.run("rnn-magics:open-panel")
    cards = page.tab.locator(".rnn-panel .rnn-run")
    cards.nth(len(TWO_LINES) + 1).wait_for(timeout=PATIENCE)
    box = cards.get_by_role("checkbox", name="compare plain", exact=True)
    box.check()
    hostile = cards.get_by_role("checkbox", name="touch pwned")
    assert hostile.count() == len(TWO_LINES)
    said = []
    for other in reversed(hostile.all()):
        cells = len(page.tab.evaluate(SOURCES))
        other.check()
        page.tab.locator(".rnn-panel").get_by_role("button", name="Compare").click()
        said.append(refused(page, cells))
        other.uncheck()
    page.tab.evaluate(DONE)
    assert list(lab.folder.rglob("*pwned")) == []
    assert page.tab.evaluate(SOURCES) == given
    assert all(said)


def test_use_as_corpus_says_that_it_takes_no_file_whose_name_is_two_lines(
    lab: Any, page: Any
) -> None:
    for name in (*TWO_LINES, "plain"):
        (lab.folder / f"{name}.txt").write_text("text " * 99, encoding="utf-8")
    page.open(lab.write("files.ipynb", "1"))
    tab = page.tab
    chosen = tab.locator(".jp-DirListing-item.jp-mod-selected")
    hostile = tab.locator(".jp-DirListing-item", has_text="touch pwned")
    hostile.nth(len(TWO_LINES) - 1).wait_for()
    assert hostile.count() == len(TWO_LINES)
    for item in hostile.all():
        item.click()
        assert chosen.count() == 1
        assert "touch pwned" in chosen.inner_text()
        page.run("rnn-magics:use-as-corpus")
        assert refused(page, cells=1)
        assert tab.evaluate(SOURCES) == ["1"]
    hostile.first.click(button="right")
    tab.wait_for_selector(".lm-Menu-itemLabel:text('Rename')")
    entry = tab.locator(".lm-Menu-itemLabel:text('Use as Corpus')")
    assert not entry.is_visible()
    tab.keyboard.press("Escape")
    tab.locator(".jp-DirListing-item", has_text="plain.txt").click(button="right")
    entry.click()
    tab.wait_for_function(f"() => ({SOURCES})().length === 2")
    assert tab.evaluate(SOURCES) == ["1", "%corpus plain.txt"]
    assert list(lab.folder.rglob("*pwned")) == []


def test_a_cell_is_asked_for_by_one_line_of_ours_only(lab: Any, page: Any) -> None:
    page.open(lab.write("asked.ipynb", "1"))
    ask = """text => document.querySelector('.jp-Notebook .jp-Cell').dispatchEvent(
      new CustomEvent('rnn-magics:insert-cell', { bubbles: true, detail: { text } }))"""
    bad = ["!touch pwned", "import os", "%rnn?", "%rnn \\", "%run x", "%%bash\ntouch pwned"]
    for text in [*bad, *(f"%rnn compare {name}" for name in TWO_LINES)]:
        page.tab.evaluate(ask, text)
    assert page.tab.evaluate(SOURCES) == ["1"]
    page.tab.evaluate(ask, "%rnn compare a")
    assert page.tab.evaluate(SOURCES) == ["1", "%rnn compare a"]


def test_every_cell_of_a_spoilt_notebook_is_shown(lab: Any, page: Any) -> None:
    gates, hidden = originals()["gates"][1], originals()["hidden"][1]
    packed = gates["values"][0]
    spoilt = [
        {**gates, "values": [{**packed, "base64": "!" * len(packed["base64"])}]},
        {**gates, "values": [{**packed, "shape": [100_000_000, 0, 3], "base64": ""}] * 5},
        {**hidden, "tokens": [], "states": [{**packed, "shape": [10**8, 0, 3], "base64": ""}] * 2},
        {**originals()["surprise"][1], "bits": [0] * 300_000},
        {**originals()["gradient"][1], "norms": [0] * 300_000},
        {"view": "epochs"},
        [],
        gates,
    ]
    page.tab.goto(saved(lab, "spoilt.ipynb", spoilt))
    page.tab.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    page.tab.wait_for_function(
        "n => document.querySelectorAll('.jp-Cell .jp-OutputArea-output').length === n",
        arg=len(spoilt),
    )
    page.tab.wait_for_function(
        "n => document.querySelectorAll('.rnn-words').length === n", arg=2 * (len(spoilt) - 1)
    )
    assert page.tab.locator("text=the words of it").count() == len(spoilt) - 1
    assert page.tab.locator(".rnn-heatmap canvas").count() == 1


@pytest.mark.parametrize("view", originals())
def test_mutants_of_a_saved_view_are_drawn_or_their_words_are(
    lab: Any, page: Any, view: str
) -> None:
    page.tab.goto(saved(lab, "mutants.ipynb", [originals()["gates"][1]]))
    page.tab.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    page.tab.wait_for_selector(".rnn-heatmap canvas")
    mime, payload = originals()[view]
    drawn = Drawn()
    draw(page, mime, [payload], drawn)
    assert (drawn.refused, drawn.wrong) == (0, [])  # or nothing below is looked at
    draw(page, mime, list(mutants(payload, 50, seed=14)), drawn)
    assert drawn.wrong == []
    assert 5 < drawn.refused < 51
