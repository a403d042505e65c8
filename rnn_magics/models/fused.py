"""The recurrences of the built-in cells over a whole sequence, with their gradients by hand.

A loop over `Cell.forward` makes autograd record a dozen small operations at every step.
Here each recurrence is one `torch.autograd.Function`: the time loop writes into buffers
allocated beforehand, and the gradients of the recurrent weights are one matrix product over
all steps. Values and gradients equal those of the cells; the tests hold the two together.

Every ``scan`` takes the input product x of shape (num_steps, batch, num_gates * num_hiddens),
``weight_hh``, ``bias_hh`` and the initial state, and returns the outputs of shape
(num_steps, batch, num_hiddens) followed by the last state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx, once_differentiable

from rnn_magics.models.cells import Cell, GRUCell, LSTMCell, RNNCell

Scan = Callable[..., tuple[Tensor, ...]]


def _weight_gradients(d_gates: Tensor, previous: Tensor) -> tuple[Tensor, Tensor]:
    # d_gates (num_steps, batch, rows), previous hidden states (num_steps, batch, num_hiddens)
    flat = d_gates.flatten(0, 1)
    return flat.t() @ previous.flatten(0, 1), flat.sum(0)


class RNNScan(Function):
    """`RNNCell` over a sequence."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, h_0: Tensor
    ) -> tuple[Tensor, Tensor]:
        steps = x + bias
        states = torch.cat((h_0[None], steps))  # (num_steps + 1, batch, num_hiddens)
        weight_t = weight.t()
        for t in range(len(x)):
            torch.addmm(steps[t], states[t], weight_t, out=states[t + 1]).tanh_()
        ctx.save_for_backward(states, weight)
        return states[1:].clone(), states[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor, ...]:  # noqa: D102
        states, weight = ctx.saved_tensors
        outputs = states[1:]
        d_x = 1 - outputs * outputs  # the slope of tanh, then the gradient of its argument
        d_h = d_last.clone()
        for t in range(len(outputs) - 1, -1, -1):
            d_x[t] *= d_h.add_(d_outputs[t])
            torch.mm(d_x[t], weight, out=d_h)
        d_weight, d_bias = _weight_gradients(d_x, states[:-1])
        return d_x, d_weight, d_bias, d_h


