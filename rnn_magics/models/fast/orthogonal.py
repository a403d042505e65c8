"""Newton-Schulz iterations from compiled products, for Muon: a thread takes whole matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from rnn_magics.models.fast.products import OPTIONS, add_matrix_product, pack_columns, pack_rows
from rnn_magics.models.fast.tile import PANEL_BYTES


@njit(**OPTIONS)
def newton_schulz(matrices: Any, steps: Any, first: int, last: int) -> None:
    """Take steps ``X <- a X + (b A + c A A) X``, where ``A = X X^T``, with first..last - 1.

    Parameters
    ----------
    matrices
        Shape (num_matrices, rows, columns), whole panels in both directions; changed in place.
    steps
        The coefficients a, b and c of each step, (num_steps, 3).
    """
    _, rows, columns = matrices.shape
    width = PANEL_BYTES // matrices.itemsize
    across = np.empty((rows // width, columns, width), matrices.dtype)  # X^T
    squared = np.empty((rows // width, rows, width), matrices.dtype)  # c A
    along = np.empty((columns // width, rows, width), matrices.dtype)  # X
    A = np.empty((rows, rows), matrices.dtype)
    B = np.empty((rows, rows), matrices.dtype)
    moved = np.empty((rows, columns), matrices.dtype)
    for place in range(first, last):
        X = matrices[place]
        for step in range(len(steps)):
            a, b, c = steps[step, 0], steps[step, 1], steps[step, 2]
            pack_columns(X, across, 0, len(across))
            A[:] = 0
            add_matrix_product(X, across, A)
            pack_rows(A, squared, 0, len(squared))
            squared *= c
            B[:] = b * A
            add_matrix_product(A, squared, B)
            pack_rows(X, along, 0, len(along))
            moved[:] = a * X
            add_matrix_product(B, along, moved)
            X[:] = moved
