"""A long text read in several rows at once, as if it were read from left to right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rnn_magics.models.cells import State

_MAX_ROWS = 64
_ROW_TOKENS = 1024  # a shorter row is not worth its warm-up
_WARM_UP = 256  # tokens read before a row counts, so that it begins with a carried state


@dataclass(frozen=True)
class Rows:
    """A text cut into rows.

    Each row except the first is warmed up on the 256 tokens before it. Its state at its beginning
    knows nothing of the tokens further back.

    Parameters
    ----------
    starts
        Where each row begins, (num_rows, 1).
    length
        The length of a row. The last row may reach past the end of the text.
    """

    starts: Tensor
    length: int

    @classmethod
    def of(cls, num_tokens: int, device: torch.device | None = None) -> Rows:
        """Cut a text of `num_tokens` tokens into at most 64 rows."""
        num_rows = min(_MAX_ROWS, max(1, num_tokens // _ROW_TOKENS))
        length = -(-num_tokens // num_rows)
        return cls(torch.arange(num_rows, device=device)[:, None] * length, length)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.starts)

    def warm_up(self) -> Tensor:
        """Return the places that warm up each row except the first, (num_rows - 1, 256)."""
        return self.starts[1:] + torch.arange(-_WARM_UP, 0, device=self.starts.device)

    @staticmethod
    def begin(state: State, first: State) -> State:
        """Return the state in which the rows begin.

        Parameters
        ----------
        state
            The state of the other rows after the warm-up: tensors (..., num_rows - 1, num_hiddens).
        first
            The state before the first token, in which the first row begins:
            (..., 1, num_hiddens).
        """
        pairs = zip(first, state, strict=True)
        return tuple(torch.cat((before, part), dim=-2) for before, part in pairs)

    def places(self, num_steps: int) -> Iterator[tuple[int, int, Tensor]]:
        """Yield steps [first, last) of all rows, with their places (num_rows, last - first)."""
        for first in range(0, self.length, num_steps):
            last = min(first + num_steps, self.length)
            yield first, last, self.starts + torch.arange(first, last, device=self.starts.device)
