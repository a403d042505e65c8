"""Orders of hidden units, so that a heatmap shows what belongs together.

To add an order, write a function from the states (num_tokens, num_hiddens) to a permutation of
the units, and put a line into `UNIT_ORDERS`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_magics.inspection.views.unrolled import Array


def by_index(states: Array) -> Array:
    """Leave the units as they are numbered."""
    return np.arange(states.shape[1])


def by_activation(states: Array) -> Array:
    """Put the most active first, by the mean of the absolute value."""
    return _descending(np.abs(states).mean(axis=0))


def by_variance(states: Array) -> Array:
    """Put those that change most first."""
    return _descending(states.var(axis=0))


def by_similarity(states: Array) -> Array:
    """Put units that go together side by side.

    The spectral seriation of Atkins, Boman and Hendrickson (1998): the units are sorted along
    the Fiedler vector of the graph whose weights are their correlations, moved to 0 .. 1. A unit
    that never changes correlates with none and stands in the middle.
    """
    similar = (1 + correlations(states)) / 2  # (num_hiddens, num_hiddens)
    laplacian = np.diag(similar.sum(axis=0)) - similar
    _, vectors = np.linalg.eigh(laplacian)
    fiedler = vectors[:, min(1, len(similar) - 1)]
    # An eigenvector has no sign of its own: let its largest element be positive.
    sign = np.sign(fiedler[np.abs(fiedler).argmax()])
    return np.argsort(sign * fiedler, kind="stable")


def correlations(states: Array) -> Array:
    """Return the correlation of each pair of units over time, 0 for a unit that never changes.

    Parameters
    ----------
    states
        Shape (num_tokens, num_hiddens).

    Returns
    -------
    numpy.ndarray
        Shape (num_hiddens, num_hiddens), float64.
    """
    moved = states.astype(np.float64) - states.mean(axis=0, dtype=np.float64)
    lengths = np.linalg.norm(moved, axis=0)
    moved /= np.where(lengths > 0, lengths, 1)
    products: Array = moved.T @ moved
    return products


def _descending(values: Array) -> Array:
    return np.argsort(-values, kind="stable")


UNIT_ORDERS: dict[str, Callable[[Array], Array]] = {
    "index": by_index,
    "activation": by_activation,
    "variance": by_variance,
    "similarity": by_similarity,
}
