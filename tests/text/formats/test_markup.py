"""Markup taken off by the libraries; without one, a line says what to type."""

from __future__ import annotations

import sys

import pytest

from rnn_magics.errors import CorpusError
from rnn_magics.text.formats import markup

PAGE = """<!DOCTYPE html>
<html><head><title>T</title><style>p {color: red}</style></head>
<body><h1>A head</h1><p>It&rsquo;s <b>bold</b>.</p><ul><li>one</li></ul>
<script>alert("x")</script></body></html>"""
MARKDOWN = "# A head\n\nSome *bold* `code` and [a link](http://x.example).\n\n- one\n- two\n"
SRT = (
    "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\nthere\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\n{\\an8}Bye\n"
)
VTT = "WEBVTT\n\nNOTE by me\n\n00:01.000 --> 00:02.000\n<v Bob>Hello <00:01.500>there &amp; bye\n"


@pytest.fixture
def _libraries() -> None:
    for name in ("inscriptis", "mistune", "pysubs2"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install '.[markup]'")


@pytest.mark.usefixtures("_libraries")
def test_a_page_is_read_without_its_tags() -> None:
    assert markup.page_text(PAGE, "x").split() == ["A", "head", "It’s", "bold.", "*", "one"]


@pytest.mark.usefixtures("_libraries")
def test_markdown_is_read_without_its_marks() -> None:
    found = markup.markdown_text(MARKDOWN, "x")
    assert found.split() == [
        "A",
        "head",
        "Some",
        "bold",
        "code",
        "and",
        "a",
        "link.",
        "*",
        "one",
        "*",
        "two",
    ]
    assert "\n\n" in found  # paragraphs stay apart


@pytest.mark.usefixtures("_libraries")
def test_subtitles_are_read_without_their_times() -> None:
    assert markup.subtitle_text(SRT, "x") == "Hello\nthere\nBye"
    assert markup.subtitle_text(VTT, "x") == "Hello there & bye"


@pytest.mark.usefixtures("_libraries")
@pytest.mark.parametrize("text", ["", "plain words", "WEBVTT\n"])
def test_what_has_no_subtitles_is_called_so(text: str) -> None:
    with pytest.raises(CorpusError, match=r"--as raw") as caught:
        markup.subtitle_text(text, "x.srt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_page"),
    [
        (PAGE, True),
        ("\n <html lang='en'>", True),
        ("<?xml version='1.0'?>\n<!-- c -->\n<html>", True),
        ("<p>a part", False),
        ("html", False),
        ("", False),
        ("<!--" * 5_000, False),
    ],
)
def test_a_page_says_that_it_is_one(text: str, is_page: bool) -> None:  # noqa: FBT001
    assert markup.is_page(text) is is_page


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (markup.page_text, "inscriptis"),
        (markup.markdown_text, "mistune"),
        (markup.subtitle_text, "pysubs2"),
    ],
)
def test_a_library_that_is_missing_is_named(
    read: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CorpusError) as caught:
        read("text", "x.md")  # type: ignore[operator]  # a function
    assert str(caught.value) == (
        f"taking the markup off 'x.md' needs {name}: pip install 'rnn_magics[markup]', or read it"
        " as it is with --as raw"
    )
