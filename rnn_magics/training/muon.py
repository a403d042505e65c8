"""Muon: updates of hidden weights whose singular values are all alike.

The gradient of a recurrence lies mostly along a few directions, those in which the state moves
most. Muon (Jordan et al. 2024) keeps its directions and gives each the same length: the momentum
of a matrix is replaced by the nearest matrix with orthonormal rows or columns, so that rare
directions are learnt as fast as frequent ones. That holds for matrices between hidden states; all
other parameters, tables and vectors among them, take the steps of AdamW.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import ParamsT

from rnn_magics.interrupts import whole_imports
from rnn_magics.models import fast
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import RNNModel

_STEPS = [(3.4445, -4.7750, 2.0315)] * 5  # of Jordan et al.: steep at zero, so that few suffice


class Muon(torch.optim.Optimizer):
    r"""Orthogonalised momentum for hidden weights, AdamW for the rest.

    .. math::

        M &\leftarrow \mu M + (1 - \mu) G \\
        W &\leftarrow (1 - \eta \lambda) W
            - 0.2 \, \eta \sqrt{\max(m, n)} \; \mathrm{orth}((1 - \mu) G + \mu M)

    for each gate's block :math:`W` (m, n) of a weight matrix, with its gradient :math:`G`, the
    learning rate :math:`\eta`, the weight decay :math:`\lambda` and :math:`\mu` = 0.95. The factor
    gives an update the root mean square that AdamW's usually have (Liu et al. 2025, equation 4),
    so that one learning rate serves both.

    Parameters
    ----------
    params
        Parameters, or groups of them. In a group with ``num_gates``, each parameter is a matrix
        (num_gates * m, n) and is updated by orthogonalised momentum; all others by AdamW.
    lr, weight_decay
        Of both rules.
    momentum
        :math:`\mu`.
    betas, fused
        Of AdamW.

    References
    ----------
    Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024.
    Liu et al., *Muon is scalable for LLM training*, 2025.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.005,
        weight_decay: float = 0.0,
        *,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
        fused: bool | None = None,
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "num_gates": 0, "momentum": momentum}
        super().__init__(params, {**defaults, "betas": betas, "fused": fused})
        self._adamw = self._make_adamw()

    def _make_adamw(self) -> torch.optim.AdamW:
        # Of the other groups; groups and state are the very ones of this optimizer.
        others = [group for group in self.param_groups if not group["num_gates"]]
        adamw = torch.optim.AdamW(others or [{"params": []}], fused=self.defaults["fused"])
        adamw.state = self.state
        # Whether it can be told not to update, on the device; see `DeviceStep`.
        self._step_supports_amp_scaling = bool(self.defaults["fused"])
        return adamw

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take groups and state from elsewhere, e.g. in `load_state_dict`."""
        super().__setstate__(state)
        self._adamw = self._make_adamw()

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to be compiled before the first step."""
        if not _is_compiled(self._device):
            return True
        from rnn_magics.models.fast.orthogonal import newton_schulz  # noqa: PLC0415  (needs numba)

        return fast.is_kept(newton_schulz)

    @whole_imports()
    def make_ready(self) -> None:
        """Compile what the step runs through, or load what an earlier session compiled."""
        if not self.is_ready:
            orthogonalise(torch.zeros(1, 1, 1, device=self._device))

    @property
    def _device(self) -> torch.device:
        taken = (p for group in self.param_groups if group["num_gates"] for p in group["params"])
        return next((parameter.device for parameter in taken), torch.device("meta"))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Update all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["num_gates"]:
                self._step_together(group)
        self._step_others()
        return loss

    def _step_others(self) -> None:
        held = getattr(self, "found_inf", None)
        if held is None:
            self._adamw.step()
            return
        self._adamw.found_inf = held  # type: ignore[attr-defined]
        try:
            self._adamw.step()
        finally:
            del self._adamw.found_inf  # type: ignore[attr-defined]

    def _step_together(self, group: dict[str, Any]) -> None:
        by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            rows = len(parameter) // group["num_gates"]
            direction = self._direction(parameter, group["momentum"])
            for block in zip(_blocks(parameter, rows), _blocks(direction, rows), strict=True):
                by_shape.setdefault(tuple(block[0].shape), []).append(block)
        lr, held = group["lr"], self._held
        decay = lr * group["weight_decay"]
        for shape, blocks in by_shape.items():
            updates = orthogonalise(torch.stack([direction for _, direction in blocks]))
            updates *= 0.2 * max(shape) ** 0.5 * lr  # (num_blocks, rows, columns)
            if group["weight_decay"]:
                updates += decay * torch.stack([weight for weight, _ in blocks])
            if held is not None:
                updates = torch.where(held, 0.0, updates)
            torch._foreach_sub_([weight for weight, _ in blocks], list(updates))

    def _direction(self, parameter: nn.Parameter, mu: float) -> Tensor:
        # Nesterov's: the momentum as it will be, seen from one step further on.
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None  # noqa: S101  (asked before)
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        moved = state["momentum"].lerp(gradient, 1 - mu)
        if self._held is not None:
            moved = torch.where(self._held, state["momentum"], moved)
        state["momentum"].copy_(moved)
        return gradient.lerp(moved, mu)

    @property
    def _held(self) -> Tensor | None:
        # As torch.amp.GradScaler and `DeviceStep` ask an optimizer to hold its update back.
        found = getattr(self, "found_inf", None)
        return None if found is None else found > 0


def _blocks(matrix: Tensor, rows: int) -> Sequence[Tensor]:
    return torch.split(matrix, rows)


def orthogonalise(matrices: Tensor) -> Tensor:
    """Return matrices with about the same singular vectors, and singular values near one.

    Five steps of a Newton-Schulz iteration, which is made of products alone; singular values
    that are not tiny come to lie between 0.7 and 1.2, which serves as well as one (Jordan et
    al. 2024).

    Parameters
    ----------
    matrices
        Shape (num_matrices, rows, columns).

    Returns
    -------
    Tensor
        Shaped and typed like `matrices`. CUDA computes it in bfloat16.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    X = matrices.mT if tall else matrices  # the smaller product of the two
    X = X / (X.norm(dim=(1, 2), keepdim=True) + 1e-7)
    if _is_compiled(X.device):
        from rnn_magics.models.fast.functions import newton_schulz  # noqa: PLC0415  (needs numba)

        X = newton_schulz(X, _STEPS)
    else:
        X = _iterate(X.bfloat16() if X.device.type == "cuda" else X)
    return (X.mT if tall else X).to(matrices.dtype)


def _is_compiled(device: torch.device) -> bool:
    return device.type == "cpu" and fast.is_available()


def _iterate(X: Tensor) -> Tensor:
    for a, b, c in _STEPS:
        A = X @ X.mT  # (num_matrices, rows, rows)
        B = torch.baddbmm(A, A, A, beta=b, alpha=c)
        X = torch.baddbmm(X, B, X, beta=a)
    return X


def by_gates(model: RNNModel) -> list[dict[str, Any]]:
    """Return the parameters of a model in groups, the weights between hidden states by themselves.

    These are the recurrent weights of every cell, and the input weights of cells that read the
    states of a layer below.
    """
    cells = list(model.rnn.cells)
    between = [getattr(cell, "weight_hh", None) for cell in cells]
    between += [getattr(cell, "weight_ih", None) for cell in cells[model.rnn.num_directions :]]
    num_gates = CELLS[model.config.cell].num_gates
    hidden = [p for p in between if p is not None]
    taken = {id(parameter) for parameter in hidden}
    others = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    return [{"params": hidden, "num_gates": num_gates}, {"params": others}]
