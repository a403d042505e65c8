"""Sphinx: charts and views that a notebook keeps stay alive on its page, without a kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.core import render
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.fileutil import copy_asset_file

from rnn_magics.notebook.page.view import INSPECTION_MIME
from rnn_magics.notebook.show.bundle import LIVE_MIME
from rnn_magics.reports.run_payload import RUN_MIME

PACKAGE = Path(__file__).resolve().parents[2] / "rnn_magics"
SCRIPT = PACKAGE / "handout" / "static" / "page.js"
STYLE = PACKAGE / "notebook" / "widgets" / "static" / "widgets.css"
KEPT = (RUN_MIME, INSPECTION_MIME)


class KeptViews(render.MimeRenderPlugin):
    """Writes what a notebook keeps of a view as data, which the script of our pages draws."""

    # A widget without its kernel draws nothing; what stands below it does.
    mime_priority_overrides = (
        ("html", LIVE_MIME, 0),
        *(("html", mime, 1) for mime in KEPT),
    )

    @staticmethod
    def handle_mime(
        _renderer: render.NbElementRenderer, data: render.MimeData, _inline: object
    ) -> list[nodes.Element] | None:
        """Return the node for data of ours; None for those of others."""
        if data.mime_type == LIVE_MIME:
            return [nodes.container()]
        if data.mime_type not in KEPT:
            return None
        # JSON may write every character as an escape, so nothing in it can end the element.
        text = json.dumps(data.content, ensure_ascii=True).replace("<", "\\u003c")
        script = f'<script type="{data.mime_type}">{text}</script>'
        return [nodes.container("", nodes.raw("", script, format="html"), classes=["rnn-kept"])]


class PlainWords(SphinxPostTransform):
    """Puts the plain words of an output beside its data, for readers without a script."""

    default_priority = 3  # before the output gets the one form that is shown

    def run(self, **_: Any) -> None:
        """Find the outputs of a page, and copy their words."""
        for bundle in self.document.findall(nodes.container):
            forms = {
                form["mime_type"]: form
                for form in bundle.children
                if isinstance(form, nodes.container) and "mime_type" in form
            }
            for mime in KEPT:
                if mime in forms and "text/plain" in forms:
                    words = forms["text/plain"].deepcopy().children
                    forms[mime].children[0].extend(words)


def _add_script(app: Sphinx, page: str, _template: str, _context: Any, tree: Any) -> None:
    if tree is not None and any("rnn-kept" in n["classes"] for n in tree.findall(nodes.container)):
        app.add_js_file("rnn-views.js", loading_method="defer")
        app.add_css_file("rnn-views.css")
    del page


def _copy(app: Sphinx, failed: Exception | None) -> None:
    if failed is None:
        static = Path(app.outdir) / "_static"
        # Those of an earlier build may be other ones.
        copy_asset_file(str(SCRIPT), str(static / "rnn-views.js"), force=True)
        copy_asset_file(str(STYLE), str(static / "rnn-views.css"), force=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    # Otherwise a renderer has to be an entry point of an installed distribution.
    found = render.load_mime_renders
    render.load_mime_renders = lambda: [*found(), KeptViews]
    app.add_post_transform(PlainWords)
    app.connect("html-page-context", _add_script)
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
