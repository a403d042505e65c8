"""The recurrent stack: cells run over time, in several layers and in one or both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnn_magics.models.cells import CELLS, Cell, State
from rnn_magics.models.engines import ENGINES, choose_engine
from rnn_magics.models.segments import run_segments


@dataclass(frozen=True)
class Share:
    """Some neighbouring rows of a minibatch.

    Parameters
    ----------
    first, number
        The first row, and how many there are.
    batch_size
        How many rows the whole minibatch has.
    """

    first: int
    number: int
    batch_size: int

    @property
    def rows(self) -> slice:
        """The rows, as an index."""
        return slice(self.first, self.first + self.number)

    @property
    def weight(self) -> float:
        """The weight of their mean in that of the minibatch."""
        return self.number / self.batch_size

    @classmethod
    def of(cls, batch_size: int, part: int, parts: int) -> Share:
        """Return one of several parts of a minibatch, which differ by one row at most."""
        number, more = divmod(batch_size, parts)
        return cls(part * number + min(part, more), number + (part < more), batch_size)


class Dropout(nn.Module):
    """Dropout that draws from its own generator, so that it leaves the global one untouched.

    Parameters
    ----------
    p
        The probability that an element is set to zero during training.

    Attributes
    ----------
    generator : torch.Generator or None
        What it draws from; None for the global one.
    share : Share or None
        Which rows of a minibatch it is given; None for all of them. The mask belongs to the rows,
        so that of the whole minibatch is drawn.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None
        self.share: Share | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Set elements to zero with probability p, and scale the others by 1 / (1 - p).

        Parameters
        ----------
        x
            Shape (num_steps, batch, size).
        """
        if not self.acts:
            return x
        mask = torch.empty_like(x)
        self.draw(mask)
        return x * mask

    @property
    def acts(self) -> bool:
        """Whether anything is dropped: during training, with p above 0."""
        return self.training and self.p > 0

    def draw(self, mask: Tensor) -> None:
        """Fill `mask`, (num_steps, batch, size), with what values of its shape are multiplied by.

        Each element is 0 or 1 / (1 - p).
        """
        draw = _draw_on_cpu if mask.device.type == "cpu" else _draw
        if self.share is None:
            draw(mask, self.p, self.generator)
            return
        whole = mask.new_empty((mask.shape[0], self.share.batch_size, *mask.shape[2:]))
        draw(whole, self.p, self.generator)
        mask.copy_(whole[:, self.share.rows])


def _draw(mask: Tensor, p: float, generator: torch.Generator | None) -> None:
    mask.bernoulli_(1 - p, generator=generator).div_(1 - p)


def _draw_on_cpu(mask: Tensor, p: float, generator: torch.Generator | None) -> None:
    # Drawing 64-bit numbers takes the time, so each one serves four elements. The probability is
    # rounded to a multiple of 2^-16.
    steps = 2**16
    kept = min(max(round((1 - p) * steps), 1), steps - 1)
    numbers = torch.empty(-(-mask.numel() // 4), dtype=torch.int64)
    numbers.random_(-(2**63), None, generator=generator)
    places = numbers.view(torch.int16)[: mask.numel()].view(mask.shape)
    torch.lt(places, kept - steps // 2, out=mask).mul_(steps / kept)


class RecurrentStack(nn.Module):
    """Layers of recurrent cells, stacked as in `torch.nn.GRU`, `torch.nn.LSTM` and `torch.nn.RNN`.

    Parameters
    ----------
    cell
        A name of `CELLS`.
    input_size
        The size of the input vectors, or of the vocabulary when the input is token indices.
    num_hiddens, num_layers
        The size and the number of the layers.
    dropout
        The dropout probability between layers.
    bidirectional
        Whether each layer also reads the sequence backwards.
    scratch
        Whether built-in cells, too, run through their own `forward`.

    Attributes
    ----------
    initial : torch.nn.ParameterList or None
        The learnt state before the first token, `num_states` tensors (num_layers * num_directions,
        num_hiddens); None if that is zeros.
    """

    cells: Sequence[Cell]

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
        sizes = [input_size] + [num_hiddens * self.num_directions] * (num_layers - 1)
        self.cells = nn.ModuleList(  # type: ignore[assignment]  # of cells
            CELLS[cell](size, num_hiddens) for size in sizes for _ in range(self.num_directions)
        )
        for upper in self.cells[self.num_directions :]:
            weight = upper.weight_ih
            weight.data = weight.data.contiguous()  # the products need no transposed copy
        self.dropout = Dropout(dropout)
        self.initial: nn.ParameterList | None = None

    def learn_initial(self) -> None:
        """Learn the state before the first token, too; it begins as zeros."""
        shape = (len(self.cells), self.num_hiddens)
        self.initial = nn.ParameterList(torch.zeros(shape) for _ in range(self.num_states))

    @property
    def num_states(self) -> int:
        """The number of tensors in the state: 1, or 2 for an LSTM."""
        return self.cells[0].num_states

    @property
    def output_size(self) -> int:
        """The size of the output vectors."""
        return self.num_hiddens * self.num_directions

    @property
    def engine(self) -> str:
        """The name of the engine that runs the cells on their present device."""
        cell = self.cells[0]
        return choose_engine(type(cell), cell.weight_ih, scratch=self.scratch)

    def begin_state(self, batch_size: int, device: torch.device) -> State:
        """Return the state before the first token: zeros, or what was learnt.

        Returns
        -------
        tuple of Tensor
            `num_states` tensors (num_layers * num_directions, batch, num_hiddens).
        """
        if self.initial is not None:  # copies, which nobody changes by changing the state
            return tuple(part.to(device)[:, None].repeat(1, batch_size, 1) for part in self.initial)
        shape = (len(self.cells), batch_size, self.num_hiddens)
        dtype = self.cells[0].weight_ih.dtype
        return tuple(torch.zeros(shape, device=device, dtype=dtype) for _ in range(self.num_states))

    def forward(
        self, inputs: Tensor, state: State, resets: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Run the stack over a sequence.

        Parameters
        ----------
        inputs
            Token indices (num_steps, batch), or vectors (num_steps, batch, input_size).
        state
            `num_states` tensors (num_layers * num_directions, batch, num_hiddens).
        resets
            Where the state is that of `begin_state` again before a step, (num_steps, batch): there
            another text begins, and neither values nor gradients pass. None for nowhere.

        Returns
        -------
        outputs : Tensor
            The states of the top layer, (num_steps, batch, num_hiddens * num_directions).
        state : tuple of Tensor
            The last state of every layer, shaped like `state`.
        """
        resets = needed(resets)
        last: list[State] = []
        for first in range(0, len(self.cells), self.num_directions):
            if first:
                inputs = self.dropout(inputs)
            sides = []
            for direction in range(self.num_directions):
                index = first + direction
                begin = tuple(part[index] for part in state)  # (batch, num_hiddens) each
                ordered = inputs.flip(0) if direction else inputs
                turned = backwards(resets) if direction else resets
                outputs, end = self.run_cell(index, ordered, begin, turned)
                sides.append(outputs.flip(0) if direction else outputs)
                last.append(end)
            inputs = sides[0] if self.num_directions == 1 else torch.cat(sides, dim=-1)
        return inputs, tuple(torch.stack(parts) for parts in zip(*last, strict=True))

    def run_cell(
        self, index: int, inputs: Tensor, state: State, resets: Tensor | None
    ) -> tuple[Tensor, State]:
        """Run one cell over a sequence, in the order in which it reads.

        Parameters
        ----------
        index
            Which cell: those of the lowest layer come first, in each layer the one that reads
            forwards.
        inputs, resets
            As for `forward`.
        state
            `num_states` tensors (batch, num_hiddens).
        """
        run = ENGINES[self.engine].run
        if self.initial is None or resets is None:
            return run(self.cells[index], inputs, state, resets)
        start = tuple(part[index] for part in self.initial)
        return run_segments(run, self.cells[index], inputs, state, resets, start)


def needed(resets: Tensor | None) -> Tensor | None:
    """Return the resets, or None if there are none.

    Only on the CPU is that known at once; no other device is waited for.
    """
    if resets is not None and resets.device.type == "cpu" and not resets.any():
        return None
    return resets


def backwards(resets: Tensor | None) -> Tensor | None:
    """Return where the state is zero again for a cell that reads a sequence from its end.

    Such a cell begins a text with its last token, the one before the first of the next text.

    Parameters
    ----------
    resets
        Where another text begins, (num_steps, batch).
    """
    if resets is None:
        return None
    return torch.cat((torch.zeros_like(resets[:1]), resets[1:].flip(0)))
