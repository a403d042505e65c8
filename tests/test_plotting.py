"""Plotting: figures that belong to nobody, from plain data."""

from __future__ import annotations

import itertools
import math

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from rnn_magics.plotting import to_png, training_figure, zipf_figure
from rnn_magics.plotting.labels import spread
from rnn_magics.plotting.style import HUES
from rnn_magics.reports.baselines import Mark
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


MARKS = [Mark("uniform", 104.0), Mark("bigram", 9.9), Mark("bigrams", 10.1), Mark("best", 3.2)]


def test_baselines_are_named_on_their_lines_and_apart() -> None:
    figure = training_figure({"a": history(30, 5, valid=(14, 5))}, marks=MARKS)
    to_png(figure)  # lays the text out
    left = figure.axes[0]
    named = [t for t in left.texts if t.get_text().startswith(("uniform", "bigram", "best 3"))]
    assert len(named) == len(MARKS) - 1  # uniform lies above the axis
    boxes = sorted(text.get_window_extent().extents.tolist() for text in left.texts[-4:])
    edges = sorted((low, high) for _, low, _, high in boxes)
    assert all(above[0] >= below[1] - 1 for below, above in itertools.pairwise(edges))
    assert any(text.get_text() == "\N{UPWARDS ARROW} uniform 104.00" for text in left.texts)


def test_no_decade_of_an_axis_is_empty() -> None:
    figure = training_figure({"a": history(300, 250)}, marks=[Mark("best", 3.0)])
    low, high = figure.axes[0].get_ylim()
    assert low > 30
    assert high < 3000


def test_the_best_epoch_is_marked() -> None:
    figure = training_figure({"a": history(8, 4, 3, valid=(9, 4, 6))})
    (ring,) = figure.axes[0].collections
    assert ring.get_label() == "best 4, epoch 2"
    assert ring.get_offsets().tolist() == [[2, 4]]


@pytest.mark.parametrize("held_out", [(31, 9, 7, 6), (9, 5, 4, 6), (40, 12, 30, 60)])
def test_no_word_lies_on_a_curve(held_out: tuple[float, ...]) -> None:
    figure = training_figure({"a": history(30, 8, 5, 3, valid=held_out)}, 1.0, MARKS)
    to_png(figure)  # lays the text out
    for axes in figure.axes:
        legend = axes.get_legend()
        assert legend is not None
        words = [text for text in (*axes.texts, *legend.get_texts()) if text.get_text()]
        curves = [line.get_transform().transform_path(line.get_path()) for line in axes.lines]
        for text in words:
            box = text.get_window_extent()
            assert not any(curve.intersects_bbox(box, filled=False) for curve in curves), text


def test_no_two_of_thirty_runs_look_the_same() -> None:
    runs = {f"run-{at}": history(8, 4, valid=(9, 5)) for at in range(30)}
    looks = [
        (line.get_color(), line.get_marker(), line.get_linestyle())
        for line in training_figure(runs).axes[0].lines
    ]
    assert len(set(looks)) == len(looks) == 60
    assert [marker for _, marker, _ in looks[:12:2]] == ["."] * 6


def test_held_out_text_is_dashed_in_the_hue_of_its_run() -> None:
    train, held_out = training_figure({"a": history(8, 4, valid=(9, 5))}).axes[0].lines[:2]
    assert train.get_color() == held_out.get_color() == HUES[0]
    assert (train.get_linestyle(), held_out.get_linestyle()) == ("-", "--")


@pytest.mark.parametrize(
    ("wanted", "places"),
    [([0.5, 0.1, 0.9], [0.5, 0.1, 0.9]), ([0.5, 0.5], [0.45, 0.55]), ([1.0, 0.95], [1.0, 0.9])],
)
def test_labels_are_moved_apart(wanted: list[float], places: list[float]) -> None:
    assert spread(wanted, 0.1) == pytest.approx(places)


def test_no_legend_looks_for_its_place() -> None:
    # Matplotlib warns where that takes long, which on a busy machine reaches the reader.
    text = Corpus.from_text("the time machine\n" * 20, CorpusConfig(valid=0))
    for figure in (
        training_figure({"gru-1": history(4.0, 3.0)}),
        zipf_figure(text_statistics(text, "char")),
    ):
        legends = [axes.get_legend() for axes in figure.axes if axes.get_legend() is not None]
        assert legends
        assert all(legend._get_loc() != legend.codes["best"] for legend in legends)
