"""Updates: what happens to the weights once their gradients are known.

The gradients are clipped, the optimizer takes its step, and the weights go back to what they were
if one of them is no longer finite. `TorchUpdate` does it with torch's operations, for any optimizer
and device. `CompiledUpdate` does the same in two passes over the weights, where
`rnn_magics.models.fast` runs the model. Both use the rates and moments of the optimizer, so one can
go on where the other has stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.training.optimizers import SGD, Adam, AdamW
from rnn_magics.training.steps.clipping import clip_gradients, gradient_norm
from rnn_magics.training.steps.last_good import LastGood

Array = np.ndarray[Any, np.dtype[Any]]


class Update(Protocol):
    """Updates the parameters of an optimizer by their gradients."""

    def take(self, theta: float | None) -> Tensor | None:
        """Clip the gradients, in place, and take the step of the optimizer.

        Parameters
        ----------
        theta
            The bound on the Euclidean norm of all gradients as one vector; None clips nothing.

        Returns
        -------
        Tensor or None
            That norm before clipping, a 0-d tensor. None if it is not finite, or if a weight would
            no longer be: then no weight has changed.
        """


def update_for(model: RNNModel, optimizer: torch.optim.Optimizer) -> Update:
    """Return the quicker update: the compiled one where it knows the rule of the optimizer."""
    if _rule_of(optimizer) is not None and model.engine == "compiled":
        return CompiledUpdate(optimizer)
    return TorchUpdate(optimizer)


class TorchUpdate:
    """Norm, clipping, step and check, one after the other.

    Parameters
    ----------
    optimizer
        The optimizer, with its parameters.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._parameters = _parameters(optimizer)
        self._last_good = LastGood(self._parameters)

    def take(self, theta: float | None) -> Tensor | None:
        """Clip the gradients, in place, and take the step of the optimizer."""
        norm = gradient_norm(self._parameters)
        if not math.isfinite(norm.item()):
            return None
        if theta is not None:
            clip_gradients(self._parameters, norm, theta)
        self._last_good.keep()
        try:
            self._optimizer.step()
        except BaseException:  # e.g. out of memory: no update stays half done
            self._last_good.restore()
            raise
        if not self._last_good.all_finite():
            self._last_good.restore()
            return None
        return norm


