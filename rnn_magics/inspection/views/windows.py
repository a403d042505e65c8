"""The view ``batches``: the positions of the windows of an epoch in the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnn_magics.batching import Batches
from rnn_magics.inspection.views.payload import BatchesPayload, words
from rnn_magics.inspection.views.trace import Trace, joined
from rnn_magics.inspection.views.unrolled import Array, to_array
from rnn_magics.language import say, say_number
from rnn_magics.options import AT_LEAST_ONE, SEED, Options, option

_MINIBATCHES, _ROWS, _CHARACTERS, _WORDS = 3, 3, 12, 5  # of which the tokens are shown


@dataclass(frozen=True, repr=False)
class WindowsConfig(Options):
    """The options of the view ``batches``."""

    show: int = option(6, "number of minibatches drawn", within=AT_LEAST_ONE)
    seed: int = option(
        0, "seed of the offset and the shuffle of the epoch, or of the draws", within=SEED
    )


@dataclass(frozen=True, repr=False, eq=False)
class Windows(Trace):
    """Where the windows of an epoch stand in the text, and where the state goes on.

    Parameters
    ----------
    batching
        A name of `BATCHERS`.
    num_tokens
        The length of the text.
    num_steps
        The length of a window.
    offset, left_over
        The number of tokens skipped at the beginning of the epoch, and of the later tokens that are
        in no window.
    starts
        The first token of each window, (num_batches, batch_size), int64.
    arrows
        The windows between which the state is carried, (num_arrows, 4): minibatch and row, then
        minibatch and row. Empty if the state is reset for each minibatch.
    num_shown
        The number of minibatches drawn.
    windows
        The tokens at the beginning of the first windows, by minibatch and row: those of X, and one
        more, so that Y is all of them but the first. Indices if there is no vocabulary.
    """

    kind: ClassVar[str] = "batches"

    batching: str
    num_tokens: int
    num_steps: int
    offset: int
    left_over: int
    starts: Array
    arrows: Array
    num_shown: int
    windows: list[list[list[Any]]]

    @property
    def title(self) -> str:
        """One line."""
        num_batches, batch_size = self.starts.shape
        state = say("state carried from row to row") if len(self.arrows) else say("state reset")
        return say(
            "batches: {batching}, {num_batches:,} of {batch_size} x {num_steps} tokens"
            " (rows x steps), offset {offset}, {left_over:,} left over, {state}",
            batching=self.batching,
            num_batches=num_batches,
            batch_size=batch_size,
            num_steps=self.num_steps,
            offset=self.offset,
            left_over=self.left_over,
            state=state,
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        num_batches, batch_size = self.starts.shape
        return say_number(
            num_batches,
            "{batching}: {num_batches:,} minibatch of {batch_size} x {num_steps} tokens (rows x"
            " steps)",
            "{batching}: {num_batches:,} minibatches of {batch_size} x {num_steps} tokens"
            " (rows x steps)",
            batching=self.batching,
            num_batches=num_batches,
            batch_size=batch_size,
            num_steps=self.num_steps,
        )

    @property
    def caption(self) -> str:
        """How to read it."""
        goes_on = (
            say(
                "A row goes on where it ended in the minibatch before, and takes"
                " the state along: the arrows."
            )
            if len(self.arrows)
            else say("The windows come in random order, so every state starts anew.")
        )
        shifted = say("Y, which is to be predicted, is X one token later.")
        return f"{shifted} {goes_on}"

    @property
    def arrows_shown(self) -> Array:
        """The arrows between the minibatches drawn."""
        shown: Array = self.arrows[self.arrows[:, 2] < self.num_shown]
        return shown

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the windows of the first minibatches: where they begin, X over Y, the state."""
        yield say("minibatch"), say("row"), say("at"), "", say("tokens"), say("state before")
        before = {
            (b, c): say("of minibatch {number}", number=a)
            for a, _, b, c in self.arrows_shown.tolist()
        }
        for i, rows in enumerate(self.windows):
            for j, tokens in enumerate(rows):
                at, state = f"{self.starts[i, j]:,}", before.get((i, j), say("zero"))
                yield str(i), str(j), at, "X", joined(tokens[:-1]), state
                yield "", "", "", "Y", joined(tokens[1:]), ""

    def to_data(self) -> BatchesPayload:
        """Return what a front end draws."""
        num_batches, batch_size = self.starts.shape
        return {
            **self.head(),
            "batching": self.batching,
            "num_tokens": self.num_tokens,
            "num_steps": self.num_steps,
            "batch_size": batch_size,
            "num_batches": num_batches,
            "offset": self.offset,
            "left_over": self.left_over,
            "starts": self.starts[: self.num_shown].tolist(),
            "windows": [[words(tokens) for tokens in rows] for rows in self.windows],
            "arrows": [(a, b, c, d) for a, b, c, d in self.arrows_shown.tolist()],
        }


def inspect_batches(batches: Batches, config: WindowsConfig | None = None) -> Windows:
    r"""Return the positions of the windows of an epoch in the text.

    .. math:: X_{bij} = x_{o + s_{bi} + j}, \quad Y_{bij} = x_{o + s_{bi} + j + 1}

    Parameters
    ----------
    batches
        The minibatches; iterating over them is not affected.
    config
        The epoch, and the number of minibatches drawn.
    """
    config = config or WindowsConfig()
    plan = batches.plan(torch.Generator().manual_seed(config.seed))
    num_batches, batch_size = plan.starts.shape
    arrows = np.empty((0, 4), np.int64)
    if batches.carries_state:
        before = np.indices((num_batches - 1, batch_size)).reshape(2, -1).T  # minibatch, row
        arrows = np.concatenate((before, before + np.array([1, 0])), axis=1)
    return Windows(
        batches.config.batching,
        len(batches.ids),
        batches.config.num_steps,
        plan.offset,
        plan.left_over,
        to_array(plan.starts),
        arrows,
        min(config.show, num_batches),
        _windows(batches, plan.starts[: min(config.show, _MINIBATCHES), :_ROWS]),
    )


def _windows(batches: Batches, starts: Tensor) -> list[list[list[Any]]]:
    isolated = batches.vocab is not None and batches.vocab.token == "char"
    steps = torch.arange(min(batches.config.num_steps, _CHARACTERS if isolated else _WORDS) + 1)
    ids = batches.ids[(starts[..., None] + steps).to(batches.ids.device)].tolist()
    to_tokens = list if batches.vocab is None else batches.vocab.to_tokens
    return [[to_tokens(window) for window in rows] for rows in ids]
