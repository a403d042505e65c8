"""A training as a person sees it in JupyterLab: watched, steered, stopped, reloaded, saved."""

from __future__ import annotations

from typing import Any

CORPUS = "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32"
SMALL = "run = %train_rnn --cell rnn --num-hiddens 32 --threads 1"
LONG = f"{SMALL} --epochs 100000"
STEPS = "() => Number(document.querySelector('.rnn-status').textContent.match(/step (\\d+)/)?.[1])"


def number_of(page: Any, what: str) -> str:
    text = page.tab.locator(".rnn-status").inner_text()
    return next((part for part in text.split(" · ") if part.startswith(what)), "")


def wait_for_status(page: Any, words: str) -> None:
    page.tab.wait_for_function(
        "words => document.querySelector('.rnn-status')?.textContent.includes(words)", arg=words
    )


def test_a_training_is_watched_steered_and_stopped(lab: Any, page: Any) -> None:
    page.open(lab.write("steered.ipynb", CORPUS, LONG, "print('after', run.reason)"))
    page.run("notebook:run-all-cells")
    page.tab.wait_for_selector(".rnn-dashboard canvas", timeout=90_000)
    wait_for_status(page, "training")
    first = page.tab.evaluate(STEPS)
    page.tab.wait_for_function(f"first => ({STEPS})() !== first", arg=first)
    page.screenshot("dashboard")
    page.tab.get_by_role("button", name="Pause").click()
    wait_for_status(page, "paused")
    rate = page.tab.locator(".rnn-field input").first
    rate.fill("0.001")
    rate.press("Enter")
    page.tab.wait_for_selector(".rnn-told:has-text('learning rate 0.001')")
    page.tab.get_by_role("button", name="Resume").click()
    wait_for_status(page, "training")
    page.tab.get_by_role("button", name="Stop").click()
    page.tab.wait_for_selector("text=after stopped", timeout=60_000)
    page.screenshot("dashboard-stopped")
    assert page.tab.locator(".rnn-dashboard").count() == 0
    assert page.errors == []
