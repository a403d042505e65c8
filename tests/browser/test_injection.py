"""Text is data: nothing that a text, a token or a name says is ever done by the page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import nbformat
import pytest

from rnn_magics.notebook.page.view import INSPECTION_MIME

DO = "window.__done=1"
PAYLOADS = [
    f"<script>{DO}</script>",
    f"<img src=x onerror={DO}>",
    f'<img src="x" onerror="{DO}">',
    f"<svg onload={DO}></svg>",
    f"<svg><script>{DO}</script></svg>",
    f"<iframe srcdoc='<script>parent.{DO}</script>'></iframe>",
    f"<iframe src=javascript:parent.{DO}></iframe>",
    f"<a href=javascript:{DO}>click</a>",
    f"<body onload={DO}>",
    f"<details open ontoggle={DO}>",
    f"<video><source onerror={DO}></video>",
    f"<input autofocus onfocus={DO}>",
    f"<marquee onstart={DO}>",
    f"<object data=javascript:{DO}></object>",
    "<embed src=x>",
    f"<math><mtext><script>{DO}</script></mtext></math>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=x>",
    "<meta http-equiv=refresh content=0>",
    "<base href=x>",
    "<form action=x><button>go</button></form>",
    f"</td></tr></table><script>{DO}</script>",
    f"</pre><script>{DO}</script>",
    f"'><script>{DO}</script>",
    f'"><script>{DO}</script>',
    f"--><script>{DO}</script>",
    f"]]><script>{DO}</script>",
    "&lt;b&gt;bold&lt;/b&gt;",
    "&#60;b&#62;bold",
    "$\\sum_i x_i$",
    "$$\\int x$$",
    "\\(x^2\\)",
    "\\[x^2\\]",
    "[link](javascript:alert(1))",
    "![picture](x)",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://x\x07link\x1b]8;;\x07",
    "\u202eevil\u202c",
    "{{constructor.constructor('window.__done=1')()}}",
    "${window.__done=1}",
]
# What our HTML is made of; nothing else may stand in an output.
OURS = {"div", "b", "small", "details", "summary", "span", "pre", "img"} | {
    *("table", "thead", "tbody", "tr", "th", "td"),
}
VIEWS = ["surprise", "hidden", "match", "epochs"]
FOUND = """() => ({
  done: window.__done ?? null,
  made: [...document.querySelectorAll('.jp-OutputArea-output')].flatMap(output =>
    [...output.querySelectorAll(
      'script, iframe, object, embed, video, marquee, math, style, link, meta, base, form,'
      + ' a[href], img:not([src^="data:image/png"]), mjx-container, .MathJax, [onerror], [onload]'
    )].map(element => element.outerHTML.slice(0, 80)))
})"""


class Tags(HTMLParser):
    """Collects the tags of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        loads = [value for name, value in attrs if name in ("href", "src")]
        assert all(re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", v or "") for v in loads)
        assert not [name for name, _ in attrs if name.startswith("on")]


def cells(name: str) -> list[str]:
    tokens = json.dumps(PAYLOADS)
    small = "--cell rnn --num-hiddens 8 --epochs 1 --threads 1"
    return [
        "%load_ext rnn_magics\nimport json",
        f"tokens = json.loads({tokens!r}) * 20\nname = json.loads({json.dumps(name)!r})",
        "text = '\\n'.join(tokens)",
        "%corpus --data tokens --as-tokens --name $name --valid 0.2",
        "vocab = %vocab --token given\nvocab",
        "%sample random --batch-size 2 --num-steps 4 --show 1",
        f"%train_rnn {small} --name $name",
        "%rnn",
        "%rnn compare",
        "%corpus --data text --name $name",
        "%vocab --zipf",
        "%sample seq --batch-size 4 --num-steps 8",
        f"%train_rnn {small}",
        "%generate $name --length 40",
        "%inspect_rnn surprise $name",
        "%inspect_rnn hidden $name",
        "%inspect_rnn match $name --threshold 0 --span 0:2",
        f"%train_rnn {small} --no-baseline --checkpoint $name",
        "%inspect_rnn hidden $name --epochs",
        "%rnn doctor",
        "%train_rnn --cell $name",
    ]


@pytest.mark.parametrize("name", [PAYLOADS[1], PAYLOADS[29], PAYLOADS[38]])
def test_forty_payloads_make_no_element_and_run_no_script(lab: Any, page: Any, name: str) -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 40
    file = f"injected-{abs(hash(name)) % 97}.ipynb"
    page.open(lab.write(file, *cells(name), "print('all', 'done')"))
    page.run("notebook:run-all-cells")
    page.idle()
    page.tab.wait_for_selector("text=is not one of rnn")
    page.tab.wait_for_selector(".rnn-inspection canvas")
    found = page.tab.evaluate(FOUND)
    assert found == {"done": None, "made": []}
    page.run("docmanager:save")
    page.tab.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    saved = nbformat.read(lab.folder / file, as_version=4)  # type: ignore[no-untyped-call]
    pieces = [o.data for cell in saved.cells for o in cell.outputs if "data" in o]
    for data in pieces:
        assert Tags(data.get("text/html", "")).tags <= OURS
        assert not {"text/latex", "text/markdown", "application/javascript"} & set(data)
        assert "\x1b" not in data["text/plain"]
        assert "\u202e" not in data["text/plain"]
    assert len(pieces) > 8
    views = [data for data in pieces if INSPECTION_MIME in data]
    assert [data[INSPECTION_MIME]["view"] for data in views] == VIEWS
    assert all("image/png" in data for data in views)
    reopen_without_a_kernel(lab, page, saved, f"kept-{file}")
    assert page.tab.evaluate(FOUND) == {"done": None, "made": []}


def reopen_without_a_kernel(lab: Any, page: Any, notebook: Any, name: str) -> None:
    notebook.metadata = {"kernelspec": {"name": "no-such-kernel", "display_name": "none"}}
    notebook.cells = [cell for cell in notebook.cells if "%inspect_rnn" in cell.source]
    nbformat.write(notebook, lab.folder / name)  # type: ignore[no-untyped-call]
    page.tab.goto(f"{lab.url}/lab/tree/{name}?reset")
    page.tab.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    page.tab.wait_for_function(
        "n => document.querySelectorAll('.rnn-inspection').length === n", arg=len(VIEWS)
    )
    assert page.tab.locator("text=model not found").count() == 0
    words = page.tab.locator(".rnn-inspection").first.inner_text()
    assert "after the text" in words
