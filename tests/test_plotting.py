"""Plotting: figures that belong to nobody, from plain data."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from rnn_magics.plotting import to_png, training_figure, zipf_figure
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.statistics import text_statistics
from rnn_magics.training.events import EpochEnd
from rnn_magics.training.history import History


def history(*train: float, valid: tuple[float | None, ...] | None = None) -> History:
    made = History()
    for place, perplexity in enumerate(train):
        held_out = valid[place] if valid else None
        nats = None if held_out is None else math.log(held_out)
        made.append(EpochEnd(place + 1, True, math.log(perplexity), nats, 1.0, 9.0, 0.5, 2.0, 0.0))
    return made


def lines(axes: Axes) -> dict[str, list[float]]:
    return {str(line.get_label()): list(map(float, line.get_ydata())) for line in axes.lines}


def test_perplexities_are_drawn_against_epochs() -> None:
    figure = training_figure({"gru": history(8, 4, 2, valid=(9, 5, 4))}, clip=1.0)
    left, right = figure.axes
    assert lines(left) == {
        "training": pytest.approx([8, 4, 2]),
        "held out": pytest.approx([9, 5, 4]),
    }
    assert list(left.lines[0].get_xdata()) == [1, 2, 3]
    assert lines(right) == {"median": [0.5] * 3, "clip 1": [1.0, 1.0]}


def test_several_runs_are_told_apart_by_name_and_colour() -> None:
    figure = training_figure({"a": history(8, 4), "b": history(7, 3, valid=(6, 5))})
    left = figure.axes[0]
    assert list(lines(left)) == ["a: training", "b: training", "b: held out"]
    colours = [line.get_color() for line in left.lines]
    assert colours[0] != colours[1] == colours[2]


def test_what_was_not_scored_is_a_gap() -> None:
    figure = training_figure({"a": history(8, 4, valid=(9, None))})
    values = lines(figure.axes[0])["held out"]
    assert values[0] == pytest.approx(9)
    assert math.isnan(values[1])


@pytest.mark.parametrize(
    "made", [history(), history(math.inf, math.inf), history(8, math.inf), history(5)]
)
def test_a_run_that_diverged_or_has_just_begun_can_be_drawn(made: History) -> None:
    assert to_png(training_figure({"a": made}, clip=1.0)).startswith(b"\x89PNG")


def test_no_run_is_an_empty_picture() -> None:
    assert to_png(training_figure({})).startswith(b"\x89PNG")


def test_names_are_not_read_as_formulas() -> None:
    name = r"$\frac{1$ <b> {x} _a^"
    assert to_png(training_figure({name: history(5, 4), "b": history(3, 2)})).startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["to be or not to be that is the question\n" * 9, "aaaaaa"])
def test_zipf_is_drawn_with_its_fits(text: str) -> None:
    statistics = text_statistics(Corpus.from_text(text, CorpusConfig(valid=0.2)))
    figure = zipf_figure(statistics)
    left, right = figure.axes
    drawn = lines(left)
    for counts, label in zip(statistics.ngrams, ("tokens", "bigrams", "trigrams"), strict=True):
        (values,) = (drawn[key] for key in drawn if key.startswith(label))
        assert values == counts.counts.tolist()
    dashed = [line for line in left.lines if line.get_linestyle() == "--"]
    assert len(dashed) == sum(fit is not None and fit.holds for fit in statistics.fits)
    assert lines(right)["covered"] == list(statistics.covered)
    assert lines(right)["held out, unknown"] == list(statistics.oov_rates or ())
    assert to_png(figure).startswith(b"\x89PNG")


def test_a_figure_belongs_to_nobody() -> None:
    settings = dict(mpl.rcParams)
    to_png(training_figure({"a": history(8, 4)}))
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == []


def test_more_dots_make_a_larger_picture() -> None:
    figure = training_figure({"a": history(8, 4)})
    widths = [int.from_bytes(to_png(figure, dpi)[16:20]) for dpi in (50, 100)]
    assert np.diff(widths) == widths[0]
