"""Sphinx: equations as MathML, which browsers draw and read out without a script."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

# What the converter does not know, as what it knows.
KNOWN = {
    r"\begin{aligned}": r"\begin{align*}",
    r"\end{aligned}": r"\end{align*}",
    r"\arg\min": r"\text{arg min}",
}


def _converted(latex: str, display: str) -> str:
    for unknown, known in KNOWN.items():
        latex = latex.replace(unknown, known)
    if "&" in latex and r"\begin" not in latex:
        latex = rf"\begin{{align*}}{latex}\end{{align*}}"  # as Sphinx does for LaTeX
    return convert(latex, display=display)


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(_converted(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    equation = _converted(node.astext(), "block")
    # One that is too wide is scrolled, from the keyboard, too.
    self.body.append(f'<div class="math" tabindex="0">{equation}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
