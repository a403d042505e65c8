"""Recurrent cells, each written out from its equations.

A cell takes the input and the state, and returns the new state. The input part of every gate,
``W_ih x_t + b_ih``, does not depend on the state, so it is computed for the whole sequence at once
(`Cell.input_product`); `forward` then takes one step.

To add a cell, subclass `Cell`, write `forward`, and add a line to `CELLS`.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

State = tuple[Tensor, ...]
"""The tensors that a cell passes from step to step, each (batch, num_hiddens); h comes first."""


class Cell(nn.Module):
    """One step of a recurrence.

    Parameters
    ----------
    input_size
        The size of the input at each step; for token indices, the size of the vocabulary.
    num_hiddens
        The size of the state.

    Attributes
    ----------
    num_gates : int
        The number of blocks of `num_hiddens` rows in the weights.
    num_states : int
        The number of tensors of shape (batch, num_hiddens) in the state; the first is the output.
    multiplies_state : bool
        Whether the state before is multiplied by weights, ``weight_hh``; see `InputGatedCell`.

    Notes
    -----
    The parameters have the names, shapes and gate order of `torch.nn.GRUCell`, `torch.nn.LSTMCell`
    and `torch.nn.RNNCell`, so weights can be copied in both directions.
    """

    num_gates: ClassVar[int] = 1
    num_states: ClassVar[int] = 1
    multiplies_state: ClassVar[bool] = True

    def __init__(self, input_size: int, num_hiddens: int) -> None:
        super().__init__()
        rows = self.num_gates * num_hiddens
        self.num_hiddens = num_hiddens
        # Stored transposed, so that the row of a token is contiguous for the look-up. A stack
        # stores the weights of its upper cells untransposed, since nothing is looked up there.
        self.weight_ih = nn.Parameter(torch.empty(input_size, rows).t())  # (rows, input_size)
        if self.multiplies_state:
            self.weight_hh = nn.Parameter(torch.empty(rows, num_hiddens))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        if self.multiplies_state:
            self.bias_hh = nn.Parameter(torch.empty(rows))

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """``weight_ih`` and ``bias_ih``, then ``weight_hh`` and ``bias_hh`` if there are any."""
        outer = (self.weight_ih, self.bias_ih)
        return (*outer, self.weight_hh, self.bias_hh) if self.multiplies_state else outer

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every parameter from U(-1/sqrt(num_hiddens), 1/sqrt(num_hiddens)).

        This is what `torch.nn` does for every cell.
        """
        bound = 1 / math.sqrt(self.num_hiddens)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
            # Numbers are drawn in memory order. A seed must give the same weights in both layouts.
            if self.weight_ih.is_contiguous():
                drawn = self.weight_ih.view(self.weight_ih.shape[::-1]).clone()
                self.weight_ih.copy_(drawn.t())

    def input_product(self, inputs: Tensor) -> Tensor:
        """Return ``W_ih x_t + b_ih`` for all steps.

        Parameters
        ----------
        inputs
            Vectors (num_steps, batch, input_size); or token indices (num_steps, batch), for which
            columns of ``W_ih`` are looked up. That equals multiplying by one-hot vectors.

        Returns
        -------
        Tensor
            Shape (num_steps, batch, num_gates * num_hiddens).
        """
        if inputs.is_floating_point():
            return F.linear(inputs, self.weight_ih, self.bias_ih)
        return F.embedding(inputs, self.weight_ih.t()) + self.bias_ih

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step.

        Parameters
        ----------
        x
            The input product of this step, (batch, num_gates * num_hiddens).
        state
            `num_states` tensors (batch, num_hiddens).

        Returns
        -------
        tuple of Tensor
            The state after the step; its first tensor is also the output.
        """
        raise NotImplementedError

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:  # noqa: ARG002  (none by default)
        """Return the gates and the candidate of one step, by name.

        `rnn_magics.inspection` shows them. A cell that names its gates computes its step from
        them, so that the view shows what really happens.

        Parameters
        ----------
        x, state
            As for `forward`.

        Returns
        -------
        dict of str to Tensor
            The gates, with values in [0, 1], and ``candidate``, with any values; each
            (batch, num_hiddens). Empty if the cell names no gates.
        """
        return {}

    def touch(self, name: str, values: Tensor) -> Tensor:  # noqa: ARG002  (an intervention reads it)
        """Return a gate or a part of the state as the rest of the step sees it: unchanged.

        `rnn_magics.inspection.interventions` puts another function here. A cell that calls it for
        each gate as soon as it is computed lets a reader hold that gate.

        Parameters
        ----------
        name
            The name of the gate, or ``c`` for the memory of an LSTM.
        values
            Its values, (batch, num_hiddens).
        """
        return values


class RNNCell(Cell):
    r"""The simple recurrent cell of Elman (1990).

    .. math:: h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})
    """

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step."""
        (hidden,) = state
        return (torch.tanh(x + F.linear(hidden, self.weight_hh, self.bias_hh)),)


