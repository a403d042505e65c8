"""Pictures of results: matplotlib figures from plain data.

Every function returns a `matplotlib.figure.Figure` that belongs to nobody: pyplot, its global
list of figures and its backends are not touched, so nothing is shown or kept by accident.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from rnn_magics.text.statistics import TextStatistics
from rnn_magics.training.history import History

# Okabe and Ito's palette, whose colours colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"
_HAN_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)


@cache
def _installed_fonts() -> frozenset[str]:
    return frozenset(entry.name for entry in font_manager.fontManager.ttflist)


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with fonts that also have Chinese characters, where the machine has such a font."""
    families = ["DejaVu Sans", *(name for name in _HAN_FONTS if name in _installed_fonts())]
    style: dict[Any, Any] = {
        "font.family": families,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "text.usetex": False,
        "text.parse_math": False,  # a dollar sign in a corpus is a dollar sign
    }
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)  # a font of another weight will do, and nobody need be told
    try:
        with mpl.rc_context(style):
            yield
    finally:
        log.setLevel(level)


def training_figure(histories: Mapping[str, History], clip: float | None = None) -> Figure:
    """Draw perplexity and gradient norm against epochs, of one run or several.

    Parameters
    ----------
    histories
        By the name of the run.
    clip
        The bound on the gradient norm, drawn as a line.
    """
    with house_style():
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for color, (name, history) in zip(_cycle(len(histories)), histories.items(), strict=True):
            label = f"{name}: " if len(histories) > 1 else ""
            _draw_perplexity(left, history, color, label)
            _draw_norm(right, history, color, label)
        bound = []
        if clip is not None:
            line = right.axhline(
                clip, color=RED, linestyle="--", linewidth=1, label=f"clip {clip:g}"
            )
            bound.append(line)
        left.set(xlabel="epoch", ylabel="perplexity", yscale="log", title="Perplexity")
        right.set(xlabel="epoch", ylabel="norm", yscale="log", title="Gradient norm, unclipped")
        for axes in (left, right):
            axes.xaxis.get_major_locator().set_params(integer=True)
            if len(histories) == 1:
                axes.legend(frameon=False)
            _number_plainly(axes.yaxis)
            axes.tick_params(axis="y", which="minor", labelsize="small")
        if len(histories) > 1:
            # A colour is a run in both pictures, and many runs need the room inside them.
            right.set_ylabel("norm, median to maximum")
            handles = [*left.lines, *bound]
            figure.set_figheight(3.4 + 0.2 * -(-len(handles) // 4))
            figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


class _PlainNumbers(LogFormatter):
    """Numbers as they are read, at the minor ticks only where the axis is short."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def _number_plainly(axis: Axis) -> None:
    # The formatter of log axes writes mathtext, which the house style does not parse.
    axis.set_major_formatter(_PlainNumbers())
    axis.set_minor_formatter(_PlainNumbers(minor_thresholds=(2, 0.5)))


def _cycle(count: int) -> list[str]:
    palette = [BLUE, ORANGE, GREEN, RED, GREY, "#CC79A7", "#56B4E9", "#000000"]
    return [palette[i % len(palette)] for i in range(count)]


def _draw_perplexity(axes: Axes, history: History, color: str, label: str) -> None:
    epochs = np.arange(1, len(history) + 1)
    train = np.array(history.train_perplexity, float)
    valid = np.array([np.nan if p is None else p for p in history.valid_perplexity], float)
    held_out = ORANGE if not label else color
    axes.plot(epochs, _drawable(train), color=color, marker=".", label=f"{label}training")
    if np.isfinite(valid).any():
        style = "-" if not label else "--"
        axes.plot(
            epochs, _drawable(valid), style, color=held_out, marker=".", label=f"{label}held out"
        )


def _draw_norm(axes: Axes, history: History, color: str, label: str) -> None:
    epochs = np.arange(1, len(history) + 1)
    median, largest = _drawable(history.grad_norm), _drawable(history.grad_norm_max)
    axes.plot(epochs, median, color=color, marker=".", label=f"{label}median")
    axes.fill_between(epochs, median, largest, color=color, alpha=0.2, label=f"{label}to maximum")


def _drawable(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    # A log axis has no place for inf or zero.
    array = np.asarray(values, float)
    return np.where(np.isfinite(array) & (array > 0), array, np.nan)


def zipf_figure(statistics: TextStatistics) -> Figure:
    """Draw frequency against rank of tokens, bigrams and trigrams, with the fitted laws."""
    names = ("tokens", "bigrams", "trigrams")
    with house_style():
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name, color, counts, fit in zip(
            names, (BLUE, ORANGE, GREEN), statistics.ngrams, statistics.fits, strict=True
        ):
            ranks = np.arange(1, len(counts.counts) + 1)
            slope = "" if fit is None else f", slope {fit.slope:.2f}"
            left.plot(ranks, counts.counts, color=color, label=f"{name}{slope}")
            if fit is not None:
                fitted = np.array(fit.ranks)
                left.plot(fitted, fit(fitted), color=color, linestyle="--", linewidth=1)
        left.set(xscale="log", yscale="log", xlabel="rank", ylabel="count", title="Zipf's law")
        left.legend(frameon=False)
        _number_plainly(left.xaxis)
        _number_plainly(left.yaxis)
        right.plot(statistics.sizes, statistics.covered, color=BLUE, marker=".", label="covered")
        if statistics.oov_rates is not None:
            right.plot(
                statistics.sizes,
                statistics.oov_rates,
                color=ORANGE,
                marker=".",
                label="held out, unknown",
            )
        right.set(
            xscale="log",
            xlabel="vocabulary size",
            ylabel="share of the text",
            ylim=(0, 1.02),
            title="Coverage",
        )
        right.legend(frameon=False)
        _number_plainly(right.xaxis)
    return figure


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with house_style():  # text is laid out when it is drawn
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