class GRUScan(Function):
    """`GRUCell` over a sequence."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, h_0: Tensor
    ) -> tuple[Tensor, Tensor]:
        num_steps, batch, rows = x.shape
        size = rows // 3
        states = x.new_empty(num_steps + 1, batch, size)
        states[0] = h_0
        gates = x.clone()  # reset, update, candidate, each num_hiddens wide
        h_n = x.new_empty(num_steps, batch, size)  # W_hn h + b_hn, before the reset gate
        product = x.new_empty(batch, rows)
        weight_t = weight.t()
        for t in range(num_steps):
            torch.addmm(bias, states[t], weight_t, out=product)
            both = gates[t, :, : 2 * size]
            both.add_(product[:, : 2 * size]).sigmoid_()
            reset, update, candidate = gates[t].chunk(3, dim=-1)
            h_n[t] = product[:, 2 * size :]
            candidate.addcmul_(reset, h_n[t]).tanh_()
            torch.lerp(candidate, states[t], update, out=states[t + 1])
        ctx.save_for_backward(states, gates, h_n, weight)
        return states[1:].clone(), states[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor, ...]:  # noqa: D102
        states, gates, h_n, weight = ctx.saved_tensors
        reset, update, candidate = gates.chunk(3, dim=-1)
        size = reset.shape[-1]
        # What each gate's argument receives per unit of d_h, for all steps at once.
        d_x = torch.empty_like(gates)
        d_reset, d_update, d_candidate = d_x.chunk(3, dim=-1)
        torch.mul(1 - update, 1 - candidate * candidate, out=d_candidate)
        torch.mul(states[:-1] - candidate, update * (1 - update), out=d_update)
        torch.mul(d_candidate * h_n, reset * (1 - reset), out=d_reset)
        d_h = d_last.clone()
        d_hn = torch.empty_like(h_n)
        product = torch.empty_like(gates[0])  # what W_hh h + b_hh receives at this step
        for t in range(len(h_n) - 1, -1, -1):
            d_h.add_(d_outputs[t])
            d_x[t].view(-1, 3, size).mul_(d_h[:, None, :])
            torch.mul(d_candidate[t], reset[t], out=d_hn[t])
            product[:, : 2 * size] = d_x[t, :, : 2 * size]
            product[:, 2 * size :] = d_hn[t]
            d_h.mul_(update[t]).addmm_(product, weight)
        d_gates = torch.cat((d_x[..., : 2 * size], d_hn), dim=-1)
        d_weight, d_bias = _weight_gradients(d_gates, states[:-1])
        return d_x, d_weight, d_bias, d_h


class LSTMScan(Function):
    """`LSTMCell` over a sequence."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, h_0: Tensor, c_0: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        num_steps, batch, rows = x.shape
        size = rows // 4
        states = x.new_empty(num_steps + 1, batch, size)
        memories = x.new_empty(num_steps + 1, batch, size)
        states[0], memories[0] = h_0, c_0
        squashed = x.new_empty(num_steps, batch, size)  # tanh of the memory
        gates = x + bias  # i, f, g, o, each num_hiddens wide
        weight_t = weight.t()
        for t in range(num_steps):
            gates[t].addmm_(states[t], weight_t)
            gates[t, :, : 2 * size].sigmoid_()
            gates[t, :, 2 * size : 3 * size].tanh_()
            gates[t, :, 3 * size :].sigmoid_()
            i, f, g, o = gates[t].chunk(4, dim=-1)
            torch.mul(f, memories[t], out=memories[t + 1]).addcmul_(i, g)
            torch.tanh(memories[t + 1], out=squashed[t])
            torch.mul(o, squashed[t], out=states[t + 1])
        ctx.save_for_backward(states, memories, squashed, gates, weight)
        return states[1:].clone(), states[-1].clone(), memories[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(  # noqa: D102
        ctx: Any,
        d_outputs: Tensor,
        d_last: Tensor,
        d_memory: Tensor,
    ) -> tuple[Tensor, ...]:
        states, memories, squashed, gates, weight = ctx.saved_tensors
        i, f, g, o = gates.chunk(4, dim=-1)
        # What each gate's argument receives per unit of d_c (i, f, g) or d_h (o).
        d_x = torch.empty_like(gates)
        d_i, d_f, d_g, d_o = d_x.chunk(4, dim=-1)
        torch.mul(g, i * (1 - i), out=d_i)
        torch.mul(memories[:-1], f * (1 - f), out=d_f)
        torch.mul(i, 1 - g * g, out=d_g)
        torch.mul(squashed, o * (1 - o), out=d_o)
        slope = o * (1 - squashed * squashed)  # d_c per unit of d_h
        d_h, d_c = d_last.clone(), d_memory.clone()
        size = d_h.shape[-1]
        for t in range(len(slope) - 1, -1, -1):
            d_h.add_(d_outputs[t])
            d_c.addcmul_(d_h, slope[t])
            d_x[t, :, : 3 * size].view(-1, 3, size).mul_(d_c[:, None, :])
            d_o[t].mul_(d_h)
            d_c.mul_(f[t])
            torch.mm(d_x[t], weight, out=d_h)
        d_weight, d_bias = _weight_gradients(d_x, states[:-1])
        return d_x, d_weight, d_bias, d_h, d_c


SCANS: dict[type[Cell], Scan] = {
    RNNCell: RNNScan.apply,
    GRUCell: GRUScan.apply,
    LSTMCell: LSTMScan.apply,
}
