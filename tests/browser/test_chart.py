"""A chart is drawn in JupyterLab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAYLOAD = Path(__file__).parents[1] / "contract" / "payloads" / "chart.json"


def test_a_chart_is_drawn_and_the_console_is_quiet(lab: Any, page: Any) -> None:
    data = json.loads(PAYLOAD.read_text(encoding="utf-8"))
    code = f"from rnn_magics.notebook.widgets.chart import ChartWidget\nChartWidget(data={data!r})"
    page.run_all(lab.write("chart.ipynb", code))
    page.tab.wait_for_selector(".rnn-chart canvas", timeout=20_000)
    page.screenshot("chart")
    label = page.tab.get_attribute(".rnn-chart", "aria-label")
    assert label == ("perplexity <b>run</b>: perplexity against step; train 8.25; uniform at 28")
    assert page.tab.locator(".rnn-view b").count() == 0
    assert page.errors == []


LEVELS = {"label": "best", "value": 4.0}
CURVE = {
    "title": "a curve",
    "x_label": "step",
    "y_label": "perplexity",
    "scale": "log",
    "x": list(range(1, 101)),
    "series": [{"label": "train", "values": [100 / n for n in range(1, 101)]}],
    "references": [LEVELS],
}
# What a reader is told of the place that is pointed at.
READ = "() => document.querySelector('.rnn-legend').textContent"
PIXELS = "() => document.querySelector('.rnn-chart canvas').toDataURL()"


def test_a_part_is_shown_rescaled_and_left_again(lab: Any, page: Any) -> None:
    code = f"from rnn_magics.notebook.widgets.chart import ChartWidget\nChartWidget(data={CURVE!r})"
    page.run_all(lab.write("zoomed.ipynb", code))
    page.tab.wait_for_selector(".rnn-chart canvas", timeout=20_000)
    tab, over = page.tab, page.tab.locator(".rnn-chart .u-over")
    whole = tab.evaluate(PIXELS)
    box = over.bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.5 * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.9 * box["width"], y, steps=5)
    tab.mouse.up()
    tab.wait_for_function(f"whole => ({PIXELS})() !== whole", arg=whole)
    # The middle of the picture is now the seventieth step, not the fiftieth.
    tab.mouse.move(box["x"] + 0.5 * box["width"], y)
    tab.wait_for_function(f"() => /step (69|70|71)$/.test(({READ})())")
    page.screenshot("chart-zoomed")
    over.dblclick()
    tab.mouse.move(box["x"] + 0.5 * box["width"], y)
    tab.wait_for_function(f"() => /step (50|51)$/.test(({READ})())")
    tab.mouse.move(0, 0)
    tab.wait_for_function(f"whole => ({PIXELS})() === whole", arg=whole)
    chart = tab.locator(".rnn-chart")
    chart.press("+")
    tab.wait_for_function(f"whole => ({PIXELS})() !== whole", arg=whole)
    chart.press("0")
    tab.wait_for_function(f"whole => ({PIXELS})() === whole", arg=whole)
    assert page.errors == []
