"""A model reads a text and goes on with it, token by token, while interventions act.

`labextension/src/model/walk.ts` does the same in a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnn_magics.decoding.decode import uniforms
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig, offered
from rnn_magics.inspection.interventions.changes import Intervention, checked, parts_of, touching
from rnn_magics.models.cells import Cell, State
from rnn_magics.models.rnn_model import RNNModel, copy_model


@dataclass(frozen=True)
class Walk:
    """What happened at every place of a text, those that the model read and those that it wrote.

    Parameters
    ----------
    ids
        Token indices, (num_tokens,), int64.
    logits
        The logits of the token after each place, (num_tokens, vocab_size), float32 on the CPU.
    states
        For each layer, for each part of its state: after each place, (num_tokens, num_hiddens).
    """

    ids: Tensor
    logits: Tensor
    states: list[State]

    @property
    def nats(self) -> Tensor:
        """-ln p of each token from the second on, (num_tokens - 1,)."""
        log_p = self.logits[:-1].log_softmax(dim=-1)
        return -log_p.gather(-1, self.ids[1:, None])[:, 0]


@torch.no_grad()
def walk(
    model: RNNModel,
    ids: Tensor,
    changes: Sequence[Intervention] = (),
    config: DecodingConfig | None = None,
) -> Walk:
    """Read a text, then write, while interventions act.

    Two walks with one configuration draw with the same random numbers, so they differ only by what
    the interventions do.

    Parameters
    ----------
    model
        A model that reads forwards; it is not changed.
    ids
        The indices of the text, (num_tokens,), at least one.
    changes
        The interventions. Their places count from the beginning of the text, and go on in what the
        model writes.
    config
        How it goes on; None to read only.

    Raises
    ------
    InspectionError
        If the model has no such layer, part or unit, or the text no such place.
    """
    length = 0 if config is None else config.length
    changes = checked(model, changes, len(ids) + length)
    model = copy_model(model)
    begin = model.rnn.begin_state(1, model.output.weight.device)
    steps = [
        _Layer(layer, cell, changes, tuple(part[layer] for part in begin))
        for layer, cell in enumerate(model.rnn.cells)
    ]
    config = config or DecodingConfig()
    numbers = (u for block in uniforms([int(config.seed)], length) for u in block)
    read: list[int] = ids.tolist()
    logits: list[Tensor] = []
    all_ids: list[int] = []
    for place in range(len(ids) + length):
        if place < len(ids):
            token = read[place]
        else:
            u = next(numbers)
            left = offered(logits[-1], config, model.marks)
            token = int(DECODERS[config.decoder](left, config, u))
        inputs = torch.tensor([token], device=model.output.weight.device)
        below = inputs if model.embedding is None else model.embedding(inputs)
        for step in steps:
            below = step(place, below)
        logits.append(model.output(below).float().cpu())  # (1, vocab_size)
        all_ids.append(token)
        if place >= len(ids) and model.marks is not None and token == model.marks.end:
            break
    states = [tuple(torch.cat(part) for part in zip(*step.states, strict=True)) for step in steps]
    return Walk(torch.tensor(all_ids), torch.cat(logits), states)


class _Layer:
    """One layer on its way through a text."""

    def __init__(
        self, layer: int, cell: Cell, changes: Sequence[Intervention], begin: State
    ) -> None:
        self._cell = cell
        self._changes = [change for change in changes if change.layer == layer]
        self._state = begin
        self.states: list[State] = []

    def __call__(self, place: int, inputs: Tensor) -> Tensor:
        """Take one step; return its output, (1, num_hiddens)."""
        here = [change for change in self._changes if change.is_at(place)]
        seen: set[str] = set()

        def change(name: str, values: Tensor) -> Tensor:
            seen.add(name)
            for made in here:
                if made.part == name:
                    values = made.applied(values)
            return values

        x = self._cell.input_product(inputs[None])[0]  # (1, num_gates * num_hiddens)
        with touching(self._cell, change):
            state = self._cell(x, self._state)
        # A cell of a user's may not pass its memory through `touch`; its output none does.
        self._state = tuple(
            part if name in seen else change(name, part)
            for name, part in zip(parts_of(self._cell), state, strict=True)
        )
        self.states.append(self._state)
        return self._state[0]
