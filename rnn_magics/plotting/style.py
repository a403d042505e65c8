"""The style of our figures: colours, fonts and numbers on log axes; and their export as PNG."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from rnn_magics.results import brief

# A picture does not know the page that it will stand on. So it has no ground of its own, and its
# colours are seen on a light page and on a dark one: lines have a contrast of 3 to 1 on both. Text
# has 4.5 to 1 on white. No grey has as much on a dark page, too, since both contrasts multiply to
# that of the pages, 19 to 1; this one has 4.
# One hue a run, after Okabe and Ito, whose colours colour-blind readers can tell apart. These are
# the hues of labextension/style/design.css on a light ground.
HUES = ("#0072b2", "#c24a00", "#007a5a", "#a3487f", "#856000", "#56656f")
# With the seventh run the hues begin again, and the lines have another mark.
MARKERS = (".", "s", "^", "D", "X")
BLUE, ORANGE, GREEN, *_ = HUES
INK, GOOD = "#767676", "#1b7a3d"


def _map(name: str, *stops: tuple[int, int, int]) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list(name, [tuple(c / 255 for c in rgb) for rgb in stops])


# The stops of labextension/src/views/design/scales.ts: a colour means the same in a picture, in a
# live view and in a saved one. Blue is below zero and red above; the darker, the more.
DIVERGING = _map(
    "rnn diverging", (5, 48, 97), (103, 169, 207), (247, 247, 247), (239, 138, 98), (103, 0, 31)
)
SEQUENTIAL = _map(
    "rnn sequential",
    (255, 247, 251),
    (208, 209, 230),
    (116, 169, 207),
    (5, 112, 176),
    (2, 56, 88),
)
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


_EVEN = 0.179  # the luminance on which black and white have the same contrast (WCAG 2)
_NO_LETTERS = ("Last Resort", "LastResort", "STIXNonUnicode", "STIXSize", "cm")  # how they begin


@cache
def _installed_fonts() -> dict[str, str]:
    # The file of each font by its name.
    return {entry.name: entry.fname for entry in font_manager.fontManager.ttflist}


def _families() -> list[str]:
    return ["DejaVu Sans", *(name for name in _HAN_FONTS if name in _installed_fonts())]


def fixed_width() -> list[str]:
    """Return the fonts for text in columns; a Chinese character takes two columns."""
    return ["DejaVu Sans Mono", *_families()]


def drawable(text: str) -> str:
    r"""Return text in which every character can be drawn.

    Control characters, and characters for which no installed font has a glyph, become escapes such
    as ``\u4e2d`` instead of empty boxes.
    """
    return "".join(c if c.isprintable() and _has_glyph(c) else ascii(c)[1:-1] for c in text)


def _has_glyph(character: str) -> bool:
    return font_with(character) is not None


@cache
def font_with(character: str) -> str | None:
    """Return an installed font that has a glyph, ours first; None if there is none."""
    installed = _installed_fonts()
    others = sorted(name for name in installed if not name.startswith(_NO_LETTERS))
    names = (name for name in dict.fromkeys([*_families(), *others]) if name in installed)
    return next((name for name in names if _draws(installed[name], character)), None)


def _draws(file: str, character: str) -> bool:
    with suppress(OSError, RuntimeError):  # a damaged font
        font = font_manager.get_font(file)
        return bool(font.scalable and font.get_char_index(ord(character)))
    return False


def token_label(token: object, width: int = 14) -> str:
    """Return a token as a tick label: spaces visible, at most `width` characters."""
    text = brief(token).replace("\n", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}")
    shown = drawable(text.replace(" ", "\N{OPEN BOX}"))
    return shown if len(shown) <= width else f"{shown[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in our style, with a font for Chinese characters if one is installed."""
    style: dict[Any, Any] = {
        "font.family": _families(),
        "legend.loc": "upper right",  # "best" goes through all points, and warns where that is slow
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "text.usetex": False,
        "text.parse_math": False,  # a dollar sign in a corpus is a dollar sign
    }
    drawing = _draws_in_our_style.set(True)
    try:
        with mpl.rc_context(style):
            yield
    finally:
        _draws_in_our_style.reset(drawing)


# Of this thread alone: another may end its drawing while this one goes on.
_draws_in_our_style: ContextVar[bool] = ContextVar("draws_in_our_style", default=False)


def _is_worth_saying(record: logging.LogRecord) -> bool:
    # Matplotlib warns of each font weight that it substitutes.
    return record.levelno >= logging.ERROR or not _draws_in_our_style.get()


logging.getLogger("matplotlib.font_manager").addFilter(_is_worth_saying)


class _PlainNumbers(LogFormatter):
    """Plain numbers; at minor ticks only if the axis spans few decades."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def number_plainly(axis: Axis) -> None:
    """Label a log axis with plain numbers."""
    # The default formatter of log axes writes mathtext, which our style does not parse.
    axis.set_major_formatter(_PlainNumbers())
    axis.set_minor_formatter(_PlainNumbers(minor_thresholds=(2, 0.5)))


def ink_on(ground: tuple[float, float, float]) -> str:
    """Return black or white, whichever is read better on a ground of these shares of RGB."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in ground]  # noqa: PLR2004
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000" if luminance > _EVEN else "#fff"


def cycle(count: int) -> list[str]:
    """Return `count` colours of the palette, which repeats if they are too few."""
    return [HUES[i % len(HUES)] for i in range(count)]


def cycle_with_markers(count: int) -> list[tuple[str, str]]:
    """Return `count` colours, each with the marker that tells its repeats apart."""
    markers = [MARKERS[i // len(HUES) % len(MARKERS)] for i in range(count)]
    return list(zip(cycle(count), markers, strict=True))


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with house_style():  # the layout of text is computed on drawing
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
