"""All views at once: their colours follow the theme, and axe-core finds nothing grave in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, Page, paging, without

AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
CHART = Path(__file__).parents[1] / "contract" / "payloads" / "chart.json"
PATIENCE = 120_000
SMALL = "%train_rnn --cell lstm --num-hiddens 24 --threads 1 --epochs"
TEXT = '"the time of day"'
CELLS = (
    "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32",
    f"{SMALL} 1 --name a",
    *(f"%inspect_rnn {view} {TEXT}" for view in ("hidden", "gates", "surprise", "gradient")),
    f"%inspect_rnn match {TEXT} --span 0:3 --threshold 0",
    "%inspect_rnn units",
    "%inspect_rnn batches",
    (
        "from rnn_magics.notebook.widgets.chart import ChartWidget\n"
        f"ChartWidget(data={json.loads(CHART.read_text(encoding='utf-8'))!r})"
    ),
    f"{SMALL} 100000 --name b --background",
)
DASHBOARD = ".rnn-dashboard"
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
def everything(lab: Any, browser: Any) -> Any:
    """A notebook with every view, of which the training is paused so that nothing redraws it."""
    with paging(browser, 1280, 4200) as page:
        page.open(lab.write("everything.ipynb", *CELLS))
        theme(page, "Light")
        page.run("notebook:run-all-cells")
        tab = page.tab
        tab.wait_for_function(
            "document.querySelectorAll('.rnn-inspection').length === 7", timeout=PATIENCE
        )
        tab.wait_for_selector(f"{DASHBOARD} canvas", timeout=PATIENCE)
        tab.wait_for_function(
            "document.querySelector('.rnn-dashboard .rnn-status').textContent.includes('held out')",
            timeout=PATIENCE,
        )
        dashboard = tab.locator(DASHBOARD)
        dashboard.get_by_role("button", name="Pause", exact=True).click()
        dashboard.get_by_role("button", name="Resume", exact=True).wait_for()
        page.run("rnn-magics:open-panel")
        tab.wait_for_selector(".rnn-panel .rnn-run")
        yield page
        theme(page, "Light")  # the server remembers it for the tests that follow


def test_a_chart_and_a_heatmap_are_redrawn_in_another_theme(everything: Page) -> None:
    tab = everything.tab
    canvases = tab.locator(".rnn-view canvas").count()
    assert tab.locator(".rnn-heatmap canvas").count() == 3
    assert canvases >= 7
    for name in ("Dark", "Light"):
        theme(everything, name)
        tab.wait_for_function(
            f"canvases => [...document.querySelectorAll('.rnn-view canvas')].filter({WRITTEN})"
            ".length === canvases",
            arg=canvases,
        )
        everything.screenshot(f"views-{name.lower()}")
    assert everything.errors == []


@pytest.mark.parametrize("name", ["Light", "Dark"])
def test_axe_finds_nothing_grave(everything: Page, name: str) -> None:
    if not AXE.is_file():
        without("axe-core is not installed; type: cd labextension && jlpm install")
    theme(everything, name)
    everything.tab.evaluate(AXE.read_text(encoding="utf-8"))
    assert "\n".join(everything.tab.evaluate(GRAVE)) == ""
