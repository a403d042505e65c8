"""The reports of our magics as a reader sees them: light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Page, paging
from tests.browser.test_accessible import AXE, theme

PATIENCE = 120_000
SMALL = "%train_rnn --cell gru --num-hiddens 16 --threads 1 --max-tokens 20000"
BEGIN = (
    "%load_ext rnn_magics\n%config RNNMagics.live = False\n%config RNNMagics.figures = False\n"
    "%config RNNMagics.progress = False\n%corpus"
)
PREPARE = (
    "_ = %vocab\n_ = %sample seq --batch-size 16 --num-steps 32\n"
    f"_ = {SMALL} --name one\n_ = {SMALL} --name two"
)
FORMS = {
    "corpus": BEGIN,
    "run": f"{PREPARE}\n%rnn",
    "doctor": "%rnn doctor one",
    "score": '%generate "the value of the argument" --score --run one',
    "surprise": '%generate "the value" --surprise --length 60 --run one',
    "three": '%generate "the value" --num 3 --length 60 --run one',
    "evaluate": "%evaluate_rnn --run one",
    "baseline": "%baseline --order 1-3",
}
GRAVE = """async () => {
  const found = await axe.run(
    [...document.querySelectorAll('.jp-RenderedHTMLCommon')],
    { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }
  );
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(one => `${id}: ${one.html.slice(0, 160)}`));
}"""
WIDER = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => one.innerText.slice(0, 80))"""
FORMS_SEEN = "document.querySelectorAll('.jp-RenderedHTMLCommon').length"


@pytest.fixture(scope="module")
def reports(lab: Any, browser: Any) -> Iterator[Page]:
    """A notebook with every report that is HTML, all of them unfolded."""
    with paging(browser, 1400, 5000) as page:
        page.open(lab.write("reports.ipynb", *FORMS.values()))
        page.run("application:toggle-left-area")
        page.run("notebook:run-all-cells")
        last = page.tab.locator(".jp-CodeCell").last.locator(".jp-RenderedHTMLCommon")
        last.wait_for(timeout=PATIENCE)
        assert page.tab.locator(".jp-OutputArea pre:has-text('Error')").all_inner_texts() == []
        assert page.tab.evaluate(FORMS_SEEN) >= len(FORMS)
        page.tab.add_script_tag(path=AXE)
        yield page
        theme(page, "Light")


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("colours", ["Light", "Dark"])
def test_no_report_hides_anything_from_anyone(reports: Page, colours: str, width: int) -> None:
    tab = reports.tab
    theme(reports, colours)
    tab.set_viewport_size({"width": width, "height": 5000})
    for is_open in ("false", "true"):
        tab.evaluate(f"document.querySelectorAll('details').forEach(d => d.open = {is_open})")
        assert tab.evaluate(GRAVE) == []
        assert tab.evaluate(WIDER) == []
    cells = tab.locator(".jp-CodeCell")
    for place, name in enumerate(FORMS):
        reports.picture(cells.nth(place), f"report-{name}-{colours.lower()}-{width}")