class CompiledUpdate:
    """The same in two passes over the weights, by functions that numba compiled for this CPU.

    Parameters
    ----------
    optimizer
        One whose rule is compiled: SGD without momentum, Adam or AdamW, as `OPTIMIZERS` makes them.

    Notes
    -----
    Each sum has a fixed order, so the result does not depend on the number of threads. Where the
    optimizer has no moments yet, torch takes the step, and makes them; also where it has hooks.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        from rnn_magics.models.fast.learning import updates  # noqa: PLC0415
        from rnn_magics.models.fast.running import regions  # noqa: PLC0415  (needs numba)

        self._run, self._kernels = regions.run, updates
        self._optimizer, self._in_torch = optimizer, TorchUpdate(optimizer)
        self._parameters = _parameters(optimizer)
        self._chunks: dict[tuple[int, ...], _Chunks] = {}  # by the parameters with a gradient

    def take(self, theta: float | None) -> Tensor | None:
        """Clip the gradients, in place, and take the step of the optimizer."""
        rule = _rule_of(self._optimizer)
        places = tuple(n for n, p in enumerate(self._parameters) if p.grad is not None)
        parameters = [self._parameters[place] for place in places]
        found = None if rule is None else _addresses(rule, self._optimizer, parameters)
        if rule is None or found is None or _has_hooks(self._optimizer):
            return self._in_torch.take(theta)
        if places not in self._chunks:
            self._chunks[places] = _Chunks.of(parameters, self._kernels.CHUNK, self._kernels.LANES)
        chunks = self._chunks[places]
        number = len(chunks.table)
        lie = chunks.table, found
        self._run(self._kernels.sum_squares, number, 1, number, *lie, chunks.sums)
        norm = math.sqrt(chunks.sums.sum(dtype=np.float64))
        if not math.isfinite(norm):
            return None
        scale = 1.0 if theta is None or norm <= theta else theta / norm
        kernel, *settings = rule.settings(self._kernels, self._optimizer, parameters)
        given = *lie, chunks.kept, chunks.bad, scale, *settings
        self._run(kernel, number, 1, number, *given)
        if not chunks.bad.any():
            return torch.tensor(norm, dtype=chunks.dtype)
        for parameter, before in zip(parameters, chunks.weights_before(parameters), strict=True):
            parameter.detach().copy_(before)
        return None


@dataclass(frozen=True)
class _Chunks:
    """How some parameters are divided, and room for what is computed of each chunk.

    Parameters
    ----------
    table
        As in `rnn_magics.models.fast.learning.updates`, (num_chunks, 4).
    kept
        The weights from before the last step, in the order in which they lie in memory.
    sums, bad
        Sums of squares, (num_chunks, lanes); how many weights are not finite, (num_chunks,).
    """

    table: Array
    kept: Array
    sums: Array
    bad: Array

    @classmethod
    def of(cls, parameters: Sequence[nn.Parameter], length: int, lanes: int) -> _Chunks:
        """Divide parameters into chunks of at most so many weights."""
        rows, total = [], 0
        for place, parameter in enumerate(parameters):
            for begin in range(0, parameter.numel(), length):
                size = min(length, parameter.numel() - begin)
                rows.append((place, begin, size, total + begin))
            total += parameter.numel()
        kept = torch.empty(total, dtype=parameters[0].dtype).numpy()
        sums = np.zeros((len(rows), lanes), kept.dtype)
        return cls(np.array(rows, np.int64), kept, sums, np.zeros(len(rows), np.int64))

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return torch.from_numpy(self.kept).dtype

    def weights_before(self, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
        """Return the weights from before the last step, each shaped like its parameter."""
        parts = torch.split(torch.from_numpy(self.kept), [p.numel() for p in parameters])
        return [
            part.as_strided(parameter.shape, parameter.stride())
            for part, parameter in zip(parts, parameters, strict=True)
        ]


@dataclass(frozen=True)
class _Rule:
    """A rule of an optimizer that is compiled.

    Parameters
    ----------
    moments
        The names of its moments in the state of a parameter.
    fits
        Whether the options of a group are those that are compiled.
    settings
        Returns the kernel, and its arguments after ``scale``.
    """

    moments: tuple[str, ...]
    fits: Callable[[Mapping[str, Any]], bool]
    settings: Callable[[Any, torch.optim.Optimizer, Sequence[nn.Parameter]], tuple[Any, ...]]


def _settings_of_sgd(
    kernels: Any, optimizer: torch.optim.Optimizer, _parameters: Sequence[nn.Parameter]
) -> tuple[Any, ...]:
    (group,) = optimizer.param_groups
    return kernels.update_sgd, float(group["lr"]), float(group["weight_decay"])


def _settings_of_adam(
    kernels: Any, optimizer: torch.optim.Optimizer, parameters: Sequence[nn.Parameter]
) -> tuple[Any, ...]:
    (group,) = optimizer.param_groups
    counts = [optimizer.state[parameter]["step"] for parameter in parameters]
    torch._foreach_add_(counts, 1)
    steps = np.array([count.item() for count in counts], np.float64)
    lr, decay = float(group["lr"]), float(group["weight_decay"])
    decays = (0.0, 1 - lr * decay) if group["decoupled_weight_decay"] else (decay, 1.0)
    betas = (float(beta) for beta in group["betas"])
    return kernels.update_adam, lr, *decays, steps, *betas, float(group["eps"])


_SGD = _Rule(
    (),
    lambda group: not (group["momentum"] or group["nesterov"] or group["maximize"]),
    _settings_of_sgd,
)
_ADAM = _Rule(
    ("exp_avg", "exp_avg_sq"),
    lambda group: not (group["amsgrad"] or group["maximize"]),
    _settings_of_adam,
)
_RULES: dict[type[torch.optim.Optimizer], _Rule] = {
    **dict.fromkeys((SGD, torch.optim.SGD), _SGD),
    **dict.fromkeys((Adam, AdamW, torch.optim.Adam, torch.optim.AdamW), _ADAM),
}


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _rule_of(optimizer: torch.optim.Optimizer) -> _Rule | None:
    rule = _RULES.get(type(optimizer))
    groups = optimizer.param_groups
    return rule if rule is not None and len(groups) == 1 and rule.fits(groups[0]) else None


def _has_hooks(optimizer: torch.optim.Optimizer) -> bool:
    # What somebody wants to be called around a step is called by the step of torch.
    own = optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks  # noqa: SLF001
    return any(own)


def _addresses(
    rule: _Rule, optimizer: torch.optim.Optimizer, parameters: Sequence[nn.Parameter]
) -> Array | None:
    """Return where weights, gradients and moments lie, (num_parameters, 2 or 4).

    None if there are no moments yet. What does not lie in the order of its weights is copied.
    """
    rows = []
    for parameter in parameters:
        state = optimizer.state[parameter] if rule.moments else {}
        if any(name not in state for name in rule.moments):
            return None
        parts = {name: state[name] for name in rule.moments}
        for name, part in parts.items():
            if part.stride() != parameter.stride():
                state[name] = parts[name] = torch.empty_like(parameter).copy_(part)
        gradient = parameter.grad
        if gradient is None:
            return None
        if gradient.stride() != parameter.stride():
            gradient = parameter.grad = torch.empty_like(parameter).copy_(gradient)
        rows.append([part.data_ptr() for part in (parameter, gradient, *parts.values())])
    return np.array(rows, np.int64) if rows else None
