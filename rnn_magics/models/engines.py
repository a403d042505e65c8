"""Engines: how a cell is run over time.

All engines compute the same values. `choose_engine` picks one by the cell, its weights and
``scratch``, never by a timing, so that a seed always gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.interrupts import whole_imports
from rnn_magics.models import fast
from rnn_magics.models.cells import (
    CELLS,
    Cell,
    GRUCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
    State,
)
from rnn_magics.models.parallel_scan import run_parallel


@dataclass(frozen=True)
class Engine:
    """How a model is computed.

    Parameters
    ----------
    run
        ``run(cell, inputs, state, resets)`` runs a cell over a sequence of token indices
        (num_steps, batch) or vectors (num_steps, batch, input_size). `resets` is true where a step
        starts from a state of zeros, (num_steps, batch); None for nowhere. It returns the outputs
        (num_steps, batch, num_hiddens) and the last state.
    linear
        ``linear(inputs, weight, bias)``, as `torch.nn.functional.linear`.
    loss
        ``loss(logits, labels)``, the mean nats per token of logits (num_tokens, vocab_size), as
        `torch.nn.functional.cross_entropy`.
    """

    run: Callable[[Cell, Tensor, State, Tensor | None], tuple[Tensor, State]]
    linear: Callable[[Tensor, Tensor, Tensor], Tensor] = F.linear
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy


def run_scratch(
    cell: Cell, inputs: Tensor, state: State, resets: Tensor | None = None
) -> tuple[Tensor, State]:
    """Call the cell's own `forward` for every step."""
    outputs = []
    for step, x in enumerate(cell.input_product(inputs)):  # x: (batch, num_gates * num_hiddens)
        if resets is not None:  # not a product with 0: no gradient goes back, not even nan
            state = tuple(part.masked_fill(resets[step, :, None], 0) for part in state)
        state = cell(x, state)
        outputs.append(state[0])
    return torch.stack(outputs), state


def run_compiled(
    cell: Cell, inputs: Tensor, state: State, resets: Tensor | None = None
) -> tuple[Tensor, State]:
    """Run a built-in cell through the functions that numba compiled for this CPU.

    A few tokens without a gradient take the cell's own `forward`, which is quicker then: the
    compiled functions pack all weights first.
    """
    if inputs.shape[:2].numel() <= _FEW and not torch.is_grad_enabled():
        return run_scratch(cell, inputs, state, resets)
    from rnn_magics.models.fast.functions import Scan  # noqa: PLC0415  (needs numba)

    given = (recurrence_of(cell), resets, inputs, *cell.weights, *state)
    outputs, *last = Scan.apply(*given)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


