"""Markup taken off: web pages, Markdown and subtitles as plain text, by libraries of their own."""

from __future__ import annotations

import html
import re
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import foreign_code
from rnn_magics.language import say

_PAGE = re.compile(r"(?is)\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b")
_HEAD = 4096  # characters: in those, a web page says that it is one
_TAG = re.compile(r"<[^<>\n]*>")  # a speaker or a time within a subtitle


def is_page(text: str) -> bool:
    """Whether a text begins as a web page does."""
    return _PAGE.match(text[:_HEAD]) is not None


def page_text(text: str, what: str) -> str:
    """Return a web page as plain text, laid out as a browser does, without scripts and styles.

    Raises
    ------
    CorpusError
        When the library is missing or cannot read the page.
    """
    inscriptis = _library("inscriptis", what)
    with _reading(what):
        return str(inscriptis.get_text(text))


def markdown_text(text: str, what: str) -> str:
    """Return Markdown as plain text.

    Raises
    ------
    CorpusError
        When a library is missing or cannot read the text.
    """
    mistune = _library("mistune", what)
    with _reading(what):
        page = str(mistune.create_markdown(plugins=["table", "strikethrough", "footnotes"])(text))
    return page_text(page, what)


def subtitle_text(text: str, what: str) -> str:
    """Return the words of subtitles, a line of text for a line on the screen.

    Raises
    ------
    CorpusError
        When the library is missing or cannot read the subtitles, or there are none.
    """
    pysubs2 = _library("pysubs2", what)
    with _reading(what):
        shown = [each for each in pysubs2.SSAFile.from_string(text) if not each.is_comment]
        lines = [html.unescape(_TAG.sub("", each.plaintext)).strip() for each in shown]
    if not lines:
        raise CorpusError(
            say("{what!r} has no subtitles; read it as it is with --as raw", what=what)
        )
    return "\n".join(lines)


def _library(name: str, what: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise CorpusError(
            say(
                "taking the markup off {what!r} needs {name}: pip install 'rnn_magics[markup]', or"
                " read it as it is with --as raw",
                what=what,
                name=name,
            )
        ) from None


def _reading(what: str) -> AbstractContextManager[None]:
    return foreign_code(say("{what!r} cannot be read; try --as raw", what=what), CorpusError)
