"""The site: it builds without a warning, and every name, link and line on it is right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import rnn_magics

ROOT = Path(__file__).parents[1]
HOW_TO = sorted((ROOT / "docs/howto").glob("[!i]*.md"))
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


def test_equations_are_mathml(site: Path) -> None:
    page = (site / "docs/api/generated/rnn_magics.RNNModel.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "mathrm" not in page


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the language and the body of each block of a page, also one inside of a list."""
    text = path.read_text(encoding="utf-8")
    block = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for indent, language, body in block.findall(text):
        yield language, "\n".join(line.removeprefix(indent) for line in body.splitlines())


@pytest.mark.parametrize("path", HOW_TO, ids=lambda path: path.stem)
def test_every_line_of_a_how_to_runs(path: Path, tmp_path: Path) -> None:
    cells = [body for language, body in blocks(path) if language in ("", "python")]
    assert cells
    runner = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "for cell in sys.stdin.read().split('\\0'):\n"
        "    shell.run_cell(cell).raise_error()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", runner],
        input="\0".join(cells),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "UsageError" not in done.stderr
