"""Pages of the site, opened from disk: alive, legible and no wider than a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import wait_until_written, without
from tests.browser.test_accessible import AXE
from tests.browser.test_page_file import File

LESSON = "examples/zh/07_gru_lstm_deep_bidirectional.html"  # with equations that are wide
PAGES = (
    "docs/index.html",
    "docs/gallery.html",
    "docs/api/generated/rnn_magics.RNNModel.html",
    LESSON,
)
GRAVE = """async () => {
  const found = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] });
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(one => `${id}: ${one.html.slice(0, 160)}`));
}"""


def opened(browser: Any, site: Path, page: str, **more: Any) -> File:
    file = File(browser, (site / page).as_uri(), **more)
    if "gallery" in page:
        file.tab.locator(".rnn-inspection").nth(6).wait_for()
    return file


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_nobody_else(browser: Any, site: Path, page: str) -> None:
    file = opened(browser, site, page)
    assert not [url for url in file.asked if not url.startswith(("file:", "data:", "blob:"))]
    assert [words for words in file.said if "rnn" in words] == []
    file.tab.screenshot(path=Path("artefacts") / f"site-{Path(page).stem}.png")
    file.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_grave(browser: Any, site: Path, page: str, theme: str) -> None:
    if not AXE.is_file():
        without("axe-core is not installed; type: cd labextension && jlpm install")
    file = opened(browser, site, page, color_scheme=theme)
    file.tab.wait_for_selector(f"html[data-theme={theme}]")
    file.tab.evaluate(AXE.read_text(encoding="utf-8"))
    assert "\n".join(file.tab.evaluate(GRAVE)) == ""
    file.context.close()


@pytest.mark.parametrize("page", [*PAGES, "docs/install.html", "docs/performance.html"])
def test_nothing_is_wider_than_a_phone(browser: Any, site: Path, page: str) -> None:
    file = opened(browser, site, page)
    file.tab.set_viewport_size({"width": 360, "height": 740})
    file.tab.wait_for_timeout(200)
    assert file.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    file.context.close()


def test_a_model_of_the_gallery_is_typed_at(browser: Any, site: Path) -> None:
    file = opened(browser, site, "docs/gallery.html")
    model = file.tab.locator(".rnn-inspection", has=file.tab.locator("textarea"))
    model.locator("textarea").fill("the value")
    wait_until_written(model)
    text = model.locator(".rnn-branch").first.locator("[role=listbox]")
    assert text.inner_text().startswith("the value")
    assert file.tab.locator(".rnn-run-card .uplot").count() >= 2
    file.context.close()


def test_a_name_is_found_by_searching(browser: Any, site: Path) -> None:
    file = File(browser, f"{(site / 'search.html').as_uri()}?q=fit_ladder")
    found = file.tab.locator("#search-results a", has_text="fit_ladder").first
    found.wait_for()
    assert "rnn_magics.fit_ladder" in (found.get_attribute("href") or "")
    file.context.close()