class GRUCell(Cell):
    r"""The gated recurrent unit of Cho et al. (2014), in the form that cuDNN computes.

    .. math::

        r_t &= \sigma(x^r_t + W_{hr} h_{t-1} + b_{hr}) \\
        z_t &= \sigma(x^z_t + W_{hz} h_{t-1} + b_{hz}) \\
        n_t &= \tanh(x^n_t + r_t \odot (W_{hn} h_{t-1} + b_{hn})) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    where :math:`x_t` is the input product. The reset gate acts after the matrix product, not
    before it as in the paper, so that one product computes all gates.
    """

    num_gates = 3

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        """Return r, z and n."""
        (hidden,) = state
        x_r, x_z, x_n = x.chunk(3, dim=-1)  # (batch, num_hiddens) each
        h_r, h_z, h_n = F.linear(hidden, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
        reset = self.touch("reset", torch.sigmoid(x_r + h_r))
        update = self.touch("update", torch.sigmoid(x_z + h_z))
        candidate = self.touch("candidate", torch.tanh(x_n + reset * h_n))
        return {"reset": reset, "update": update, "candidate": candidate}

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step."""
        (hidden,) = state
        gates = self.gates(x, state)
        update = gates["update"]
        return ((1 - update) * gates["candidate"] + update * hidden,)


class LSTMCell(Cell):
    r"""The long short-term memory of Hochreiter and Schmidhuber (1997) with forget gates.

    .. math::

        i_t, f_t, o_t &= \sigma(x^{i,f,o}_t + W_{h\cdot} h_{t-1} + b_{h\cdot}) \\
        g_t &= \tanh(x^g_t + W_{hg} h_{t-1} + b_{hg}) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    where :math:`x_t` is the input product. The state is the pair (h, c).
    """

    num_gates = 4
    num_states = 2

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        """Return i, f, g and o."""
        hidden, _ = state
        product = x + F.linear(hidden, self.weight_hh, self.bias_hh)
        i, f, g, o = product.chunk(4, dim=-1)  # (batch, num_hiddens) each
        return {
            "input": self.touch("input", torch.sigmoid(i)),
            "forget": self.touch("forget", torch.sigmoid(f)),
            "candidate": self.touch("candidate", torch.tanh(g)),
            "output": self.touch("output", torch.sigmoid(o)),
        }

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step."""
        _, memory = state
        gates = self.gates(x, state)
        memory = self.touch("c", gates["forget"] * memory + gates["input"] * gates["candidate"])
        return gates["output"] * torch.tanh(memory), memory


def positive(x: Tensor) -> Tensor:
    r"""Return g(x) of Feng et al. (2024, appendix B), which makes a candidate positive.

    .. math:: g(x) = x + 0.5 \text{ if } x \ge 0, \text{ else } \sigma(x)
    """
    return torch.where(x >= 0, x + 0.5, torch.sigmoid(x))


class InputGatedCell(Cell):
    r"""A cell whose gates depend on the input alone, not on the state.

    .. math:: h_t = a_t \odot h_{t-1} + b_t

    So there are no recurrent weights, and no unit sees another unit of its layer. The factors and
    terms of all steps are known before the first step, so the states of all steps can be computed
    in parallel.
    """

    multiplies_state = False

    def terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the factor of the state before, and the term that is added to it.

        Parameters
        ----------
        x
            Input products, (..., num_gates * num_hiddens).

        Returns
        -------
        factor, term : Tensor
            a and b, both (..., num_hiddens).
        """
        raise NotImplementedError

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step."""
        (hidden,) = state
        factor, term = self.terms(x)
        return (factor * hidden + term,)


class MinGRUCell(InputGatedCell):
    r"""The minGRU of Feng et al. (2024), "Were RNNs All We Needed?".

    .. math::

        z_t &= \sigma(x^z_t) \\
        n_t &= g(x^n_t), \quad g(x) = x + 0.5 \text{ if } x \ge 0, \text{ else } \sigma(x) \\
        h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot n_t

    where :math:`x_t` is the input product. The paper has two forms. In its section 3 the candidate
    is :math:`n_t = x^n_t`; in the log-space form of its appendix B it is :math:`g(x^n_t)`, so that
    states that begin at zero are never negative. This is the form of the appendix. As in the paper,
    :math:`z_t = 1` replaces the state; in `GRUCell` it keeps it.
    """

    num_gates = 2

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:  # noqa: ARG002  (no part in them)
        """Return z and n."""
        x_z, x_n = x.chunk(2, dim=-1)  # (..., num_hiddens) each
        return {
            "update": self.touch("update", torch.sigmoid(x_z)),
            "candidate": self.touch("candidate", positive(x_n)),
        }

    def terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return 1 - z and z n."""
        gates = self.gates(x, ())
        return 1 - gates["update"], gates["update"] * gates["candidate"]


class MinLSTMCell(InputGatedCell):
    r"""The minLSTM of Feng et al. (2024), "Were RNNs All We Needed?".

    .. math::

        f_t, i_t &= \sigma(x^f_t), \sigma(x^i_t) \\
        f'_t, i'_t &= f_t / (f_t + i_t), \; i_t / (f_t + i_t) \\
        n_t &= g(x^n_t), \quad g(x) = x + 0.5 \text{ if } x \ge 0, \text{ else } \sigma(x) \\
        h_t &= f'_t \odot h_{t-1} + i'_t \odot n_t

    where :math:`x_t` is the input product. The two gates add up to 1, so that the scale of a state
    does not depend on the length of the text, and there is neither a memory nor an output gate. The
    paper has two forms. In its section 3 the candidate is :math:`n_t = x^n_t`; in the log-space
    form of its appendix B it is :math:`g(x^n_t)`, so that states that begin at zero are never
    negative. This is the form of the appendix.
    """

    num_gates = 3

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:  # noqa: ARG002  (no part in them)
        """Return f', i' and n."""
        x_f, x_i, x_n = x.chunk(3, dim=-1)  # (..., num_hiddens) each
        ratio = F.logsigmoid(x_i) - F.logsigmoid(x_f)  # ln(i / f), which is finite if both are 0
        return {
            "forget": self.touch("forget", torch.sigmoid(-ratio)),
            "input": self.touch("input", torch.sigmoid(ratio)),
            "candidate": self.touch("candidate", positive(x_n)),
        }

    def terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return f' and i' n."""
        gates = self.gates(x, ())
        return gates["forget"], gates["input"] * gates["candidate"]


CELLS: dict[str, type[Cell]] = {
    "rnn": RNNCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "mingru": MinGRUCell,
    "minlstm": MinLSTMCell,
}
