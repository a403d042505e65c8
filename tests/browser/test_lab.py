"""The JupyterLab extension as a person meets it."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

CORPUS = "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32"
SMALL = "run = %train_rnn --cell rnn --num-hiddens 32 --threads 1"
LONG = f"{SMALL} --epochs 100000"
PATIENCE = 60_000
STATUS = ".rnn-status-item"
STATUS_SAYS = "words => document.querySelector('.rnn-status-item')?.textContent.includes(words)"


@pytest.fixture
def training(lab: Any, page: Any) -> Any:
    """A tab in which a cell waits for a training."""
    page.open(lab.write("lab.ipynb", CORPUS, LONG, "print('after', run.reason)"))
    page.run("notebook:run-all-cells")
    page.tab.wait_for_function(STATUS_SAYS, arg="epoch", timeout=90_000)
    return page


def wait_for_status(page: Any, words: str) -> None:
    page.tab.wait_for_function(STATUS_SAYS, arg=words, timeout=PATIENCE)


def test_a_training_is_seen_and_stopped_from_the_panel(training: Any) -> None:
    tab = training.tab
    first = tab.inner_text(STATUS)
    assert first.startswith("rnn-1 epoch ")
    assert "/100000, ppl " in first
    tab.click(STATUS)
    card = tab.locator(".rnn-run")
    card.wait_for()
    tab.wait_for_selector(".rnn-spark polyline")
    assert "rnn, 32 hidden units, 1 layer" in card.inner_text()
    training.screenshot("lab-panel")
    card.get_by_role("button", name="Pause").click()
    wait_for_status(training, "paused")
    card.get_by_role("button", name="Resume").click()
    wait_for_status(training, "ETA")
    card.get_by_role("button", name="Stop").click()
    tab.wait_for_selector("text=after stopped", timeout=PATIENCE)
    wait_for_status(training, "stopped")
    tab.wait_for_selector(".Toastify__toast:has-text('rnn-1: stopped')", timeout=PATIENCE)
    training.screenshot("lab-stopped")
    assert training.errors == []
