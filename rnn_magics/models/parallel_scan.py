"""The states of an input-gated cell at all steps, computed in parallel by operations of torch.

The step h -> a h + b of step t and the one after it are together a step of the same kind, with the
factor a' a and the term a' b + b'. So after every step has been joined with the one before it,
then with that 2 steps before it, then 4, each has been joined with all steps before it (Hillis and
Steele 1986, "Data parallel algorithms"). That takes log2(num_steps) operations on whole sequences
instead of num_steps on single steps.

Feng et al. (2024) sum logarithms instead. Such a sum loses digits as it grows, has no place for a
factor of zero, where a text begins, and none for a state below zero. All factors here are in
[0, 1], so their products need no logarithm.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rnn_magics.models.cells import InputGatedCell, State


def run_parallel(
    cell: InputGatedCell, inputs: Tensor, state: State, resets: Tensor | None = None
) -> tuple[Tensor, State]:
    """Run an input-gated cell over a sequence, all steps at once.

    Parameters
    ----------
    cell, inputs, state, resets
        As for `rnn_magics.models.engines.Engine`.
    """
    (first,) = state
    factors, terms = cell.terms(cell.input_product(inputs))  # (num_steps, batch, num_hiddens) each
    if resets is not None:
        factors = factors.masked_fill(resets[..., None], 0)
    states = _Scan.apply(factors, terms, first, resets)  # type: ignore[no-untyped-call]
    return states, (states[-1],)


class _Scan(Function):
    """All states of ``h_t = factors_t * h_{t-1} + terms_t``, (num_steps, batch, num_hiddens)."""

    @staticmethod
    def forward(
        ctx: Any, factors: Tensor, terms: Tensor, first: Tensor, resets: Tensor | None
    ) -> Tensor:
        states = _joined(factors, terms, first, resets)
        ctx.save_for_backward(factors, states, first)
        ctx.resets = resets
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor | None, ...]:
        # What the steps after t say about h_t is the same recurrence, from the last step to the
        # first: d_t = factors_{t+1} d_{t+1} + d_states_t.
        factors, states, first = ctx.saved_tensors
        later = torch.cat((factors[1:], torch.zeros_like(factors[:1]))).flip(0)
        stops = ctx.resets
        if stops is not None:
            stops = torch.cat((stops[1:], torch.ones_like(stops[:1]))).flip(0)
        d_terms = _joined(later, d_states.flip(0), torch.zeros_like(first), stops).flip(0)
        before = torch.cat((first[None], states[:-1]))
        d_first = factors[0] * d_terms[0]
        if ctx.resets is not None:  # not a product with 0, so that nan does not pass
            d_first = d_first.masked_fill(ctx.resets[0, :, None], 0)
        return d_terms * before, d_terms, d_first, None


def _joined(factors: Tensor, terms: Tensor, first: Tensor, resets: Tensor | None) -> Tensor:
    # In 16 bits the sums of many terms would lose most of their digits.
    wide = torch.promote_types(terms.dtype, torch.float32)
    dtype, factors, terms = terms.dtype, factors.to(wide), terms.to(wide)
    begin = _stopped(factors[0] * first.to(wide), None if resets is None else resets[0])
    states = torch.cat((terms[:1] + begin, terms[1:]))
    far = 1
    while far < len(states):
        added = factors[far:] * states[:-far]
        if resets is not None:
            reached = resets[far:]
            added = _stopped(added, reached)
            resets = torch.cat((resets[:far], reached | resets[:-far]))
        states = torch.cat((states[:far], states[far:] + added))
        factors = torch.cat((factors[:far], factors[far:] * factors[:-far]))
        far *= 2
    return states.to(dtype)


def _stopped(values: Tensor, resets: Tensor | None) -> Tensor:
    # Zero where a text begins: 0 times nan would be nan.
    return values if resets is None else values.masked_fill(resets[..., None], 0)
