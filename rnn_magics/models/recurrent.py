"""The recurrent stack: cells run over time, layers on top of each other, both directions.

How a cell is run over time is an engine. All engines give the same values; which one is
taken follows from the cell, the device and ``scratch``, by the rule in `choose_engine`,
never from a timing, so that a seed keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnn_magics.models.cells import CELLS, Cell, GRUCell, LSTMCell, RNNCell, State
from rnn_magics.models.fused import SCANS

Engine = Callable[[Cell, Tensor, State], tuple[Tensor, State]]


def run_scratch(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Step through time with the cell as it is written."""
    outputs = []
    for x in cell.input_product(inputs):  # x: (batch, num_gates * num_hiddens)
        state = cell(x, state)
        outputs.append(state[0])
    return torch.stack(outputs), state


def run_fused(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a built-in cell as one operation with a gradient written by hand."""
    x = cell.input_product(inputs)
    outputs, *last = SCANS[type(cell)](x, cell.weight_hh, cell.bias_hh, *state)
    return outputs, tuple(last)


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


ENGINES: dict[str, Engine] = {"scratch": run_scratch, "fused": run_fused, "torch": run_torch}


_SMALL_VOCABULARY = 1024  # one-hot vectors this long cost less than the look-up saves


def choose_engine(
    cell: type[Cell], device: torch.device, *, one_hot_size: int = 0, scratch: bool = False
) -> str:
    """Return the name of the engine that runs `cell` on `device`.

    ``scratch`` when asked for or when the cell is a user's own. ``torch`` (cuDNN) on
    accelerators, where a Python loop over time would wait for each step, and on the CPU for
    an LSTM, which oneDNN runs faster, unless its input is one-hot over a large vocabulary.
    ``fused`` otherwise.

    Parameters
    ----------
    cell, device
        What runs where.
    one_hot_size
        The size of the vocabulary when the input is token indices, 0 when it is vectors.
    scratch
        Whether the cell is to run as it is written.
    """
    if scratch or cell not in SCANS:
        return "scratch"
    if device.type != "cpu":
        return "torch"
    return "torch" if cell is LSTMCell and one_hot_size <= _SMALL_VOCABULARY else "fused"


class Dropout(nn.Module):
    """Dropout that draws from a generator of its own, so that a run leaves no trace elsewhere.

    Parameters
    ----------
    p
        The probability that an element is zeroed during training.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Zero elements with probability p and scale the others by 1 / (1 - p)."""
        if not self.training or self.p == 0:
            return x
        keep = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * keep.div_(1 - self.p)


class RecurrentStack(nn.Module):
    """Layers of recurrent cells, as `torch.nn.GRU` and its siblings stack them.

    Parameters
    ----------
    cell
        A name of `CELLS`.
    input_size
        The size of the input vectors, or of the vocabulary when the input is token indices.
    num_hiddens, num_layers
        The size and number of the layers.
    dropout
        Between layers.
    bidirectional
        Whether each layer also reads the sequence backwards.
    scratch
        Whether built-in cells run as they are written, too.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        num_hiddens: int,
        num_layers: int = 1,
        *,
        dropout: float = 0.0,
        bidirectional: bool = False,
        scratch: bool = False,
    ) -> None:
        super().__init__()
        self.num_directions = 2 if bidirectional else 1
        self.num_hiddens = num_hiddens
        self.scratch = scratch
        self.input_size = input_size
        sizes = [input_size] + [num_hiddens * self.num_directions] * (num_layers - 1)
        self.cells = nn.ModuleList(
            CELLS[cell](size, num_hiddens) for size in sizes for _ in range(self.num_directions)
        )
        self.dropout = Dropout(dropout)

    @property
    def num_states(self) -> int:
        """How many tensors the state has: 1, or 2 for an LSTM."""
        return self._cell(0).num_states

    @property
    def output_size(self) -> int:
        """The size of the output vectors."""
        return self.num_hiddens * self.num_directions

    def engine(self, device: torch.device, *, one_hot: bool) -> str:
        """Return the name of the engine that runs the cells on `device`."""
        size = self.input_size if one_hot else 0
        cell = type(self._cell(0))
        return choose_engine(cell, device, one_hot_size=size, scratch=self.scratch)

    def _cell(self, index: int) -> Cell:
        cell = self.cells[index]
        if not isinstance(cell, Cell):
            raise TypeError(type(cell))
        return cell

    def begin_state(self, batch_size: int, device: torch.device) -> State:
        """Return zeros: `num_states` tensors (num_layers * num_directions, batch, num_hiddens)."""
        shape = (len(self.cells), batch_size, self.num_hiddens)
        dtype = self._cell(0).weight_hh.dtype
        return tuple(torch.zeros(shape, device=device, dtype=dtype) for _ in range(self.num_states))

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run the stack over a sequence.

        Parameters
        ----------
        inputs
            Token indices (num_steps, batch), or vectors (num_steps, batch, input_size).
        state
            `num_states` tensors (num_layers * num_directions, batch, num_hiddens).

        Returns
        -------
        outputs : Tensor
            The states of the top layer, (num_steps, batch, num_hiddens * num_directions).
        state : tuple of Tensor
            The last state of every layer, shaped like `state`.
        """
        run = ENGINES[self.engine(inputs.device, one_hot=not inputs.is_floating_point())]
        last: list[State] = []
        for first in range(0, len(self.cells), self.num_directions):
            if first:
                inputs = self.dropout(inputs)
            sides = []
            for direction in range(self.num_directions):
                index = first + direction
                begin = tuple(part[index] for part in state)  # (batch, num_hiddens) each
                ordered = inputs.flip(0) if direction else inputs
                outputs, end = run(self._cell(index), ordered, begin)
                sides.append(outputs.flip(0) if direction else outputs)
                last.append(end)
            inputs = sides[0] if self.num_directions == 1 else torch.cat(sides, dim=-1)
        return inputs, tuple(torch.stack(parts) for parts in zip(*last, strict=True))
