"""Notebook 7 loads the extension, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nbconvert import HTMLExporter

from tests.browser.conftest import Page, paging, without
from tests.browser.test_accessible import AXE, GRAVE, HEIGHT, theme
from tests.browser.test_still import SCROLLING, settled

PATIENCE = 60_000
CELL = (
    "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32\n"
    "run = %train_rnn --cell rnn --num-hiddens 32 --threads 1 --epochs 100000 --background"
)


def test_notebook_7_shows_and_stops_a_run(notebook7: Any, page: Any) -> None:
    tab = page.tab
    notebook7.write("seven.ipynb", CELL)
    tab.goto(f"{notebook7.url}/notebooks/seven.ipynb")
    tab.wait_for_selector(".rnn-code-magic", timeout=PATIENCE)
    page.idle()
    page.run("notebook:run-cell")
    page.run("rnn-magics:open-panel")
    card = tab.locator(".rnn-run")
    card.wait_for(timeout=PATIENCE)
    tab.wait_for_selector(".rnn-run:has-text('epoch 1/100000')", timeout=PATIENCE)
    page.screenshot("notebook7-panel")
    card.get_by_role("button", name="Stop").click()
    tab.wait_for_selector(".rnn-run:has-text('stopped')", timeout=PATIENCE)
    assert [error for error in page.errors if "rnn" in error] == []  # it has some of its own


SHOWN = {
    "card": (
        "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 8 --num-steps 16\n"
        "run = %train_rnn --cell rnn --num-hiddens 8 --threads 1 --max-tokens 8000"
    ),
    "hidden": "%inspect_rnn hidden 'the time'",
    "play": "%inspect_rnn play 'the time'",
    "written": "%generate 'the time' --surprise --length 60",
    "compare": "%rnn compare",
}


@pytest.fixture(scope="module")
def seven(notebook7: Any, browser: Any) -> Iterator[Page]:
    """Notebook 7 with our extension, and a view of each kind."""
    with paging(browser, 1400, HEIGHT) as page:
        page.folder = notebook7.folder
        notebook7.write("views.ipynb", *SHOWN.values())
        page.open(f"{notebook7.url}/notebooks/views.ipynb")
        page.run("notebook:run-all-cells")
        page.tab.wait_for_selector(".rnn-several canvas", timeout=PATIENCE)
        page.idle()
        yield page
        theme(page, "Light")


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("name", ["Light", "Dark"])
def test_its_views_are_ours_in_any_theme_and_width(seven: Page, name: str, width: int) -> None:
    tab = seven.tab
    theme(seven, name)
    tab.set_viewport_size({"width": width, "height": HEIGHT})
    settled(seven)
    assert tab.locator(".rnn-view.rnn-run-card, .rnn-inspection, .rnn-several").count() == 4
    assert tab.locator(".jp-OutputArea img:visible").count() == 0
    for place, view in enumerate(SHOWN):
        cell = tab.locator(".jp-CodeCell").nth(place)
        seven.picture(cell, f"seven-{view}-{name.lower()}-{width}")
    assert tab.evaluate(SCROLLING) == []
    if not AXE.is_file():
        without("axe-core is not installed; type: cd labextension && jlpm install")
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    assert "\n".join(tab.evaluate(GRAVE)) == ""
    assert [error for error in seven.errors if "rnn" in error] == []


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_page_made_of_it_is_whole(seven: Page, browser: Any, name: str, width: int) -> None:
    seven.tab.evaluate("jupyterapp.commands.execute('docmanager:save')")
    exporter = HTMLExporter(theme=name)  # type: ignore[no-untyped-call]
    made, _ = exporter.from_filename(str(seven.folder / "views.ipynb"))  # type: ignore[no-untyped-call]
    tab = browser.new_context(viewport={"width": width, "height": 4000}, offline=True).new_page()
    tab.set_content(made, wait_until="domcontentloaded")
    seven.picture(tab, f"seven-nbconvert-{name}-{width}")
    assert tab.locator(".jp-OutputArea img").count() == 4
    assert "object at 0x" not in tab.locator("body").inner_text()
    assert "VBox(" not in tab.locator("body").inner_text()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    assert "\n".join(tab.evaluate(GRAVE.replace(".rnn-view", ".jp-OutputArea-output"))) == ""
    tab.context.close()
