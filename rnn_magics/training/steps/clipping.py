"""Gradient clipping by the global norm."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the Euclidean norm of all gradients as one vector, a 0-d tensor."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch._foreach_norm(gradients)  # noqa: SLF001  (what torch's own clipping calls)
    return torch.linalg.vector_norm(torch.stack(norms))  # type: ignore[no-any-return]


def clip_gradients(parameters: Iterable[nn.Parameter], norm: Tensor, theta: float) -> None:
    r"""Scale all gradients so that their global norm is at most theta.

    .. math:: g \leftarrow \min\left(1, \frac{\theta}{\|g\|}\right) g

    (Pascanu et al. 2013; Dive into Deep Learning, section 8.5.5). The direction is kept. If the
    loss is L-Lipschitz nearby, a step changes it by at most lr * L * theta. Nothing is read back
    from the device.

    Parameters
    ----------
    parameters
        The parameters whose gradients are scaled, in place.
    norm
        The result of `gradient_norm`. It must be finite, since a scale of nan would spread to every
        parameter.
    theta
        The bound on the norm.
    """
    scale = torch.clamp(theta / norm, max=1.0)
    gradients = [p.grad for p in parameters if p.grad is not None]
    torch._foreach_mul_(gradients, scale)
