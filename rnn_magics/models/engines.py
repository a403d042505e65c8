"""Engines: how a cell is run over time.

All engines give the same values; which one is taken follows from the cell, from its weights and
from ``scratch``, by the rule in `choose_engine`, never from a timing, so that a seed keeps its
meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.interrupts import whole_imports
from rnn_magics.models import fast
from rnn_magics.models.cells import CELLS, Cell, GRUCell, LSTMCell, RNNCell, State


@dataclass(frozen=True)
class Engine:
    """How a model is computed.

    Parameters
    ----------
    run
        ``run(cell, inputs, state)`` takes a cell over a sequence, token indices (num_steps,
        batch) or vectors (num_steps, batch, input_size), and returns the outputs (num_steps,
        batch, num_hiddens) and the last state.
    linear
        ``linear(inputs, weight, bias)``, as `torch.nn.functional.linear`.
    """

    run: Callable[[Cell, Tensor, State], tuple[Tensor, State]]
    linear: Callable[[Tensor, Tensor, Tensor], Tensor] = F.linear


def run_scratch(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Step through time with the cell as it is written."""
    outputs = []
    for x in cell.input_product(inputs):  # x: (batch, num_gates * num_hiddens)
        state = cell(x, state)
        outputs.append(state[0])
    return torch.stack(outputs), state


def run_compiled(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a built-in cell through the functions that numba has compiled for this CPU.

    A few tokens without a gradient are quicker as the cell is written: what is compiled packs
    all weights first.
    """
    if inputs.shape[:2].numel() <= _FEW and not torch.is_grad_enabled():
        return run_scratch(cell, inputs, state)
    from rnn_magics.models.fast import functions  # noqa: PLC0415  (needs numba)

    recurrence = getattr(functions, _COMPILED[type(cell)])
    weights = (cell.weight_ih, cell.bias_ih, cell.weight_hh, cell.bias_hh)
    outputs, *last = functions.Scan.apply(recurrence, inputs, *weights, *state)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


def linear_compiled(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Do what `torch.nn.functional.linear` does; for a few rows without a gradient, call it."""
    if inputs.shape[:-1].numel() <= _FEW and not torch.is_grad_enabled():
        return F.linear(inputs, weight, bias)
    from rnn_magics.models.fast.functions import Linear  # noqa: PLC0415  (needs numba)

    return Linear.apply(inputs, weight, bias)  # type: ignore[no-any-return, no-untyped-call]


def is_compiled(cell: str) -> bool:
    """Whether the functions of a built-in cell are compiled, now or by an earlier session."""
    from rnn_magics.models.fast import functions  # noqa: PLC0415  (needs numba)

    return fast.is_kept(getattr(functions, _COMPILED[CELLS[cell]]).kernel)


@whole_imports()
def compile_cell(cell: str, dtype: torch.dtype) -> None:
    """Compile them, by a small run forward and backward."""
    small = CELLS[cell](2, 2).to(dtype)  # of any weights
    state = tuple(torch.zeros(1, 2, dtype=dtype) for _ in range(small.num_states))
    with torch.enable_grad():
        outputs, _ = run_compiled(small, torch.zeros(2, 1, dtype=torch.long), state)
        linear_compiled(outputs, small.weight_hh, None).sum().backward()  # type: ignore[no-untyped-call]


_FEW = 16  # tokens
_COMPILED: dict[type[Cell], str] = {RNNCell: "RNN", GRUCell: "GRU", LSTMCell: "LSTM"}
_TORCH_LAYERS: dict[type[Cell], Callable[..., tuple[Tensor, ...]]] = {
    RNNCell: torch.rnn_tanh,
    GRUCell: torch.gru,
    LSTMCell: torch.lstm,
}


def run_torch(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a built-in cell through torch's own kernel (cuDNN on CUDA)."""
    if not inputs.is_floating_point():
        size = cell.weight_ih.shape[1]
        inputs = nn.functional.one_hot(inputs, size).to(cell.weight_ih.dtype)
    weights = [cell.weight_ih.contiguous(), cell.weight_hh, cell.bias_ih, cell.bias_hh]
    first = tuple(part[None].contiguous() for part in state)  # (1, batch, num_hiddens) each
    layer = _TORCH_LAYERS[type(cell)]
    outputs, *last = layer(
        inputs,
        first if cell.num_states > 1 else first[0],
        weights,
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=cell.training,
        bidirectional=False,
        batch_first=False,
    )
    return outputs, tuple(part[0] for part in last)


ENGINES: dict[str, Engine] = {
    "scratch": Engine(run_scratch),
    "compiled": Engine(run_compiled, linear_compiled),
    "torch": Engine(run_torch),
}


def choose_engine(cell: type[Cell], weight: Tensor, *, scratch: bool = False) -> str:
    """Return the name of the engine that runs `cell`.

    ``scratch`` when asked for or when the cell is a user's own. ``compiled`` on the CPU where
    numba works and the weights are float32 or float64. Otherwise ``torch``: cuDNN on CUDA, where
    a loop over time would wait for each step.

    Parameters
    ----------
    cell, weight
        What runs, and one of its weights.
    scratch
        Whether the cell is to run as it is written.
    """
    if scratch or cell not in _COMPILED:
        return "scratch"
    compilable = weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64)
    return "compiled" if compilable and fast.is_available() else "torch"
