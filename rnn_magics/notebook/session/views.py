"""The sources of the views in a notebook, so that a view can ask the kernel for more.

A view sends its key with each question, through its widget or through the comm of the JupyterLab
extension; `rnn_magics.notebook.page.search` answers.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

MOST_SOURCES = 32
"""Beyond this number the oldest sources are dropped, since each may hold a copy of a model."""


@dataclass(frozen=True)
class ViewSource:
    """What a view of a text was made from.

    Parameters
    ----------
    text
        The text that the model read.
    run
        The run that has the model; None if `folder` is given.
    folder
        The folder of a run, for a view across its epochs.
    """

    text: str
    run: Any = None
    folder: str | None = None


@dataclass
class ViewSources:
    """The newest view sources of a session, by keys that are unique across kernels."""

    kept: dict[str, ViewSource] = field(default_factory=dict)

    def keep(self, source: ViewSource) -> str:
        """Store a source and return its key."""
        key = uuid.uuid4().hex
        self.kept[key] = source
        while len(self.kept) > MOST_SOURCES:
            del self.kept[next(iter(self.kept))]
        return key
