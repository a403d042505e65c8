"""Searches: how the settings of the next trial are chosen.

A search is a pure function of the space, the trials before and a seed, so a sweep that was killed
goes on with the settings that it would have had. To add one, write it and a line in `SEARCHES`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_magics.language import marked
from rnn_magics.sweeps.dimensions import Dimension
from rnn_magics.sweeps.search.past import Past

Dimensions = Mapping[str, Dimension]
Params = dict[str, Any]
Propose = Callable[[Dimensions, Sequence[Past], np.random.Generator], Params]
_POINTS = 5  # of a range in a grid
_TRIES = 50  # to find settings that no trial has had


@dataclass(frozen=True)
class Search:
    """A way to choose settings.

    Parameters
    ----------
    propose
        ``propose(dimensions, past, generator)`` returns a value for each option; None for a grid,
        whose points are taken in order.
    help
        What it does, in a few words.
    """

    propose: Propose | None
    help: str


def at_random(
    dimensions: Dimensions, _past: Sequence[Past], generator: np.random.Generator
) -> Params:
    """Draw every option on its own (Bergstra and Bengio 2012)."""
    return {name: each.at(float(generator.random())) for name, each in dimensions.items()}


def by_tpe(dimensions: Dimensions, past: Sequence[Past], generator: np.random.Generator) -> Params:
    """Draw where good trials are dense, with Optuna's tree-structured Parzen estimator."""
    from rnn_magics.sweeps.search.tpe import propose  # noqa: PLC0415  (an optional extra)

    return propose(dimensions, past, generator)


SEARCHES: dict[str, Search] = {
    "tpe": Search(by_tpe, marked("near what was good so far (Optuna)")),
    "random": Search(at_random, marked("anywhere")),
    "grid": Search(None, marked("every combination; five values of a range")),
}
"""How the next settings are chosen."""


def grid(dimensions: Dimensions) -> Iterator[Params]:
    """Yield every combination; of a range, five values."""
    points = [each.points(_POINTS) for each in dimensions.values()]
    for values in itertools.product(*points):
        yield dict(zip(dimensions, values, strict=True))


def next_params(
    name: str, dimensions: Dimensions, past: Sequence[Past], taken: Sequence[Params], seed: int
) -> Params | None:
    """Return the settings of the next trial, which no trial has had; None if there are none left.

    Parameters
    ----------
    name
        Of the search, in `SEARCHES`.
    dimensions
        What is tried.
    past
        The trials that have ended.
    taken
        The settings of all trials so far, in order.
    seed
        The seed of the search.
    """
    propose = SEARCHES[name].propose
    if propose is not None:
        for attempt in range(_TRIES):
            generator = np.random.default_rng([seed, len(taken), attempt])
            if (params := propose(dimensions, past, generator)) not in taken:
                return params
        if any(each.size is None for each in dimensions.values()):
            return None
    return next((params for params in _all(name, dimensions) if params not in taken), None)


def _all(name: str, dimensions: Dimensions) -> Iterator[Params]:
    if name == "grid":
        return grid(dimensions)
    points = [each.points(each.size or _POINTS) for each in dimensions.values()]
    return (dict(zip(dimensions, values, strict=True)) for values in itertools.product(*points))
