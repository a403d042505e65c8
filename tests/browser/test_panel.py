"""The control panel as a person uses it: text to training to text, without typing a line."""

from __future__ import annotations

from typing import Any


def button(page: Any, name: str) -> Any:
    return page.tab.get_by_role("button", name=name, exact=True)


def field(page: Any, name: str) -> Any:
    return page.tab.locator(".jp-OutputArea").get_by_label(name, exact=True)


def open_step(page: Any, title: str) -> None:
    page.tab.get_by_text(title, exact=True).click()


def test_the_pipeline_by_widgets(lab: Any, page: Any) -> None:
    (lab.folder / "wells.txt").write_text("the time machine by h g wells\n" * 200, encoding="utf-8")
    page.run_all(lab.write("panel.ipynb", "%load_ext rnn_magics\n%rnn_lab"))
    source = field(page, "source")
    source.wait_for(timeout=60_000)
    source.fill("wells.txt")
    source.press("Tab")
    page.tab.wait_for_function(
        "() => [...document.querySelectorAll('input')].some(i => i.value === '%corpus wells.txt')"
    )
    button(page, "Read the text").click()
    page.tab.wait_for_selector('pre:has-text("Corpus(\'wells")', timeout=60_000)
    open_step(page, "2 Vocabulary")
    button(page, "Make the vocabulary").click()
    page.tab.wait_for_selector("pre:has-text('Vocab(')", timeout=60_000)
    open_step(page, "3 Minibatches")
    field(page, "--batch-size").fill("4")
    button(page, "Cut the text").click()
    page.tab.wait_for_selector("pre:has-text('Batches(')", timeout=60_000)
    open_step(page, "4 Training")
    field(page, "--num-hiddens").fill("16")
    field(page, "--epochs").fill("2")
    page.screenshot("panel")
    button(page, "Train").click()
    # The live view has its own words; the table that it gives way to has the name of the ending.
    page.tab.wait_for_selector("text=/ended: (all epochs done|epochs)/", timeout=90_000)
    open_step(page, "5 Text")
    field(page, "prefix").fill("the ")
    button(page, "Write").click()
    page.tab.wait_for_selector("pre:has-text('Generation(')", timeout=60_000)
    page.screenshot("panel-text")
