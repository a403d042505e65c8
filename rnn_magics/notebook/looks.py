"""What the views of a notebook were made of, so that their readers can ask for more.

A view that a page shows sends the key of its look with a question, by the channel of its widget or
by the comm of the JupyterLab extension; `rnn_magics.notebook.searching` answers.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

MOST_LOOKS = 32
"""Of more than these the oldest are forgotten: each may hold a copy of a model."""


@dataclass(frozen=True)
class Look:
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
class Looks:
    """The newest looks of a session, by a key that no other kernel has given away."""

    kept: dict[str, Look] = field(default_factory=dict)

    def keep(self, look: Look) -> str:
        """Keep a look and return its key."""
        key = uuid.uuid4().hex
        self.kept[key] = look
        while len(self.kept) > MOST_LOOKS:
            del self.kept[next(iter(self.kept))]
        return key
