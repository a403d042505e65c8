"""What the views in a notebook were made from, so that a view can ask the kernel for more.

A view sends its key with each question, through its widget or through the comm of the JupyterLab
extension; `rnn_magics.notebook.page.search` answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

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


@dataclass(frozen=True)
class Looked:
    """How a view came about.

    Parameters
    ----------
    read
        What was typed: ``text`` and ``run``; ``folder`` for a view across epochs.
    source
        What the view was made from, if a page may search with it.
    """

    read: Mapping[str, str] = field(default_factory=dict)
    source: ViewSource | None = None


@dataclass
class ViewSources:
    """The newest view sources of a session, by keys that are unique across kernels.

    Attributes
    ----------
    kept
        The sources, by key.
    looked
        How each result came about, for as long as it is there to be shown again.
    """

    kept: dict[str, ViewSource] = field(default_factory=dict)
    looked: MutableMapping[Any, Looked] = field(default_factory=WeakKeyDictionary)

    def keep(self, source: ViewSource) -> str:
        """Store a source and return its key."""
        key = uuid.uuid4().hex
        self.kept[key] = source
        while len(self.kept) > MOST_SOURCES:
            del self.kept[next(iter(self.kept))]
        return key
