"""How our figures look: colours, fonts, numbers on log axes, and how a figure becomes a PNG."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

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


class _PlainNumbers(LogFormatter):
    """Numbers as they are read, at the minor ticks only where the axis is short."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def number_plainly(axis: Axis) -> None:
    """Write the numbers of a log axis as they are read."""
    # The formatter of log axes writes mathtext, which the house style does not parse.
    axis.set_major_formatter(_PlainNumbers())
    axis.set_minor_formatter(_PlainNumbers(minor_thresholds=(2, 0.5)))


def cycle(count: int) -> list[str]:
    """Return so many colours of the palette."""
    palette = [BLUE, ORANGE, GREEN, RED, GREY, "#CC79A7", "#56B4E9", "#000000"]
    return [palette[i % len(palette)] for i in range(count)]


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with house_style():  # text is laid out when it is drawn
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