def linear_compiled(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Apply a linear layer; for a few rows without a gradient, torch's own is quicker."""
    if inputs.shape[:-1].numel() <= _FEW and not torch.is_grad_enabled():
        return F.linear(inputs, weight, bias)
    from rnn_magics.models.fast.linear import Linear  # noqa: PLC0415  (needs numba)

    return Linear.apply(inputs, weight, bias)  # type: ignore[no-any-return, no-untyped-call]


def loss_compiled(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the mean nats per token, and its gradient along with it."""
    from rnn_magics.models.fast.learning.functions import MeanNats  # noqa: PLC0415  (needs numba)

    return MeanNats.apply(logits, labels)  # type: ignore[no-any-return, no-untyped-call]


def is_compiled(cell: str) -> bool:
    """Whether the functions of a built-in cell are compiled, by this or an earlier session."""
    return fast.is_kept(_recurrence(CELLS[cell]).kernel)


@whole_imports()
def compile_cell(cell: str, dtype: torch.dtype) -> None:
    """Compile the functions of a built-in cell and of its training, by small runs of them.

    The larger one is for CPUs where products of that size have functions of their own (`fast.amx`).
    The cell comes last, so that what else is needed is compiled where it is.
    """
    from rnn_magics.models.fast.learning.functions import (  # noqa: PLC0415  (needs numba)
        compile_updates,
    )

    compile_updates(dtype)
    for size, batch_size in ((128, 16), (2, 1)):
        small = CELLS[cell](2, size).to(dtype)  # the weights do not matter
        state = tuple(torch.zeros(batch_size, size, dtype=dtype) for _ in range(small.num_states))
        weight = torch.zeros(2, size, dtype=dtype, requires_grad=True)
        with torch.enable_grad():
            tokens = torch.zeros(2, batch_size, dtype=torch.long)
            outputs, _ = run_compiled(small, tokens, state)
            logits = linear_compiled(outputs, weight, None)  # (2, batch_size, 2)
            loss = loss_compiled(logits.flatten(0, 1), tokens.flatten())
            loss.backward()  # type: ignore[no-untyped-call]


def recurrence_of(cell: Cell) -> Any:
    """Return the compiled recurrence of a built-in cell, as `rnn_magics.models.fast` has it."""
    return _recurrence(type(cell))


def _recurrence(cell: type[Cell]) -> Any:
    return _loaded(*_COMPILED[cell])


@cache
def _loaded(module: str, name: str) -> Any:
    return getattr(import_module(f"{fast.__name__}.{module}"), name)  # needs numba


_FEW = 16  # tokens
_COMPILED: dict[type[Cell], tuple[str, str]] = {  # a module of `fast`, and a name in it
    RNNCell: ("functions", "RNN"),
    GRUCell: ("functions", "GRU"),
    LSTMCell: ("functions", "LSTM"),
    MinGRUCell: ("gated.functions", "MINGRU"),
    MinLSTMCell: ("gated.functions", "MINLSTM"),
}


def run_torch(
    cell: Cell, inputs: Tensor, state: State, resets: Tensor | None = None
) -> tuple[Tensor, State]:
    """Run a built-in cell through operations of torch that take all steps at once."""
    return _IN_TORCH[type(cell)](cell, inputs, state, resets)


def _through(layer: Callable[..., tuple[Tensor, ...]]) -> Callable[..., tuple[Tensor, State]]:
    """Return what runs a cell through torch's own kernel (cuDNN on CUDA).

    These kernels cannot start anew within a row, so a sequence with resets takes the cell's own
    `forward`, step by step. Nothing of it depends on where the resets are, so that a CUDA graph can
    contain it.
    """

    def run(
        cell: Cell, inputs: Tensor, state: State, resets: Tensor | None
    ) -> tuple[Tensor, State]:
        if resets is not None:
            return run_scratch(cell, inputs, state, resets)
        if not inputs.is_floating_point():
            size = cell.weight_ih.shape[1]
            inputs = nn.functional.one_hot(inputs, size).to(cell.weight_ih.dtype)
        weights = [cell.weight_ih.contiguous(), cell.weight_hh, cell.bias_ih, cell.bias_hh]
        first = tuple(part[None].contiguous() for part in state)  # (1, batch, num_hiddens) each
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

    return run


_IN_TORCH: dict[type[Cell], Callable[..., tuple[Tensor, State]]] = {
    RNNCell: _through(torch.rnn_tanh),
    GRUCell: _through(torch.gru),
    LSTMCell: _through(torch.lstm),
    MinGRUCell: run_parallel,
    MinLSTMCell: run_parallel,
}


ENGINES: dict[str, Engine] = {
    "scratch": Engine(run_scratch),
    "compiled": Engine(run_compiled, linear_compiled, loss_compiled),
    "torch": Engine(run_torch),
}


def choose_engine(cell: type[Cell], weight: Tensor, *, scratch: bool = False) -> str:
    """Return the name of the engine that runs `cell`.

    ``scratch`` if `scratch` is set or the cell is registered by the user; ``compiled`` on the CPU
    if numba works and the weights are float32 or float64; otherwise ``torch``, which is cuDNN on
    CUDA, or a parallel scan, where a loop over time would wait for every step.

    Parameters
    ----------
    cell, weight
        The cell, and one of its weights.
    scratch
        Whether to call the cell's own `forward` for every step.
    """
    if scratch or cell not in _COMPILED:
        return "scratch"
    compilable = weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64)
    return "compiled" if compilable and fast.is_available() else "torch"
