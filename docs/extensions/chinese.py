"""Sphinx: the Chinese course says that it is Chinese, and what it prints is Chinese, too."""

from __future__ import annotations

import os
from typing import Any

from sphinx.application import Sphinx

PAGES = ("examples/zh/", "docs/course_zh")


def _speak(_app: Sphinx, page: str, _content: list[str]) -> None:
    # A page is executed as it is read, and a kernel speaks the language of its environment.
    os.environ["LANGUAGE"] = "zh_CN" if page.startswith(PAGES) else "en"


def _name(_app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    if page.startswith(PAGES):
        context["language"] = "zh-CN"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _speak)
    app.connect("html-page-context", _name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
