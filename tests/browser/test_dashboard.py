"""A training as a person sees it in JupyterLab: watched, steered, stopped, reloaded, saved."""

from __future__ import annotations

from typing import Any

import nbformat

from tests.browser.test_accessible import grave

CORPUS = "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32"
SMALL = "run = %train_rnn --cell rnn --num-hiddens 32 --threads 1"
LONG = f"{SMALL} --epochs 100000"
STATUS = "document.querySelector('.rnn-status')?.textContent ?? ''"
STEPS = f"() => Number(({STATUS}).match(/step (\\d+)/)?.[1] ?? 0)"
LABEL = "document.querySelector('.rnn-chart').getAttribute('aria-label')"


def wait_for_status(page: Any, words: str) -> None:
    page.tab.wait_for_function(f"words => ({STATUS}).includes(words)", arg=words)


def wait_for_another_step(page: Any) -> None:
    page.tab.wait_for_function(f"() => ({STEPS})() > 0", timeout=90_000)
    before = page.tab.evaluate(STEPS)
    page.tab.wait_for_function(f"before => ({STEPS})() !== before", arg=before)


def press(page: Any, name: str) -> None:
    page.tab.get_by_role("button", name=name, exact=True).click()


def test_a_training_is_watched_steered_and_stopped(lab: Any, page: Any) -> None:
    page.open(lab.write("steered.ipynb", CORPUS, LONG, "print('after', run.reason)"))
    page.run("notebook:run-all-cells")
    wait_for_another_step(page)
    wait_for_status(page, "held out")
    seen = page.tab.evaluate(LABEL)
    page.tab.wait_for_function(f"seen => {LABEL} !== seen", arg=seen)  # the curve moves
    page.screenshot("dashboard")
    press(page, "Pause")
    wait_for_status(page, "paused")
    rate = page.tab.locator(".rnn-field input").first
    rate.fill("0.001")
    rate.press("Enter")
    page.tab.wait_for_selector(".rnn-told:has-text('learning rate 0.001')")
    rate.fill("-3")
    rate.press("Enter")
    page.tab.wait_for_selector(".rnn-told:has-text('lr must be in')")
    press(page, "Resume")
    wait_for_another_step(page)
    press(page, "Stop")
    page.tab.wait_for_selector("text=after stopped", timeout=60_000)
    page.screenshot("dashboard-stopped")
    assert page.tab.locator(".rnn-dashboard").count() == 0
    assert page.tab.locator(".rnn-saved").count() == 1
    assert page.errors == []


def predicted(page: Any) -> float:
    """Wait until the kernel has answered to another prediction, and return it."""
    told = page.tab.locator(".rnn-card-told")
    page.tab.wait_for_selector(".rnn-card-told:has-text('your prediction: held-out')")
    value = float(told.inner_text().rpartition(" ")[2])
    page.tab.evaluate("() => { document.querySelector('.rnn-card-told').textContent = ''; }")
    return value


def drag_down(page: Any, line: Any, pixels: int) -> None:
    """Drag the line, once more where the axis moved to the last step before the pause."""
    told = page.tab.locator(".rnn-card-told:not(:empty)")
    for _ in range(5):
        line.hover()
        box = line.bounding_box()
        x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
        page.tab.mouse.move(x, y)
        page.tab.mouse.down()
        page.tab.mouse.move(x, y + pixels, steps=4)
        page.screenshot("prediction-dragged")
        page.tab.mouse.up()
        page.tab.wait_for_timeout(2_000)
        if told.count():
            return


