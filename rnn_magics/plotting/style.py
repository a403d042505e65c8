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
# Two ends that are told apart whatever one's colours, white between; one that goes from light to
# dark, which also prints.
DIVERGING, SEQUENTIAL = "PuOr", "viridis"
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


def _families() -> list[str]:
    return ["DejaVu Sans", *(name for name in _HAN_FONTS if name in _installed_fonts())]


def fixed_width() -> list[str]:
    """Return the fonts for text in columns; a Chinese character takes two."""
    return ["DejaVu Sans Mono", *_families()]


def drawable(text: str) -> str:
    r"""Return text of which every character can be drawn.

    What acts on a page, and what no font at hand has a glyph for, is written as an escape such
    as ``\u4e2d``, in place of an empty box.
    """
    return "".join(c if c.isprintable() and _has_glyph(c) else ascii(c)[1:-1] for c in text)


@cache
def _has_glyph(character: str) -> bool:
    fonts = (font_manager.findfont(name) for name in _families())
    return any(font_manager.get_font(font).get_char_index(ord(character)) for font in fonts)


def token_label(token: object, width: int = 14) -> str:
    """Return a token as the label of a tick: blanks visible, never long."""
    text = str(token).replace("\n", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}")
    shown = drawable(text.replace(" ", "\N{OPEN BOX}"))
    return shown if len(shown) <= width else f"{shown[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with fonts that also have Chinese characters, where the machine has such a font."""
    style: dict[Any, Any] = {
        "font.family": _families(),
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
