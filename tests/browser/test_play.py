"""A person plays with a model in JupyterLab: types, lets it write, changes a unit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import wait_until_written

CELLS = (
    (
        "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32\n"
        "%train_rnn --cell gru --num-hiddens 48 --epochs 2 --threads 1 --no-baseline"
    ),
    '%inspect_rnn play "The time "',
)
WRITTEN = "view => view.querySelectorAll('.rnn-branch:first-child .rnn-written').length"


@pytest.fixture(scope="module")
def opened(lab: Any, browser: Any) -> Any:
    from tests.browser.conftest import paging

    with paging(browser, 1280, 1100) as page:
        page.run_all(lab.write("play.ipynb", *CELLS))
        view = page.tab.locator(".rnn-inspection")
        view.wait_for(timeout=60_000)
        # From here on no kernel can help.
        page.tab.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        view.scroll_into_view_if_needed()
        yield page, view


def branch(view: Any, place: int) -> str:
    wait_until_written(view)
    text: str = view.locator(".rnn-branch").nth(place).locator("[role=listbox]").inner_text()
    return text


def test_it_reads_and_goes_on_without_a_kernel(opened: Any) -> None:
    page, view = opened
    assert branch(view, 0).startswith("The time ")
    assert view.evaluate(WRITTEN) == 100
    view.locator("textarea").fill("The machine")
    assert branch(view, 0).startswith("The machine")
    assert view.evaluate(WRITTEN) == 100
    page.screenshot("play-typed")
    assert page.errors == []


def test_a_token_tells_its_surprise_and_what_was_expected(opened: Any) -> None:
    _, view = opened
    view.locator(".rnn-branch").first.locator("[role=option]").nth(3).hover()
    said = view.locator(".rnn-branch").first.locator(".rnn-tip").inner_text()
    assert "bits; expected" in said
    assert "%" in said


def test_other_words_and_a_temperature_of_zero(opened: Any) -> None:
    _, view = opened
    before = branch(view, 0)
    view.get_by_role("button", name="Other words").click()
    assert branch(view, 0) != before
    view.get_by_label("temperature").fill("0")
    greedy = branch(view, 0)
    view.get_by_role("button", name="Other words").click()
    assert branch(view, 0) == greedy  # nothing is drawn
    view.get_by_label("temperature").fill("0.8")


def test_a_unit_is_changed_by_keyboard_and_the_text_is_written_again(opened: Any) -> None:
    page, view = opened
    plain = branch(view, 0)
    canvas = view.locator("canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        canvas.press(key)
    value = view.get_by_label("value", exact=False).last
    value.focus()
    value.press("Home")  # the lowest value there is
    assert branch(view, 0) == plain
    assert branch(view, 1).startswith("The machine")
    assert view.locator(".rnn-changes li").count() == 1
    assert "(place 2) on" in view.locator(".rnn-changes li").inner_text()
    told = view.locator("[role=status]").first.inner_text()
    assert "differ" in told or "same" in told
    page.screenshot("play-changed")
    view.get_by_label("held").select_option("here only")
    assert "(place 2) on" not in view.locator(".rnn-changes li").inner_text()
    view.get_by_role("button", name="Release", exact=True).click()
    assert view.locator(".rnn-changes li").count() == 0
    assert branch(view, 0) == plain
    assert page.errors == []


def test_a_gate_is_held_open(opened: Any) -> None:
    _, view = opened
    view.get_by_label("state or gate").select_option("update")
    canvas = view.locator("canvas")
    canvas.focus()
    canvas.press("Enter")
    value = view.get_by_label("value", exact=False).last
    value.focus()
    value.press("End")
    assert ": 1 " in view.locator(".rnn-changes li").inner_text()
    view.get_by_role("button", name="Release all").click()
