"""Orders of hidden units, so that related units are close together in a heatmap.

To add an order, write a function from the states (num_tokens, num_hiddens) to a permutation of the
units, and add a line to `UNIT_ORDERS`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_magics.inspection.views.unrolled import Array


def by_index(states: Array) -> Array:
    """Keep the units in the order of their numbers."""
    return np.arange(states.shape[1])


def by_activation(states: Array) -> Array:
    """Put the most active units first, by mean absolute value."""
    return _descending(np.abs(states).mean(axis=0))


def by_variance(states: Array) -> Array:
    """Put the units that change most first."""
    return _descending(states.var(axis=0))


def by_similarity(states: Array) -> Array:
    """Put similar units next to each other.

    This is the spectral seriation of Atkins, Boman and Hendrickson (1998): units are sorted along
    the Fiedler vector of a graph, whose weights are their correlations, mapped to [0, 1]. A unit
    that never changes has no correlation with any other and ends up in the middle.
    """
    similar = (1 + correlations(states)) / 2  # (num_hiddens, num_hiddens)
    laplacian = np.diag(similar.sum(axis=0)) - similar
    _, vectors = np.linalg.eigh(laplacian)
    fiedler = vectors[:, min(1, len(similar) - 1)]
    # The sign of an eigenvector is arbitrary: make its largest element positive.
    sign = np.sign(fiedler[np.abs(fiedler).argmax()])
    return np.argsort(sign * fiedler, kind="stable")


def correlations(states: Array) -> Array:
    """Return the correlation of each pair of units over time; 0 for a unit that never changes.

    Parameters
    ----------
    states
        The states, (num_tokens, num_hiddens).

    Returns
    -------
    numpy.ndarray
        The correlations, (num_hiddens, num_hiddens), float64.
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
