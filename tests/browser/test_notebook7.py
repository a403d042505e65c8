"""Notebook 7 loads the extension, too."""

from __future__ import annotations

from typing import Any

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
