"""Pictures in which every character is drawn, whatever a run is called and a text holds."""

from __future__ import annotations

import ast
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.text import Text

from rnn_magics import plotting
from rnn_magics.plotting import style, to_png, training_figure
from rnn_magics.plotting.heatmaps import label_tokens
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import house_style
from tests.test_plotting import history

NAMES = ["测试-1", "тест", "δοκιμή", "日本語のラン", "한국어", "परीक्षण", "😀 run", "a\x1bb\u202e"]


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine with the fonts of matplotlib alone."""
    ours = {e.name: e.fname for e in font_manager.fontManager.ttflist if "matplotlib" in e.fname}
    monkeypatch.setattr(style, "_installed_fonts", lambda: ours)
    style.font_with.cache_clear()
    yield
    style.font_with.cache_clear()


def drawn_texts(figure: Figure) -> list[Text]:
    """Draw a figure without a warning, and return its texts after checking each character."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert to_png(figure).startswith(b"\x89PNG")
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    for text in texts:
        families = text.get_fontfamily()
        fonts = [
            font_manager.findfont(font_manager.FontProperties(family=[name])) for name in families
        ]
        for character in text.get_text().replace("\n", ""):
            assert character.isprintable()
            has = (font_manager.get_font(font).get_char_index(ord(character)) for font in fonts)
            assert any(has), (character, text.get_fontfamily())
    return texts


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_any_name_is_drawn(name: str) -> None:
    figure = training_figure({name: history(8, 4), "b": history(7, 3)})
    words = [text.get_text() for text in drawn_texts(figure)]
    shown = style.drawable(name)
    assert f"{shown}: training" in words


@pytest.mark.usefixtures("no_other_fonts")
@pytest.mark.parametrize("name", NAMES)
def test_without_fonts_it_is_escaped(name: str) -> None:
    words = [
        t.get_text() for t in drawn_texts(training_figure({name: history(8), "b": history(7)}))
    ]
    if name == "测试-1":
        assert r"\u6d4b\u8bd5-1: training" in words


def test_a_han_name_has_its_own_characters_where_a_font_is_installed() -> None:
    if style.font_with("测") is None:
        pytest.skip("no font with Chinese characters is installed")
    figure = training_figure({"测试": history(8), "b": history(7)})
    assert "测试: training" in [text.get_text() for text in drawn_texts(figure)]


def test_a_font_that_nobody_named_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = style.font_with("测")
    if found is None:
        pytest.skip("no font with Chinese characters is installed")
    monkeypatch.setattr(style, "_HAN_FONTS", ())
    style.font_with.cache_clear()
    try:
        figure = training_figure({"测试": history(8), "b": history(7)})
        assert "测试: training" in [text.get_text() for text in drawn_texts(figure)]
    finally:
        style.font_with.cache_clear()


@given(st.text(max_size=8), st.text(min_size=1, max_size=3))
@settings(max_examples=10, deadline=None)
def test_any_name_and_any_token(name: str, token: str) -> None:
    drawn_texts(training_figure({f"{name}.": history(8, 4), "b": history(7)}))
    with house_style():
        figure = Figure()
        axes = figure.subplots()
        axes.imshow(np.zeros((2, 2)))
        label_tokens(axes, [token, "b"])
        axes.set_title(name)
    drawn_texts(figure)


def test_text_that_is_added_later_is_drawn_too() -> None:
    figure = training_figure({"a": history(8, 4)})
    figure.suptitle("测试 परीक्षण\nمرحبا")
    drawn_texts(figure)


def test_every_figure_is_of_this_class() -> None:
    folder = Path(plotting.__file__).parent
    makers = [
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "matplotlib.figure"
        and any(alias.name == "Figure" for alias in node.names)
        and re.search(r"(?<![\w.])Figure\(", path.read_text())
    ]
    assert makers == []


def test_a_drawing_that_ends_does_not_let_another_complain(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("matplotlib.font_manager")
    inside, over = threading.Event(), threading.Event()

    def other() -> None:
        with house_style():
            inside.set()
            over.wait(60)
            log.warning("another font weight")

    thread = threading.Thread(target=other)
    with house_style():
        thread.start()
        assert inside.wait(60)
        log.warning("a font weight")
    over.set()
    thread.join(60)
    assert caplog.messages == []
    log.warning("nobody draws")
    assert caplog.messages == ["nobody draws"]
