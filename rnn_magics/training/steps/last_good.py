"""The guard: what an update has made non-finite is taken back.

Loss and gradient are looked at before an update. An update of finite numbers can still leave
the range of floats (a large learning rate, a large weight); nobody would see it before the next
loss, or, after the very last step, at all. So the parameters are kept for as long as a step takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# As in clipping: what torch's own optimizers call, one kernel for all tensors.
# ruff: noqa: SLF001


class LastGood:
    """The parameters as they were before the present step.

    Parameters
    ----------
    parameters
        Of the model, where they will stay.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._now = [parameter.detach() for parameter in parameters]
        self._kept = [torch.empty_like(parameter) for parameter in self._now]

    def keep(self) -> None:
        """Remember the parameters."""
        torch._foreach_copy_(self._kept, self._now)

    def all_finite(self) -> bool:
        """Return whether every parameter is a finite number, read back from the device."""
        # Most of the time the Euclidean norm, several times as fast on a CPU, says so.
        norms = torch._foreach_norm(self._now)
        return bool(torch.isfinite(torch.stack(norms)).all()) or bool(self.is_finite())

    def is_finite(self) -> Tensor:
        """Return whether every parameter is a finite number, 0-d; nothing is read back."""
        # Not the Euclidean norm: the squares of finite numbers may be infinite.
        largest = torch._foreach_norm(self._now, ord=float("inf"))
        return torch.isfinite(torch.stack(largest)).all()

    def restore(self) -> None:
        """Put back what was kept."""
        torch._foreach_copy_(self._now, self._kept)

    def restore_where(self, bad: Tensor) -> None:
        """Put back what was kept if `bad`, 0-d, is true; nothing is read back."""
        for now, kept in zip(self._now, self._kept, strict=True):
            torch.where(bad, kept, now, out=now)
