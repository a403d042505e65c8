"""LastGood: undoes an update that has made a parameter non-finite.

Loss and gradient are checked before an update. Even so, an update of finite numbers can overflow
(a large learning rate, a large weight). That would show only in the next loss, or never after the
very last step. So the parameters are copied before each update.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# As in clipping: one kernel for all tensors, as in torch's own optimizers.
# ruff: noqa: SLF001


class LastGood:
    """A copy of the parameters from before the current step.

    Parameters
    ----------
    parameters
        The parameters of the model, which must stay at the same address.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._now = [parameter.detach() for parameter in parameters]
        self._kept = [torch.empty_like(parameter) for parameter in self._now]

    def keep(self) -> None:
        """Copy the current parameters."""
        torch._foreach_copy_(self._kept, self._now)

    def all_finite(self) -> bool:
        """Return whether all parameters are finite, read back from the device."""
        # A finite Euclidean norm settles it, and is several times as fast on a CPU.
        norms = torch._foreach_norm(self._now)
        return bool(torch.isfinite(torch.stack(norms)).all()) or bool(self.is_finite())

    def is_finite(self) -> Tensor:
        """Return whether all parameters are finite, a 0-d tensor; nothing is read back."""
        # Not the Euclidean norm, since squares of finite numbers may overflow.
        largest = torch._foreach_norm(self._now, ord=float("inf"))
        return torch.isfinite(torch.stack(largest)).all()

    def restore(self) -> None:
        """Restore the copied parameters."""
        torch._foreach_copy_(self._now, self._kept)

    def restore_where(self, bad: Tensor) -> None:
        """Restore the copied parameters if `bad`, 0-d, is true; nothing is read back."""
        for now, kept in zip(self._now, self._kept, strict=True):
            torch.where(bad, kept, now, out=now)
