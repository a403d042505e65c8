"""Every view at once, wide and narrow, light and dark.

Its colours follow the theme, axe-core finds nothing grave in it, nothing in it scrolls, and a
picture of it is kept in ``artefacts/``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, Page, paging, without
from tests.browser.test_still import SCROLLING, SHIFTS, WIDTHS, settled

AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
CHART = Path(__file__).parents[1] / "contract" / "payloads" / "chart.json"
PATIENCE = 120_000
SMALL = "%train_rnn --cell lstm --num-hiddens 24 --threads 1 --epochs"
TEXT = '"the time of day"'
DRAWN = ("hidden", "gates", "surprise", "gradient", "match", "units", "batches", "play")
# Each stands in a cell of its own, whose picture has its name.
CELLS = {
    "prepare": (
        "%load_ext rnn_magics\n%corpus --max-tokens 40000\n%vocab\n"
        "%sample seq --batch-size 16 --num-steps 32"
    ),
    "interrupted": f"{SMALL} 100000 --schedule constant --name c",
    "ended": f"{SMALL} 4 --name a",
    "sweep": "%sweep --num-hiddens 4:24 --cell gru,rnn --lr 1e-3:1e-1 --epochs 1 --trials 3",
    **{view: f"%inspect_rnn {view} {TEXT} --run a" for view in DRAWN[:4]},
    "match": f"%inspect_rnn match {TEXT} --span 0:3 --threshold 0 --run a",
    "units": "%inspect_rnn units --run a",
    "batches": "%inspect_rnn batches",
    "play": f"%inspect_rnn play {TEXT} --run a",
    "patch": f'%inspect_rnn patch {TEXT} "the state of it" --run a',
    "ablate": "%inspect_rnn ablate --tokens 200 --run a",
    "probe": "%inspect_rnn probe --search 20000 --run a",
    "diff": f"%inspect_rnn diff {TEXT} --run a,c",
    "chart": (
        "from rnn_magics.notebook.widgets.chart import ChartWidget\n"
        f"ChartWidget(data={json.loads(CHART.read_text(encoding='utf-8'))!r})"
    ),
    "live": f"{SMALL} 100000 --schedule constant --name b --background",
}
DASHBOARD = ".rnn-dashboard"
HELD_OUT = (
    "document.querySelector('.rnn-dashboard .rnn-status')?.textContent.includes('held out') &&"
    " document.querySelector('.rnn-dashboard .rnn-head').textContent === '{}'"
)
HEIGHT = 12_000  # so that every cell is drawn
# Whether a canvas is written on in the colour of text, or in that of muted text, which is the same
# but seen through; above a heatmap, where its tokens stand.
WRITTEN = """canvas => {
  const ink = getComputedStyle(canvas).color.match(/[\\d.]+/g).map(Number);
  const height = canvas.closest('.rnn-heatmap') ? 16 : canvas.height;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, height);
  for (let at = 0; at < data.length; at += 4) {
    const near = [0, 1, 2].every(part => Math.abs(data[at + part] - ink[part]) < 12);
    if (near && data[at + 3] > 90) {
      return true;
    }
  }
  return false;
}"""
GRAVE = """async () => {
  const found = await axe.run(
    [...document.querySelectorAll('.rnn-view')],
    { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }
  );
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(one => `${id}: ${one.html.slice(0, 160)}`));
}"""


def theme(page: Page, name: str) -> None:
    page.tab.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {name}",
    )
    light = str(name == "Light").lower()
    page.tab.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")


@pytest.fixture(scope="module")
def everything(lab: Any, browser: Any) -> Iterator[Page]:
    """A notebook with every view, of which the training is paused so that nothing redraws it."""
    with paging(browser, 1400, HEIGHT) as page:
        page.open(lab.write("everything.ipynb", *CELLS.values()))
        theme(page, "Light")
        page.run("application:toggle-left-area")
        page.run("notebook:run-all-cells")
        tab = page.tab
        tab.wait_for_function(HELD_OUT.format("c"), timeout=PATIENCE)
        page.run("notebook:interrupt-kernel")
        tab.wait_for_function(
            f"document.querySelectorAll('.rnn-inspection').length === {len(DRAWN)}",
            timeout=PATIENCE,
        )
        tab.wait_for_function(HELD_OUT.format("b"), timeout=PATIENCE)
        dashboard = tab.locator(DASHBOARD)
        dashboard.get_by_role("button", name="Pause", exact=True).click()
        dashboard.get_by_role("button", name="Resume", exact=True).wait_for()
        assert tab.locator(".jp-OutputArea pre:has-text('Error')").all_inner_texts() == []
        yield page
        theme(page, "Light")  # the server remembers it for the tests that follow


def test_a_chart_and_a_heatmap_are_redrawn_in_another_theme(everything: Page) -> None:
    tab = everything.tab
    canvases = tab.locator(".rnn-view canvas").count()
    assert tab.locator(".rnn-heatmap canvas").count() == 4
    assert canvases >= 12
    for name in ("Dark", "Light"):
        theme(everything, name)
        tab.wait_for_function(
            f"canvases => [...document.querySelectorAll('.rnn-view canvas')].filter({WRITTEN})"
            ".length === canvases",
            arg=canvases,
        )
    assert everything.errors == []


def test_each_way_a_run_can_stand_is_there(everything: Page) -> None:
    chips = everything.tab.locator(".rnn-run-card .rnn-chip").all_inner_texts()
    assert chips == ["interrupted", "all epochs done", "ended", "paused"]


def grave(page: Page) -> str:
    if not AXE.is_file():
        without("axe-core is not installed; type: cd labextension && jlpm install")
    page.tab.evaluate(AXE.read_text(encoding="utf-8"))
    return "\n".join(page.tab.evaluate(GRAVE))


def test_the_panel_at_the_side_leaves_nobody_out(everything: Page) -> None:
    tab = everything.tab
    tab.set_viewport_size({"width": 1400, "height": 900})
    everything.run("rnn-magics:open-panel")
    tab.wait_for_selector(".rnn-panel .rnn-run")
    for name in ("Dark", "Light"):
        theme(everything, name)
        everything.screenshot(f"view-side-{name.lower()}")
        assert grave(everything) == ""
    everything.run("application:toggle-right-area")
    tab.wait_for_selector(".rnn-panel", state="hidden")


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("name", ["Light", "Dark"])
def test_nobody_is_left_out(everything: Page, name: str, width: int) -> None:
    tab = everything.tab
    theme(everything, name)
    tab.set_viewport_size({"width": width, "height": HEIGHT})
    settled(everything)
    cells = tab.locator(".jp-CodeCell")
    for place, view in enumerate(CELLS):
        everything.picture(cells.nth(place), f"view-{view}-{name.lower()}-{width}")
    assert grave(everything) == ""


# Of everything that shows something to whoever points at it.
POINTED_AT = ".rnn-chart, .rnn-heatmap, .rnn-text, .rnn-run-card, .rnn-place, .rnn-schematic"


def boxes_at_rest(page: Page) -> list[Any]:
    """Return where everything is, once the page has followed its width."""
    seen: list[Any] = []
    while True:
        before = seen
        for _ in range(4):
            settled(page)
        seen = [one.bounding_box() for one in page.tab.locator(POINTED_AT).all()]
        if seen == before:
            return seen


def test_pointing_at_anything_moves_nothing(everything: Page) -> None:
    tab = everything.tab
    tab.set_viewport_size({"width": 1000, "height": HEIGHT})
    boxes = boxes_at_rest(everything)
    assert len(boxes) > 20
    tab.evaluate(SHIFTS)
    for box in filter(None, boxes):
        for share in (0.2, 0.5, 0.8):
            tab.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
            tab.evaluate("() => new Promise(requestAnimationFrame)")
    tab.mouse.move(0, 0)
    settled(everything)
    assert tab.evaluate("() => window.__shifts") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_at_any_width(everything: Page, width: int) -> None:
    everything.tab.set_viewport_size({"width": width, "height": HEIGHT})
    settled(everything)
    assert everything.tab.evaluate(SCROLLING) == []
