"""Sphinx: a notebook that has been executed already is not executed again for its page.

Executed copies lie where `tools/run_notebook.py` writes them, below ``build/notebooks``. One is
taken where its code is that of the notebook as it is now, every cell has run, and none has failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.application import Sphinx
from sphinx.util import logging

KEPT = Path(__file__).resolve().parents[2] / "build" / "notebooks"


def has_run(notebook: Any) -> bool:
    """Whether every cell of code has run, in order, and none has failed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failed = any(out.output_type == "error" for cell in cells for out in cell.outputs)
    counts = [cell.execution_count for cell in cells]
    return bool(cells) and not failed and counts == list(range(1, len(cells) + 1))


def take(folder: Path, cache: Path) -> list[Path]:
    """Put the executed notebooks of a folder into a cache, by their code; return those."""
    kept = get_cache(str(cache))
    taken = []
    for path in sorted(folder.rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        if has_run(notebook):
            for cell in notebook.cells:
                cell.metadata.pop("execution", None)  # when it ran is no part of its code
            bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": None})
            kept.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            taken.append(path)
    return taken


def _take(app: Sphinx) -> None:
    # Whose code has changed since matches no notebook, and is never looked up.
    if taken := take(KEPT, Path(app.config.nb_execution_cache_path)):
        names = ", ".join(path.relative_to(KEPT).as_posix() for path in taken)
        logging.getLogger(__name__).info("executed already: %s", names)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", _take)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
