"""Which language the interface speaks, before a page has told it."""

from __future__ import annotations

import os
import re
from pathlib import Path

# Where JupyterLab keeps the language that its user chose; the file is JSON with comments.
_SETTINGS = "@jupyterlab/translation-extension/plugin.jupyterlab-settings"
_LOCALE = re.compile(r'^[^/\n]*"locale"\s*:\s*"([\w.-]+)"', re.MULTILINE)
# In the order in which gettext asks them; the first may be a list, the best first.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def interface_language(*, has_notebook: bool) -> str:
    """Return the name of a locale: that of JupyterLab for a notebook, else that of the shell.

    Parameters
    ----------
    has_notebook
        Whether a notebook shows what is said.
    """
    chosen = _jupyterlab() if has_notebook else ""
    return chosen or _environment()


def _jupyterlab() -> str:
    from jupyter_core.paths import jupyter_config_dir  # noqa: PLC0415  (a terminal needs none)

    usual = Path(jupyter_config_dir()) / "lab" / "user-settings"
    settings = os.environ.get("JUPYTERLAB_SETTINGS_DIR") or usual
    try:
        found = _LOCALE.search(Path(settings, _SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none was chosen, or the file is not ours to read
        return ""
    return "" if found is None or found[1] == "default" else found[1]


def _environment() -> str:
    given = (os.environ.get(name, "") for name in _VARIABLES)
    return next((name.split(":")[0] for name in given if name), "en")
