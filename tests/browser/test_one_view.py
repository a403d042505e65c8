"""A result has one view, whatever draws it: our extension, a widget, or a page of pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbconvert import HTMLExporter

from rnn_magics.notebook.widgets.base import STATIC
from tests.browser.conftest import Page, paging

PATIENCE = 60_000
PAYLOAD = Path(__file__).parents[1] / "contract" / "payloads" / "chart.json"
CHART = json.loads(PAYLOAD.read_text(encoding="utf-8"))
TRAIN = "run = %train_rnn --cell rnn --num-hiddens 8 --threads 1 --max-tokens 4000"
CELLS = (
    "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 8 --num-steps 16",
    TRAIN,
    "%inspect_rnn hidden 'the time'\nprint('after the view')",
    "%config RNNMagics.live = False\n%inspect_rnn surprise 'the time'",
    "%config RNNMagics.live = True\n%inspect_rnn surprise 'the time'\n%inspect_rnn batches",
)
# What is seen of each cell: the views that are drawn, the pictures, and the words.
SEEN = """() => [...document.querySelectorAll('.jp-CodeCell')].map(cell => {
  const seen = what => [...cell.querySelectorAll(`.jp-OutputArea ${what}`)]
    .filter(one => one.checkVisibility()).length;
  const said = [...cell.querySelectorAll('.jp-OutputArea pre')].map(one => one.innerText);
  return [seen('.rnn-inspection, .rnn-run-card'), seen('img'), said.join()];
})"""
# The outputs of a cell in front ends that are not Jupyter's.
ELSEWHERE = {
    "vscode": "<div class=cell_container>{}</div>|<div class=output_container>{}</div>",
    "classic": "<div class=output>{}</div>|<div class=output_area>{}</div>",
}
SHOW = """([data, is_kept]) => {
  const traits = { _view: 'chart', data, is_kept };
  const model = { get: name => traits[name], on: () => undefined, off: () => undefined };
  bundle.render({ model, el: document.querySelector('#here') });
}"""


@pytest.fixture(scope="module", params=["jupyterlab", "notebook"])
def plain(
    request: pytest.FixtureRequest,
    serve: Any,
    browser: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Page]:
    """JupyterLab or Notebook 7 with widgets, but without our extension."""
    home = tmp_path_factory.mktemp(request.param)
    with serve(home, request.param, extension=False) as lab, paging(browser, 1280, 3000) as page:
        url = lab.write("plain.ipynb", *CELLS)
        if request.param == "notebook":
            url = f"{lab.url}/notebooks/plain.ipynb"
        page.open(url)
        page.run("notebook:run-all-cells")
        page.idle()
        for what, number in ((".rnn-inspection", 3), (".jp-OutputArea img", 5)):
            there = f"document.querySelectorAll('{what}').length === {number}"
            page.tab.wait_for_function(there, timeout=PATIENCE)
        page.screenshot(f"one-view-{request.param}")
        page.tab.evaluate("jupyterapp.commands.execute('docmanager:save')")
        page.folder = lab.folder
        yield page


def test_a_widget_hides_the_picture_of_the_same_result_and_no_other(plain: Page) -> None:
    _, trained, hidden, surprise, two = plain.tab.evaluate(SEEN)
    assert trained[:2] == [0, 1]  # the widget of a run gives way to its picture
    assert hidden[:2] == [1, 0]
    assert "after the view" in hidden[2]  # what comes after the picture stays
    assert surprise[:2] == [0, 1]  # without a widget, the picture
    assert two[:2] == [2, 0]


def test_a_picture_is_back_when_its_widget_is_gone(plain: Page) -> None:
    plain.tab.evaluate("document.querySelectorAll('.rnn-live').forEach(one => one.remove())")
    assert [seen[1] for seen in plain.tab.evaluate(SEEN)] == [0, 1, 1, 1, 2]


@pytest.mark.parametrize("width", [1400, 700])
def test_a_page_made_of_it_shows_each_picture_whole(plain: Page, browser: Any, width: int) -> None:
    notebook = plain.folder / "plain.ipynb"
    page, _ = HTMLExporter().from_filename(str(notebook))  # type: ignore[no-untyped-call]
    tab = browser.new_context(viewport={"width": width, "height": 3000}, offline=True).new_page()
    tab.set_content(page, wait_until="domcontentloaded")
    pictures = tab.locator(".jp-OutputArea img").all()
    assert [picture.is_visible() for picture in pictures] == [True] * 5
    assert max(box["x"] + box["width"] for box in map(box_of, pictures)) <= width
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    plain.picture(tab, f"one-view-nbconvert-{width}")
    tab.context.close()


def box_of(element: Any) -> Any:
    return element.bounding_box()


def alone(browser: Any, body: str) -> Any:
    """Return a page that has the bundle of the widgets and nothing of Jupyter."""
    tab = browser.new_context().new_page()
    style = (STATIC / "widgets.css").read_text(encoding="utf-8")
    tab.set_content(f"<!doctype html><style>{style}</style>{body}")
    bundle = (STATIC / "widgets.js").read_text(encoding="utf-8")
    code = re.sub(r"export\{(\w+) as default\}", r"globalThis.bundle = \1", bundle)
    tab.add_script_tag(type="module", content=code)
    tab.wait_for_function("globalThis.bundle")
    return tab


@pytest.mark.parametrize("where", ELSEWHERE)
@pytest.mark.parametrize("is_kept", [True, False])
def test_so_it_is_in_other_front_ends(browser: Any, where: str, *, is_kept: bool) -> None:
    around, output = ELSEWHERE[where].split("|")
    outputs = "".join(map(output.format, ("<div id=here></div>", "<i>kept</i>", "<i>other</i>")))
    tab = alone(browser, around.format(outputs))
    tab.evaluate(SHOW, [CHART, is_kept])
    tab.wait_for_selector(".rnn-chart")
    seen = [text for text in ("kept", "other") if tab.locator(f"i:text-is('{text}')").is_visible()]
    assert seen == (["other"] if is_kept else ["kept", "other"])
    tab.context.close()


def test_a_view_that_cannot_be_drawn_hides_no_picture(browser: Any) -> None:
    tab = alone(browser, "<div id=here></div>")
    tab.evaluate(SHOW, [{"x": "spoilt"}, True])
    tab.wait_for_selector("text=This view cannot be drawn")
    assert tab.locator(".rnn-live").count() == 0
    tab.context.close()
