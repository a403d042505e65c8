"""How docs/, examples/ and the documents of the top folder become a site; `make docs` builds it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent / "extensions")]

import rnn_magics  # noqa: E402

project = "rnn_magics"
author = "The rnn_magics founders"
project_copyright = f"2026, {author}"
version = release = rnn_magics.__version__
language = "en"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "chinese",
    "executed",
    "kept_views",
    "mathml",
]

# The sources are where they are in the repository, so that a link means the same here and there.
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/*.rst",
    "docs/api/**",
    "docs/decisions/*.md",
    "docs/howto/*.md",
    "examples/*.ipynb",
    "examples/zh/*.ipynb",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [".*", "artefacts", "benchmarks", "build", "labextension", "rnn_magics", "tests"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# A magic is no language that Pygments knows, and a file of ours is read as it is shown.
highlight_language = "text"

# What has changed is executed, but for what was executed into build/notebooks; the course takes
# minutes, so only for `sphinx-build -t course`, and as many in Chinese, for `-t chinese`.
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "executed")
COURSES = {"course": "examples/*", "chinese": "examples/zh/*"}
nb_execution_excludepatterns = [
    pages
    for tag, pages in COURSES.items()
    if not tags.has(tag)  # noqa: F821  (Sphinx has it)
]
nb_execution_in_temp = True  # what a lesson writes is not for the repository
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # a widget without its kernel draws nothing

default_role = "autolink"  # a name in a docstring, where it is one
autosummary_generate = True
autodoc_typehints = "none"  # the signature of an options class is its table of options
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

templates_path = [str(Path(__file__).parent / "templates")]
# A cell of IPython, with its magics and shell variables, is highlighted as far as it is Python.
suppress_warnings = ["misc.highlighting_failure"]
nitpick_ignore_regex = [
    # What other projects document; a module or an attribute of ours that has no page of its own.
    (r"py:obj", r"(rnn_magics\.)?[a-z_]+(\.[a-z_]+)*"),
    (r"py:.*", r"(torch|np|numpy|pd|pandas|matplotlib|IPython|collections|pathlib)\b.*"),
]

html_theme = "pydata_sphinx_theme"
html_title = "rnn_magics"
html_baseurl = ""
html_static_path = ["site"]
html_extra_path = ["extra"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
# A sidebar that would be empty.
html_sidebars = {"docs/gallery": [], "docs/install": []}
html_theme_options = {
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],  # whose name is what is read on it
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
