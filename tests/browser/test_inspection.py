"""Every inspector as a person sees it in JupyterLab."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest

from rnn_magics.notebook.page.view import INSPECTION_MIME

PATIENCE = 60_000

PREPARE = (
    "%load_ext rnn_magics\n"
    "%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32\n"
    "%train_rnn --cell lstm --num-hiddens 24 --num-layers 2 --epochs 1 --threads 1"
)
TEXT = '"the <b>time</b> of \\$x_1\\$ 中文"'
LINES = {
    "hidden": f"%inspect_rnn hidden {TEXT}",
    "gates": f"%inspect_rnn gates {TEXT}",
    "surprise": f"%inspect_rnn surprise {TEXT}",
    "gradient": f"%inspect_rnn gradient {TEXT}",
    "match": f"%inspect_rnn match {TEXT} --span 0:3 --threshold 0",
    "units": "%inspect_rnn units",
    "batches": "%inspect_rnn batches",
}

KEPT = PREPARE.replace("--epochs 1", "--epochs 6 --checkpoint runs/kept --no-baseline").replace(
    "%corpus\n", "%corpus --valid 0.1\n"
)
EPOCHS = ["hidden", "gates", "surprise", "gradient"]


@pytest.fixture(scope="module")
def looked_at(lab: Any, browser: Any) -> Any:
    """One notebook with all views, since training takes longer than looking."""
    from tests.browser.conftest import paging

    with paging(browser, 1280, 1000) as page:
        page.open(lab.write("inspected.ipynb", PREPARE, *LINES.values()))
        page.run("notebook:run-all-cells")
        page.tab.wait_for_function(
            "n => document.querySelectorAll('.rnn-inspection').length === n",
            arg=len(LINES),
            timeout=120_000,
        )
        yield page


@pytest.mark.parametrize("place", range(len(LINES)), ids=list(LINES))
def test_a_view_is_drawn_and_takes_tokens_as_text(looked_at: Any, place: int) -> None:
    view = looked_at.tab.locator(".rnn-inspection").nth(place)
    view.scroll_into_view_if_needed()
    assert view.locator("b, script").count() == 0
    assert len(view.inner_text()) > 40
    looked_at.screenshot(f"inspect-{list(LINES)[place]}")
    assert looked_at.errors == []


def test_a_unit_is_chosen_by_keyboard_and_colours_the_text(looked_at: Any) -> None:
    view = looked_at.tab.locator(".rnn-inspection").first
    canvas = view.locator("canvas")
    canvas.focus()
    before = view.locator(".rnn-text span").first.get_attribute("style")
    for _ in range(3):
        canvas.press("ArrowDown")
    canvas.press("Enter")
    assert view.locator(".rnn-text span").first.get_attribute("style") != before
    assert ": " in view.locator(".rnn-readout").inner_text()


def drag(page: Any, view: Any, first: int, last: int) -> None:
    canvas = view.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    columns = int(re.findall(r"(\d+) columns", canvas.get_attribute("aria-label"))[0])
    left, width = box["x"] + 44, (box["width"] - 48) / columns
    y = box["y"] + 120
    page.tab.mouse.move(left + (first + 0.5) * width, y)
    page.tab.mouse.down()
    page.tab.mouse.move(left + (last + 0.5) * width, y, steps=5)
    page.tab.mouse.up()


def places_told(view: Any, words: str) -> Any:
    """Wait until similar places are told, and return them."""
    view.locator(f"[role=status]:has-text('{words}')").wait_for(timeout=PATIENCE)
    return view.locator("ol.rnn-places:visible li")


def test_dragging_over_tokens_finds_similar_places(looked_at: Any) -> None:
    view = looked_at.tab.locator(".rnn-inspection").first
    drag(looked_at, view, 0, 3)
    found = places_told(view, "10 places like “the ”")
    assert found.count() == 10
    assert found.first.locator("mark").count() == 4
    assert re.match(r"0?[.]\d+ at \d+|1 at \d+", found.first.inner_text())
    looked_at.screenshot("inspect-search")


def test_shift_and_arrows_find_similar_places(looked_at: Any) -> None:
    for place in (0, list(LINES).index("match")):
        view = looked_at.tab.locator(".rnn-inspection").nth(place)
        canvas = view.locator("canvas")
        canvas.focus()
        for _ in range(40):
            canvas.press("ArrowLeft")
        canvas.press("ArrowRight")
        for _ in range(2):
            canvas.press("Shift+ArrowRight")
        assert places_told(view, "10 places like “he ”").count() == 10
    looked_at.screenshot("inspect-match-search")


def test_a_page_shows_each_view_once(looked_at: Any) -> None:
    assert looked_at.tab.locator(".rnn-inspection").count() == len(LINES)
    assert looked_at.tab.locator(".rnn-nothing:visible").count() == 0
    assert looked_at.tab.locator(".jp-OutputArea-output img").count() == 0


@pytest.fixture(scope="module")
def slid(lab: Any, browser: Any) -> Any:
    """A notebook with a view across six epochs, saved."""
    from tests.browser.conftest import paging

    with paging(browser, 1280, 1000) as page:
        lines = [f"%inspect_rnn {view} 'the time 中文' --epochs" for view in EPOCHS]
        page.open(lab.write("epochs.ipynb", KEPT, *lines))
        page.run("notebook:run-all-cells")
        page.tab.wait_for_function(
            "n => document.querySelectorAll('.rnn-epochs').length === n",
            arg=len(lines),
            timeout=120_000,
        )
        yield page


def test_a_slider_goes_through_the_epochs_and_keeps_what_is_chosen(slid: Any) -> None:
    view = slid.tab.locator(".rnn-inspection").first
    view.scroll_into_view_if_needed()
    slider = view.get_by_role("slider", name="epoch")
    last = slider.get_attribute("aria-valuetext")
    assert re.fullmatch(r"epoch 6 of 6, held-out perplexity [\d.]+", last)
    view.get_by_label("order").select_option("variance")
    view.locator("canvas").focus()
    view.locator("canvas").press("ArrowDown")
    view.locator("canvas").press("Enter")
    unit = view.locator("text=/coloured by unit \\d+, from/").inner_text()
    drawn = "canvas => canvas.toDataURL()"
    slid.tab.wait_for_timeout(200)
    picture = view.locator("canvas").evaluate(drawn)
    slider.focus()
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext").startswith("epoch 5 of 6, ")
    slid.tab.wait_for_timeout(200)
    assert view.locator("canvas").evaluate(drawn) != picture
    slider.press("Home")
    assert view.locator(".rnn-epoch").inner_text().startswith("epoch 1 of 6, ")
    slid.screenshot("inspect-epochs-first")
    assert view.get_by_label("order").input_value() == "variance"
    assert view.locator("text=/coloured by unit \\d+, from/").inner_text() == unit  # the scale, too
    box = slider.bounding_box()
    slid.tab.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert slider.get_attribute("aria-valuetext") == last
    slid.tab.wait_for_timeout(200)
    assert view.locator("canvas").evaluate(drawn) == picture
    assert slid.errors == []


def test_an_epoch_is_searched_by_its_own_model(slid: Any) -> None:
    view = slid.tab.locator(".rnn-inspection").first
    drag(slid, view, 0, 3)
    late = places_told(view, "10 places like “the ”").all_inner_texts()
    slider = view.get_by_role("slider", name="epoch")
    slider.press("Home")
    slid.tab.wait_for_timeout(400)
    early = places_told(view, "10 places like “the ”").all_inner_texts()
    assert early != late
    slid.screenshot("inspect-epochs-search")
    slider.press("End")


def test_the_views_of_a_saved_notebook_stay_interactive_without_a_kernel(
    slid: Any, lab: Any, page: Any
) -> None:
    slid.run("docmanager:save")
    slid.tab.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    saved = nbformat.read(lab.folder / "epochs.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    kept = [
        o.data for cell in saved.cells for o in cell.outputs if INSPECTION_MIME in o.get("data", {})
    ]
    assert len(kept) == len(EPOCHS)
    assert all({"image/png", "text/plain"} < set(data) for data in kept)
    saved.metadata = {"kernelspec": {"name": "no-such-kernel", "display_name": "none"}}
    nbformat.write(saved, lab.folder / "epochs-kept.ipynb")  # type: ignore[no-untyped-call]
    tab = page.tab
    tab.goto(f"{lab.url}/lab/tree/epochs-kept.ipynb?reset")
    tab.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    tab.wait_for_function(
        "n => document.querySelectorAll('.rnn-epochs').length === n", arg=len(EPOCHS)
    )
    assert tab.locator("text=model not found").count() == 0
    view = tab.locator(".rnn-inspection").first
    slider = view.get_by_role("slider", name="epoch")
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext").startswith("epoch 1 of 6, ")
    drag(page, view, 0, 3)
    view.locator("[role=status]:has-text('No kernel can search from here')").wait_for()
    assert (
        view.locator("code")
        .inner_text()
        .startswith('%inspect_rnn match "the time 中文" --span 0:4')
    )
    page.screenshot("inspect-saved")
    assert page.errors == []


def test_a_dark_page(slid: Any) -> None:
    tab = slid.tab
    light = tab.locator(".rnn-inspection canvas").first.evaluate("c => c.toDataURL()")
    theme = "t => jupyterapp.commands.execute('apputils:change-theme', { theme: t })"
    tab.evaluate(theme, "JupyterLab Dark")
    tab.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    canvas = tab.locator(".rnn-inspection canvas").first
    tab.wait_for_function(
        "([canvas, light]) => canvas.toDataURL() !== light", arg=[canvas.element_handle(), light]
    )
    for place, view in enumerate(EPOCHS):
        tab.locator(".rnn-inspection").nth(place).scroll_into_view_if_needed()
        tab.wait_for_timeout(300)
        slid.screenshot(f"inspect-dark-{view}")
    back, ink = tab.locator(".rnn-inspection").first.evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    assert max(map(int, re.findall(r"\d+", back)[:3])) < 80
    assert min(map(int, re.findall(r"\d+", ink)[:3])) > 120
    tab.evaluate(theme, "JupyterLab Light")


def test_without_the_extension_a_widget_shows_the_view_and_searches(
    serve: Any, page: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("plain")
    with serve(home, "jupyterlab", extension=False) as lab:
        page.open(lab.write("plain.ipynb", PREPARE, "%inspect_rnn hidden 'the time'"))
        page.run("notebook:run-all-cells")
        page.idle()
        page.tab.locator(".jp-Notebook .jp-Cell").last.scroll_into_view_if_needed()
        view = page.tab.locator(".rnn-inspection")
        view.wait_for(timeout=PATIENCE)
        ours = "() => jupyterapp.listPlugins().filter(id => id.startsWith('rnn-magics:'))"
        assert page.tab.evaluate(ours) == []  # so it is the widget that is seen
        drag(page, view, 0, 3)
        assert places_told(view, "10 places like “the ”").count() == 10
        page.screenshot("inspect-widget")
