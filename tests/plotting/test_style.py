"""A picture is seen on a light page and on a dark one: it has no ground of its own."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from rnn_magics.plotting import to_png, training_figure, zipf_figure
from rnn_magics.plotting.inspection import FIGURES
from rnn_magics.reports.baselines import Mark
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.statistics import text_statistics
from rnn_magics.training.events import EpochEnd
from rnn_magics.training.history import History
from tests.contract.test_design import DRAWN, TEXT, Rgb, contrast
from tests.plotting.test_inspection import trace

LIGHT, DARK = (255.0,) * 3, (17.0,) * 3  # of JupyterLab's themes
LEAST_ON_DARK = 4.0  # of text; more would be less than 4.5 on white


def of_a_training() -> Figure:
    history = History()
    for epoch, nats in enumerate((2.0, 1.5, 1.6), start=1):
        history.append(EpochEnd(epoch, True, nats, nats, 1.0, 9.0, 0.5, 2.0, 0.0))
    return training_figure({"a": history}, 1.0, [Mark("bigram", 9.9)])


def of_a_text() -> Figure:
    text = Corpus.from_text(
        "to be or not to be that is the question\n" * 9, CorpusConfig(valid=0.2)
    )
    return zipf_figure(text_statistics(text))


MADE: dict[str, Any] = {
    **{view: lambda view=view: FIGURES[view](trace(view, "the time\n")) for view in FIGURES},
    "training": of_a_training,
    "zipf": of_a_text,
}


def rgb(colour: Any) -> Rgb:
    return tuple(255 * part for part in to_rgb(colour))


def ground_of(text: Text) -> Rgb | None:
    """Return the colour that is painted under the middle of a text; None for that of the page."""
    box = text.get_window_extent()
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    patches = [] if text.axes is None else text.axes.patches
    under = [
        patch.get_facecolor()
        for patch in patches
        if patch.get_window_extent().contains(*middle) and patch.get_facecolor()[3] == 1
    ]
    return rgb(under[-1]) if under else None


@pytest.mark.parametrize("name", MADE)
def test_a_picture_has_no_ground_and_all_in_it_is_seen_on_both(name: str) -> None:
    figure = MADE[name]()
    picture = Image.open(io.BytesIO(to_png(figure))).convert("RGBA")
    assert picture.getpixel((0, 0))[3] == 0
    for text in figure.findobj(Text):
        if not text.get_text().strip() or not text.get_visible():
            continue
        ink, ground = rgb(text.get_color()), ground_of(text)
        if ground is not None:
            assert contrast(ink, ground) >= TEXT, text
        else:
            assert contrast(ink, LIGHT) >= TEXT, text
            assert contrast(ink, DARK) >= LEAST_ON_DARK, text
    for line in figure.findobj(Line2D):
        if line.get_linestyle() != "None" and to_rgba(line.get_color())[3] == 1 and shown(line):
            assert min(contrast(rgb(line.get_color()), page) for page in (LIGHT, DARK)) >= DRAWN


def shown(line: Line2D) -> bool:
    """Whether it is a curve, not the grid, which is faint, nor a tick without a line."""
    alpha = line.get_alpha()
    return bool(line.get_visible()) and (alpha is None or math.isclose(alpha, 1))


def test_a_patch_under_a_text_is_found() -> None:
    figure = Figure()
    axes = figure.subplots()
    text = axes.text(0.5, 0.5, "m")
    figure.draw_without_rendering()
    assert ground_of(text) is None
    axes.add_patch(Rectangle((0, 0), 1, 1, facecolor="red"))
    assert ground_of(text) == (255.0, 0.0, 0.0)
