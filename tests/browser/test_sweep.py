"""A sweep as a person sees it in JupyterLab: watched, paused, resumed, stopped, and kept."""

from __future__ import annotations

from typing import Any

import nbformat

from tests.browser.test_accessible import grave, theme

CORPUS = "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32"
SWEEP = (
    "found = %sweep --num-hiddens 8:16 --lr 1e-3:1e-1 --cell gru,rnn --epochs 1000"
    " --score-every 20000 --trials 4 --search random"
)
CHIP = ".rnn-sweep .rnn-chip"
DONE = ".rnn-trial-state[data-done]"


def wait_for_chip(page: Any, words: str) -> None:
    page.tab.wait_for_selector(f"{CHIP}:has-text('{words}')", timeout=90_000)


def press(page: Any, name: str) -> None:
    page.tab.locator(".rnn-sweep").get_by_role("button", name=name, exact=True).click()


def wait_for_another_score(page: Any) -> None:
    last = "() => document.querySelector('.rnn-trial-curve .rnn-line')?.getAttribute('points')"
    page.tab.wait_for_function(f"() => Boolean(({last})())", timeout=90_000)
    before = page.tab.evaluate(last)
    page.tab.wait_for_function(f"before => ({last})() !== before", arg=before, timeout=90_000)


def test_a_sweep_is_paused_resumed_and_stopped_from_the_page(lab: Any, page: Any) -> None:
    page.open(lab.write("sweep.ipynb", CORPUS, SWEEP, "print('after', found.message)"))
    page.run("notebook:run-all-cells")
    wait_for_chip(page, "searching")
    wait_for_another_score(page)
    page.screenshot("sweep")
    press(page, "Pause")
    wait_for_chip(page, "paused")
    page.tab.wait_for_selector(".rnn-sweep .rnn-told:has-text('pauses after the current step')")
    theme(page, "Dark")
    page.screenshot("sweep-paused-dark")
    assert grave(page) == ""
    theme(page, "Light")
    press(page, "Resume")
    wait_for_chip(page, "searching")
    wait_for_another_score(page)
    press(page, "Stop")
    page.tab.wait_for_selector("text=after stopped; go on with %sweep --resume", timeout=90_000)
    assert page.tab.locator(".rnn-saved.rnn-sweep").count() == 1  # what a saved notebook keeps
    assert page.tab.locator(".rnn-sweep").count() == 1
    assert page.tab.locator("table.dataframe, .jp-RenderedHTML table:not(.rnn-table)").count() == 0
    wait_for_chip(page, "stopped")
    assert page.tab.locator(DONE).count() == 0
    page.screenshot("sweep-stopped")
    page.run("docmanager:save")
    page.tab.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    kept = nbformat.read(lab.folder / "sweep.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    forms = [set(output.get("data", ())) for output in kept.cells[1].outputs]
    assert {"application/vnd.rnn-magics.run+json", "text/plain"} <= forms[0]
    assert {"text/html", "text/plain", "application/vnd.rnn-magics.live+json"} <= forms[1]
    assert page.errors == []
