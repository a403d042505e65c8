"""Sphinx: the Chinese course says that it is Chinese; what it prints, and its frame, are, too."""

from __future__ import annotations

import os
from gettext import translation
from pathlib import Path
from typing import Any

import pydata_sphinx_theme
from sphinx.application import Sphinx

PAGES = ("examples/zh/", "docs/course_zh")
THEME = translation("sphinx", Path(pydata_sphinx_theme.__file__).parent / "locale", ["zh"])
OURS = {  # what the catalogue of the theme lacks
    "Breadcrumb": "当前位置",
    "Collapse Sidebar": "收起侧栏",
    "Color mode": "颜色模式",
    "Dark": "深色",
    "Expand Sidebar": "展开侧栏",
    "Light": "浅色",
    "Site navigation": "网站导航",
    "System Settings": "跟随系统",
    "previous": "上一页",
    "next": "下一页",
}


def _speak(_app: Sphinx, page: str, _content: list[str]) -> None:
    # A page is executed as it is read, and a kernel speaks the language of its environment.
    os.environ["LANGUAGE"] = "zh_CN" if page.startswith(PAGES) else "en"


def _translated(text: str) -> str:
    return OURS.get(text) or THEME.gettext(text)


def _name(_app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    if page.startswith(PAGES):
        context["language"] = "zh-CN"
        context["_"] = _translated  # instead of that of the site, whose language is English


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _speak)
    app.connect("html-page-context", _name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
