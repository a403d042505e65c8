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


def count_clipped(norms: Tensor, first: int, bounds: Iterable[tuple[int, float | None]]) -> int:
    """Return how many of the steps had a gradient that was clipped.

    Parameters
    ----------
    norms
        The gradient norm of each step, (num_steps,).
    first
        The number of steps before the first of them.
    bounds
        Each bound with the number of steps before it holds, in order; None for no bound. A reader
        may change it in the middle of an epoch, and each step is judged by its own.
    """
    changes = [(max(at - first, 0), theta) for at, theta in bounds]
    ends = [*(at for at, _ in changes[1:]), len(norms)]
    return sum(
        int((norms[at:end] > theta).sum())
        for (at, theta), end in zip(changes, ends, strict=True)
        if theta is not None
    )


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
