"""The site builds without a warning, and every name, link and view on it is right."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import rnn_magics

OLD_NAMES = {"load_ipython_extension", "unload_ipython_extension", "inspection"}


class Links(HTMLParser):
    """The addresses that a page goes to or loads, and the places in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.places = {""}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value for name, value in attrs if value is not None}
        self.places.add(held.get("id", ""))
        if tag == "a" and "href" in held:
            self.targets.append(held["href"])
        loads = {"script": "src", "img": "src", "link": "href", "source": "srcset"}
        if tag in loads and loads[tag] in held:
            self.loaded.append(held[loads[tag]])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    found = (path for path in site.rglob("*.html") if "_static" not in path.parts)
    return {path: Links(path.read_text(encoding="utf-8")) for path in found}


def test_every_link_inside_leads_somewhere(site: Path, pages: dict[Path, Links]) -> None:
    assert len(pages) > 100
    broken = []
    for path, links in pages.items():
        for target in (*links.targets, *links.loaded):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not there.exists() or (there in pages and anchor not in pages[there].places):
                broken.append(f"{path.relative_to(site)}: {target}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Links]) -> None:
    outside = {
        address
        for links in pages.values()
        for address in links.loaded
        if urlsplit(address).scheme in ("http", "https") or address.startswith("//")
    }
    assert outside == set()


def test_every_public_name_has_a_page(site: Path) -> None:
    public = set(rnn_magics.__all__) - OLD_NAMES
    written = {path.stem.partition(".")[2] for path in (site / "docs/api").rglob("rnn_magics.*")}
    assert written == public


def test_views_are_kept_as_data_with_their_words(site: Path) -> None:
    gallery = (site / "docs/gallery.html").read_text(encoding="utf-8")
    kept = re.findall(r'<script type="application/vnd\.rnn-magics\.(\w+)\+json">', gallery)
    assert sorted(set(kept)) == ["inspection", "run"]
    assert kept.count("inspection") == 7
    words = re.findall(r"</script>\s*<div class=\"[^\"]*highlight[^\"]*\"", gallery)
    assert len(words) == len(kept)
    assert "rnn-views.js" in gallery
    assert "rnn-views.js" not in (site / "docs/install.html").read_text(encoding="utf-8")


def test_the_chinese_course_says_that_it_is_chinese(site: Path) -> None:
    lesson = "07_gru_lstm_deep_bidirectional.html"
    frames = {"zh-CN": ("当前页面", "收起侧栏"), "en": ("On this page", "Collapse Sidebar")}
    for page, language in ((f"zh/{lesson}", "zh-CN"), (lesson, "en")):
        text = (site / "examples" / page).read_text(encoding="utf-8")
        assert f'<html lang="{language}"' in text
        for spoken, words in frames.items():
            assert [word in text for word in words] == [spoken == language] * 2


def test_no_sidebar_is_empty(pages: dict[Path, Links], site: Path) -> None:
    for path in pages:
        text = path.read_text(encoding="utf-8")
        found = re.search(r'<nav class="bd-docs-nav.*?</nav>', text, re.DOTALL)
        assert found is None or "<li" in found[0], path.relative_to(site)


def test_equations_are_mathml(site: Path) -> None:
    page = (site / "docs/api/generated/rnn_magics.RNNModel.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "mathrm" not in page


def test_every_equation_is_converted_whole(pages: dict[Path, Links], site: Path) -> None:
    left = r"<m[ion]>[^<]*(?:&(?:amp;)?|\\[A-Za-z]+)</m[ion]>"  # an alignment, a command
    for path in pages:
        equations = re.findall(r"<math.*?</math>", path.read_text("utf-8"), re.DOTALL)
        assert [each for each in equations if re.search(left, each)] == [], path.relative_to(site)
