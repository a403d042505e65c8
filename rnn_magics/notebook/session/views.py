"""What the views of a notebook were made of, so that their readers can ask for more.

A view that a page shows sends its key with a question, by the channel of its widget or by the comm
of the JupyterLab extension; `rnn_magics.notebook.page.search` answers.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

MOST_SOURCES = 32
"""Of more than these the oldest are forgotten: each may hold a copy of a model."""


@dataclass(frozen=True)
class ViewSource:
    """What a view of a text was made of.

    Parameters
    ----------
    text
        What the model read.
    run
        Whose model; None where `folder` says it.
    folder
        Of the run whose epochs were looked at.
    """

    text: str
    run: Any = None
    folder: str | None = None


@dataclass
class ViewSources:
    """The newest of a session, by a key that no other kernel has given away."""

    kept: dict[str, ViewSource] = field(default_factory=dict)

    def keep(self, source: ViewSource) -> str:
        """Keep one and return its key."""
        key = uuid.uuid4().hex
        self.kept[key] = source
        while len(self.kept) > MOST_SOURCES:
            del self.kept[next(iter(self.kept))]
        return key