def test_a_prediction_is_placed_by_keys_and_by_the_pointer_and_revealed(
    lab: Any, page: Any
) -> None:
    slow = "run = %train_rnn --num-hiddens 512 --num-layers 3 --threads 1 --epochs 1"
    page.open(lab.write("predicted.ipynb", CORPUS, slow, "print('after', run.predicted)"))
    page.run("notebook:run-all-cells")
    line = page.tab.get_by_role("slider", name="your prediction of the held-out perplexity")
    line.wait_for(timeout=90_000)
    wait_for_another_step(page)  # there is an axis now
    press(page, "Pause")
    wait_for_status(page, "paused")
    line.focus()
    page.tab.keyboard.press("PageUp")
    first = predicted(page)
    drag_down(page, line, 20)
    second = predicted(page)
    assert second < first  # lower on the chart
    assert page.tab.locator(".rnn-chart").first.get_attribute("aria-label").count("prediction") == 1
    assert grave(page) == ""
    press(page, "Resume")
    wait_for_another_step(page)
    press(page, "Stop")
    page.tab.wait_for_selector(f"text=after {second}", timeout=60_000)
    verdict = page.tab.locator(".rnn-saved .rnn-verdict").inner_text()
    assert "You predicted" in verdict
    assert "it reached" in verdict
    assert line.count() == 0
    page.screenshot("prediction-revealed")
    assert page.errors == []


def load_anew_in_the_midst(page: Any) -> None:
    """Run the notebook, save it, load the page anew, and see the training go on."""
    page.run("notebook:run-all-cells")
    wait_for_another_step(page)
    wait_for_status(page, "held out")
    page.run("docmanager:save")
    page.tab.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    page.tab.reload()
    page.tab.wait_for_selector(".rnn-dashboard canvas", timeout=60_000)
    page.tab.locator(".rnn-dashboard").scroll_into_view_if_needed()
    wait_for_another_step(page)


def test_a_page_that_is_loaded_anew_has_the_whole_history(lab: Any, page: Any) -> None:
    page.open(lab.write("reloaded.ipynb", CORPUS, f"{LONG} --background"))
    load_anew_in_the_midst(page)
    points = page.tab.locator(".rnn-view caption").first.inner_text()
    assert int(points.split(": ")[1].split()[0]) > 100
    page.screenshot("dashboard-reloaded")
    press(page, "Stop")
    page.tab.wait_for_selector("text=ended: stopped")


def test_a_page_that_is_loaded_anew_steers_a_cell_that_waits(lab: Any, page: Any) -> None:
    page.open(lab.write("waits.ipynb", CORPUS, LONG))
    load_anew_in_the_midst(page)
    press(page, "Pause")
    wait_for_status(page, "paused")
    rate = page.tab.locator(".rnn-field input").first
    rate.fill("0.001")
    rate.press("Enter")
    page.tab.wait_for_selector(".rnn-told:has-text('learning rate 0.001')")
    press(page, "Resume")
    wait_for_another_step(page)
    page.screenshot("dashboard-reloaded-waiting")
    press(page, "Stop")
    page.tab.wait_for_selector("text=ended: stopped", timeout=60_000)


def test_a_saved_notebook_reads_well_without_a_kernel(lab: Any, page: Any) -> None:
    page.run_all(lab.write("saved.ipynb", CORPUS, f"{SMALL} --epochs 2"))
    page.tab.wait_for_selector(".rnn-saved", timeout=90_000)
    page.run("docmanager:save")
    page.tab.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    saved = nbformat.read(lab.folder / "saved.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    forms = [set(output.data) for output in saved.cells[1].outputs if "data" in output]
    assert any("image/png" in form for form in forms)
    assert not any("application/vnd.jupyter.widget-view+json" in form for form in forms)
    text = "\n".join(str(output.data["text/plain"]) for output in saved.cells[1].outputs)
    assert "held-out ppl" in text


def test_several_runs_stand_in_one_picture(lab: Any, page: Any) -> None:
    runs = f"{SMALL} --epochs 2 --name a\n{SMALL} --epochs 2 --seed 1 --name b"
    page.run_all(
        lab.write("compared.ipynb", CORPUS, runs.replace("run = ", ""), "%rnn compare a b")
    )
    page.tab.wait_for_function(
        "() => document.querySelectorAll('.rnn-saved').length === 3", timeout=90_000
    )
    page.screenshot("compare")
