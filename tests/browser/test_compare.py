"""Compared runs in JupyterLab: their axis, their zoom, the copy, and a page of any width."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Page, paging, without
from tests.browser.test_accessible import AXE, GRAVE, theme

TRAIN = "%train_rnn --threads 1 --epochs 3"
CELLS = (
    "%load_ext rnn_magics",
    # Only the comparison is shown: cells beyond the window are not drawn.
    f"""%%capture
%corpus --max-tokens 20000
%vocab
%sample seq --batch-size 8 --num-steps 16
{TRAIN} --num-hiddens 8 --lr 0.01 --name small
{TRAIN} --num-hiddens 24 --cell lstm --name large
%vocab --token word
%sample seq --batch-size 4 --num-steps 8
{TRAIN} --num-hiddens 8 --name words""",
    "comparison = %rnn compare\ncomparison",
    "print(comparison.to_markdown())",
)
# What scrolls inside an output: a view is as wide as its page lets it be.
SCROLLING = """() => [...document.querySelectorAll('.rnn-several, .rnn-several *')]
  .filter(node => {
    const { overflowX, overflowY } = getComputedStyle(node);
    const scrolls = kind => kind === 'auto' || kind === 'scroll';
    return (scrolls(overflowX) && node.scrollWidth > node.clientWidth + 1)
      || (scrolls(overflowY) && node.scrollHeight > node.clientHeight + 1);
  })
  .map(node => node.className)"""
# A table that is cut off cannot be read.
FITS = """() => [...document.querySelectorAll('.rnn-several')].every(view =>
  [...view.querySelectorAll('.rnn-compared, .rnn-compared tbody *, .rnn-charts')].every(
    part => part.getBoundingClientRect().right <= view.getBoundingClientRect().right))"""


@pytest.fixture(scope="module")
def compared(lab: Any, browser: Any) -> Any:
    """A notebook in which two runs on characters and one on words are compared."""
    with paging(browser, 1400, 1700) as page:
        page.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.open(lab.write("compared.ipynb", *CELLS))
        page.run("notebook:run-all-cells")
        page.tab.wait_for_function(
            "document.querySelectorAll('.rnn-several .rnn-chart canvas').length === 4",
            timeout=90_000,
        )
        page.idle()
        page.run("application:toggle-left-area")
        yield page
        theme(page, "Light")


def labels(page: Page) -> list[str]:
    charts = page.tab.locator(".rnn-several .rnn-chart").all()
    return [chart.get_attribute("aria-label") for chart in charts]


def test_groups_stand_apart_with_their_baselines(compared: Page) -> None:
    tab = compared.tab
    heads = tab.locator(".rnn-several .rnn-group-head").all_inner_texts()
    assert [head[:1] for head in heads] == ["A", "B"]
    rows = tab.locator(".rnn-compared tbody tr").all_inner_texts()
    names = [row.split()[0] for row in rows]
    assert (sorted(names[:2]), names[2:]) == (["large", "small"], ["words"])
    perplexity, _, of_words, _ = labels(compared)
    for words in ("large: training", "small: held out", "uniform at", f"{names[0]}: best"):
        assert words in perplexity
    assert "words" not in perplexity
    assert "uniform at" in of_words


def test_the_axis_of_all_charts_is_chosen_once(compared: Page) -> None:
    choice = compared.tab.locator(".rnn-several select")
    assert choice.evaluate("node => [...node.options].map(one => one.text)") == [
        *("steps", "tokens", "seconds")
    ]
    for axis in ("tokens", "seconds"):
        choice.select_option(axis)
        compared.tab.wait_for_function(
            "axis => [...document.querySelectorAll('.rnn-several .rnn-chart')].every("
            "node => node.getAttribute('aria-label').includes(`against ${axis} of training`))",
            arg=axis,
        )
    choice.select_option("steps")


def test_the_table_is_copied_as_markdown(compared: Page) -> None:
    tab = compared.tab
    tab.get_by_role("button", name="Copy as Markdown").click()
    tab.wait_for_selector(".rnn-several [role=status]:has-text('in the clipboard')")
    copied = tab.evaluate("navigator.clipboard.readText()")
    printed = tab.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output").inner_text()
    assert copied.startswith("A: ")
    assert copied == printed.strip()


@pytest.mark.parametrize("width", [600, 700, 1000, 1400, 2000])
def test_nothing_scrolls_and_nothing_is_cut_off(compared: Page, width: int) -> None:
    compared.tab.set_viewport_size({"width": width, "height": 1700})
    compared.tab.wait_for_function("width => window.innerWidth === width", arg=width)
    compared.tab.wait_for_function(FITS, timeout=20_000)
    assert compared.tab.evaluate(SCROLLING) == []


@pytest.mark.parametrize("name", ["Light", "Dark"])
@pytest.mark.parametrize("width", [700, 1400])
def test_it_is_looked_at(compared: Page, name: str, width: int) -> None:
    compared.tab.set_viewport_size({"width": width, "height": 1700})
    theme(compared, name)
    view = compared.tab.locator(".rnn-several")
    view.scroll_into_view_if_needed()
    compared.screenshot(f"compare-{name.lower()}-{width}")
    if not AXE.is_file():
        without("axe-core is not installed; type: cd labextension && jlpm install")
    compared.tab.evaluate(AXE.read_text(encoding="utf-8"))
    assert "\n".join(compared.tab.evaluate(GRAVE)) == ""
    assert compared.errors == []
