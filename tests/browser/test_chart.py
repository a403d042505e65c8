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
