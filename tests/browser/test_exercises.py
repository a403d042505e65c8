"""Exercises as a student answers them in JupyterLab, in English and in Chinese."""

from __future__ import annotations

from typing import Any

import pytest

SPOKEN = {
    "en": ("Upside down", "The factor is", "Right.", "after 3 more tries"),
    "zh": ("颠倒了", "这个倍数是", "正确", "再答错 3 次"),
}
CUT = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => one.innerText.slice(0, 80))"""


@pytest.mark.parametrize("language", SPOKEN)
def test_hints_follow_each_other_until_the_answer_is_right(
    lab: Any, page: Any, language: str
) -> None:
    upside_down, further, right, too_early = SPOKEN[language]
    answered = ("06.2 --solution", "06.2 4", "06.2 4", "06.2 0.25")
    page.open(
        lab.write(
            f"exercises-{language}.ipynb",
            f"%load_ext rnn_magics\n%config RNNMagics.language = '{language}'",
            "%exercise 06",
            *(f"%exercise {typed}" for typed in answered),
            "%exercise --report",
        )
    )
    # One cell after the other: a notebook that is run at once stops at the first mistake.
    cells = page.tab.locator(".jp-CodeCell")
    seen = []
    for place in range(cells.count()):
        page.run("notebook:run-cell-and-select-next")
        page.tab.wait_for_timeout(300)
        page.idle()
        seen.append(cells.nth(place).locator(".jp-OutputArea").inner_text())
    _, listed, early, first, second, last, report = seen
    assert [f"06.{number}  [" in listed for number in range(1, 5)] == [True] * 4
    assert too_early in early
    assert upside_down in first
    assert further not in first
    assert upside_down in second
    assert further in second
    assert right in last
    assert "4, 4, 0.25" in report
    assert page.tab.evaluate(CUT) == []
    page.screenshot(f"exercises-{language}")
    assert page.errors == []
