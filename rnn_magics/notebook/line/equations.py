"""The equations in docstrings, as LaTeX and as plain text.

An equation is written once, as a ``.. math::`` block in the docstring of what it describes.
"""

from __future__ import annotations

import inspect
import re


def math_of(thing: object) -> str:
    """Return the equations of a docstring as LaTeX; empty if it has none."""
    found = re.search(
        r"\.\. math::\s*(.+?)(?:\n\n(?=\S)|\Z)", inspect.getdoc(thing) or "", re.DOTALL
    )
    if found is None:
        return ""
    latex = "\n".join(line.strip() for line in found[1].strip().split("\n"))
    return f"\\begin{{aligned}}\n{latex}\n\\end{{aligned}}" if "&=" in latex else latex


_SPELT = {
    r"\\(?:begin|end)\{aligned\}\n?": "",
    r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}": r"(\1) / (\2)",
    r"\s*\\\\\s*\n": "\n",
    r"\\left(?!a)|\\right|\\big|\\Big|\\[,;!]|\\quad": "",
    r"\\leftarrow": "<-",
    r"\\odot|\\cdot": "*",
    r"\\mid": "|",
    r"\\le\b": "<=",
    r"\\ge\b": ">=",
    r"\\partial ?": "d",
    r"\\ln\b": "ln",
    r"\\lfloor ?": "floor(",
    r" ?\\rfloor": ")",
    r"\\([#{}])": r"\1",
    r"\\\|": "||",
    r"\\(?:mathrm|text|operatorname)\{([^}]*)\}": r"\1",
    r"\\([A-Za-z]+)": r"\1",
    r"&": "",
    r"([_^])\{([A-Za-z0-9])\}": r"\1\2",
}


def plain_math(latex: str) -> str:
    """Return LaTeX equations as plain text."""
    for pattern, spelt in _SPELT.items():
        latex = re.sub(pattern, spelt, latex)
    return re.sub(r" {2,}", " ", latex).strip()
