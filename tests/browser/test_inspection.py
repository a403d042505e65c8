"""Every inspector as a person sees it in JupyterLab."""

from __future__ import annotations

from typing import Any

import pytest

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
    "match": f"%inspect_rnn match {TEXT} --span 0:3",
    "units": "%inspect_rnn units",
    "batches": "%inspect_rnn batches",
}


@pytest.fixture(scope="module")
def looked_at(lab: Any, browser: Any) -> Any:
    """One notebook with all views, since training takes longer than looking."""
    from tests.browser.conftest import Page

    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = Page(context.new_page())
    page.tab.on("pageerror", lambda error: page.errors.append(str(error)))
    page.open(lab.write("inspected.ipynb", PREPARE, *LINES.values()))
    page.run("notebook:run-all-cells")
    page.tab.wait_for_function(
        "n => document.querySelectorAll('.rnn-inspection').length === n"
        " && document.querySelectorAll('.jp-OutputArea-output img').length >= n",
        arg=len(LINES),
        timeout=120_000,
    )
    yield page
    context.close()


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


def test_dragging_over_tokens_offers_to_find_similar_places(looked_at: Any) -> None:
    view = looked_at.tab.locator(".rnn-inspection").first
    canvas = view.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    y = box["y"] + 60
    looked_at.tab.mouse.move(box["x"] + 44 + 7, y)
    looked_at.tab.mouse.down()
    looked_at.tab.mouse.move(box["x"] + 44 + 3 * 14 + 7, y, steps=5)
    looked_at.tab.mouse.up()
    line = view.locator("code").inner_text()
    assert line.startswith("%inspect_rnn match ")
    assert "--span 0:4" in line
