"""The optimizers of torch, which do not import its compiler.

Around the methods of an optimizer, torch has wrappers for `torch.compile`. The first call of one
imports the compiler, which takes as long as torch itself, a second and more. Nothing here is
compiled by it, so these classes have the methods without their wrappers; the numbers are the same.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch


def _bare(method: Any) -> Any:
    return inspect.unwrap(method)


def _bare_step(method: Any) -> Any:
    # The innermost wrapper of a step switches gradients off, besides.
    return torch.no_grad()(_bare(method))


class _Bare(torch.optim.Optimizer):
    add_param_group = _bare(torch.optim.Optimizer.add_param_group)
    load_state_dict = _bare(torch.optim.Optimizer.load_state_dict)
    state_dict = _bare(torch.optim.Optimizer.state_dict)
    zero_grad = _bare(torch.optim.Optimizer.zero_grad)


class SGD(_Bare, torch.optim.SGD):
    """Stochastic gradient descent."""

    step = _bare_step(torch.optim.SGD.step)


class Adam(_Bare, torch.optim.Adam):
    """Adam, of Kingma and Ba (2015)."""

    step = _bare_step(torch.optim.Adam.step)


class AdamW(_Bare, torch.optim.AdamW):
    """Adam with decoupled weight decay, of Loshchilov and Hutter (2019)."""

    step = _bare_step(torch.optim.AdamW.step)
