"""Exercises of lesson 08: a cell and a tokenizer of one's own."""

from __future__ import annotations

import math
from typing import Any

import torch

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Exercise, Made, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.foreign import foreign_code
from rnn_magics.language import marked, say, say_number
from rnn_magics.models.cells import Cell
from rnn_magics.results import quoted

_BATCH, _INPUT, _HIDDENS = 3, 5, 4


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def made_cell(answer: Any) -> Cell | str:
    """Return a small cell of a class, or what is wrong with the class."""
    if not (isinstance(answer, type) and issubclass(answer, Cell)):
        return say("That is no class of a cell: give a subclass of `Cell`, without brackets.")
    with foreign_code(cannot_step(answer), ExerciseError):
        cell = answer(_INPUT, _HIDDENS)
        cell.reset_parameters(torch.Generator().manual_seed(0))
    return cell


def step_input(cell: Cell) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Return the arguments of one step of a cell."""
    rows = cell.num_gates * _HIDDENS
    state = tuple(torch.zeros(_BATCH, _HIDDENS) for _ in range(cell.num_states))
    return torch.linspace(-1, 1, _BATCH * rows).view(_BATCH, rows), state


def cannot_step(answer: type) -> str:
    """Return what is said where the code of a cell fails."""
    return say("{cell} cannot take a step", cell=quoted(answer.__name__))


def _wrong_pair(_: Work, answer: Any) -> str:
    cell = made_cell(answer)
    if isinstance(cell, str):
        return cell
    if cell.num_states != 2:  # noqa: PLR2004  (which the question asks for)
        return say_number(
            cell.num_states,
            "It has {number} state: set num_states = 2.",
            "It has {number} states: set num_states = 2.",
        )
    with foreign_code(cannot_step(answer), ExerciseError), torch.no_grad():
        made = cell(*step_input(cell))
    if not isinstance(made, tuple) or len(made) != 2:  # noqa: PLR2004
        return say("`forward` must return a tuple of two tensors, h first.")
    if any(part.shape != (_BATCH, _HIDDENS) for part in made):
        return say("Both tensors must have the shape (batch, num_hiddens).")
    if torch.equal(made[0], made[1]):
        return say("Both tensors are the same. Let the memory hold something of its own.")
    return ""


BLOCKS = Exercise(
    marked(
        "The update gate of a GRU is always 0, so it needs no weights. How many blocks of"
        " num_hiddens rows does W_hh of this cell have?"
    ),
    Number(
        lambda _: 2,
        (
            Mistake(lambda _: 1, marked("There is the reset gate, and there is the candidate.")),
            Mistake(
                lambda _: 3, marked("A GRU has three, one of them for the gate that is fixed here.")
            ),
            Mistake(lambda _: 4, marked("An LSTM has four: three gates and a candidate.")),
        ),
        within=0,
    ),
    marked("Count the products with the state before: one for each gate, one for the candidate."),
    marked("{answer}: the reset gate and the candidate (`num_gates`)."),
)

OPEN = Exercise(
    marked(
        "The bias of a gate begins at -1 and all of its other inputs are 0. How far is the gate"
        " open?"
    ),
    Number(
        lambda _: _sigmoid(-1),
        (
            Mistake(lambda _: _sigmoid(1), marked("That is for a bias of +1. Mind the sign.")),
            Mistake(lambda _: math.tanh(-1), marked("That is tanh. A gate lies between 0 and 1.")),
            Mistake(lambda _: -1, marked("That is what goes into the sigmoid. What comes out?")),
        ),
    ),
    marked("A gate is sigmoid(x) = 1 / (1 + exp(-x))."),
    marked("{answer}, which is sigmoid(-1)."),
)

PAIR = Exercise(
    marked(
        "Write a cell with two states, such as h and a memory c, and give its class:"
        " `%exercise 08.3 MyCell`."
    ),
    Made(_wrong_pair, marked("the class of a cell")),
    marked("`LSTMCell` in `rnn_magics.models.cells` is an example: `h, c = state`, `return h, c`."),
    marked("Set num_states = 2, take two tensors out of the state and return two."),
)

PAIRS = Exercise(
    marked(
        "A token is a pair of characters, and the perplexity is 16 per token. What is it per"
        " character?"
    ),
    Number(
        lambda _: 4,
        (
            Mistake(lambda _: 8, marked("Halve the bits, not the perplexity.")),
            Mistake(lambda _: 256, marked("The wrong way: a single character surprises less.")),
            Mistake(
                lambda _: 2,
                marked("Those are the bits per character. Perplexity is 2 to their power."),
            ),
        ),
    ),
    marked("16 is 4 bits for two characters."),
    marked("{answer}: 4 bits for two characters are 2 bits for one."),
)
