"""The control panel as a person uses it: text to training to text, without typing a line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_accessible import AXE, GRAVE, theme


def button(page: Any, name: str) -> Any:
    return page.tab.get_by_role("button", name=name, exact=True)


def field(page: Any, name: str) -> Any:
    return page.tab.locator(".jp-OutputArea").get_by_label(name, exact=True)


def step(page: Any, title: str, *, done: bool) -> Any:
    """Wait until a step is ticked off, or open, and return its heading."""
    state = "[data-done=true]" if done else "[aria-expanded=true]"
    head = page.tab.locator(f".rnn-step{state}:has-text('{title}')")
    head.wait_for(timeout=60_000)
    return head


def grave_when_all_is_open(page: Any) -> list[str]:
    page.tab.evaluate(
        "document.querySelectorAll('.rnn-step[aria-expanded=false]').forEach(head => head.click())"
    )
    page.tab.wait_for_function("!document.querySelector('.rnn-step[aria-expanded=false]')")
    page.tab.add_script_tag(path=AXE)
    found: list[str] = page.tab.evaluate(GRAVE)
    return found


def change(page: Any, name: str, value: str) -> None:
    field(page, name).fill(value)
    field(page, name).press("Tab")


IN_VIEW = """head => {
  const pane = head.closest('.jp-WindowedPanel-outer').getBoundingClientRect();
  const box = head.getBoundingClientRect();
  return box.top >= pane.top - 1 && box.bottom <= pane.bottom + 1;
}"""


@pytest.mark.parametrize(("width", "colours"), [(1400, "Light"), (700, "Dark")])
def test_the_pipeline_by_widgets(lab: Any, page: Any, width: int, colours: str) -> None:
    (lab.folder / "wells.txt").write_text("the time machine by h g wells\n" * 200, encoding="utf-8")
    page.tab.set_viewport_size({"width": width, "height": 800})
    page.open(lab.write(f"panel-{width}.ipynb", "%load_ext rnn_magics\n%rnn_lab"))
    theme(page, colours)
    page.run("notebook:run-all-cells")
    source = field(page, "Text")
    source.wait_for(timeout=60_000)
    label = page.tab.locator("label:has-text('Text') [title]").first
    assert label.get_attribute("title").startswith("built-in: ")  # the help of the option
    change(page, "Text", "wells.txt")
    page.tab.wait_for_selector("text=the same line: %corpus wells.txt")
    button(page, "Read the text").click()
    step(page, "Text", done=True)
    page.tab.wait_for_selector("td:has-text('6,000 characters in 200 lines')")
    assert page.tab.locator("td:has-text('different: ')").is_visible()
    step(page, "Vocabulary", done=False)
    page.screenshot(f"panel-{width}-text")
    button(page, "Make the vocabulary").click()
    step(page, "Vocabulary", done=True)
    head = step(page, "Minibatches", done=False)
    page.tab.wait_for_function(IN_VIEW, arg=head.element_handle())
    change(page, "Batch size", "0")
    page.tab.wait_for_selector("[role=alert]:has-text('Batch size must be at least 1, not 0')")
    assert button(page, "Cut the text").is_disabled()
    change(page, "Batch size", "4")
    field(page, "Batching").select_option("random")
    button(page, "Cut the text").click()
    step(page, "Minibatches", done=True)
    head = step(page, "Training", done=False)
    page.tab.wait_for_function(IN_VIEW, arg=head.element_handle())
    change(page, "Hidden units", "16")
    change(page, "Epochs", "2")
    page.screenshot(f"panel-{width}-training")
    button(page, "Train").click()
    step(page, "Training", done=True)
    page.tab.wait_for_selector(".rnn-lab .rnn-run-card")
    head = step(page, "Writing", done=False)
    change(page, "Prefix", "the ")
    button(page, "Write").click()
    page.tab.wait_for_selector("small:has-text('tokens of perplexity')", timeout=60_000)
    written = page.tab.locator(".rnn-lab-step").last.locator("pre").first.inner_text()
    assert len(written) > 100  # not only its first words
    flags = page.tab.locator(".rnn-lab-fields").all_inner_texts()
    assert not any("--" in text for text in flags)
    page.screenshot(f"panel-{width}-written")
    assert grave_when_all_is_open(page) == []
    theme(page, "Light")
    assert page.errors == []
