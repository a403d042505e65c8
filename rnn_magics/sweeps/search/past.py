"""What a search and a pruner know of the trials before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Past:
    """A trial that has ended.

    Parameters
    ----------
    number
        Its place in the sweep.
    params
        Its settings.
    curve
        Its held-out nats by rung, a multiple of so many tokens.
    nats
        What it reached; None if it has not ended as planned.
    is_pruned
        Whether it ended early because others are better.
    """

    number: int
    params: Mapping[str, Any]
    curve: Mapping[int, float]
    nats: float | None = None
    is_pruned: bool = False
