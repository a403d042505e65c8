"""Exercises of lesson 07: GRU and LSTM, deep networks, and text in a form."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import cast

import numpy as np

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Choice, Exercise, Mistake, Number
from rnn_magics.exercises.lessons.sequences import copy_distance
from rnn_magics.exercises.work import Work
from rnn_magics.inspection.inspectors import inspect_rnn
from rnn_magics.inspection.views.hidden import Hidden
from rnn_magics.inspection.views.surprise import Surprise
from rnn_magics.language import marked, say
from rnn_magics.models.rnn_model import RNNModel

_READ = 1000  # characters
_CLOSE = 0.05  # layers that differ by a smaller share are equally fast
_LAYERS = 2
_LETTERS = "GATE"
_PAIRS, _SUMS, _NINES = 100, 19, 10  # two digits, their sums, and the pairs with the sum 9


def weights(work: Work, cell: str, num_hiddens: int) -> int:
    """Return how many weights the model of the newest run would have with another cell and size."""
    model = work.need_run().model
    embedding = None if model.config.tie else model.config.embedding_size  # tied, it is the size

    def small(size: int) -> int:
        config = replace(model.config, cell=cell, num_hiddens=size, embedding_size=embedding)
        return RNNModel(config, model.vocab_size).num_parameters

    # A polynomial of degree 2 in the size, so three small models tell the number for a large one.
    one, two, three = map(small, (1, 2, 3))
    slope, bend, more = two - one, three - 2 * two + one, num_hiddens - 1
    return one + more * slope + more * (more - 1) // 2 * bend


def _num_hiddens(work: Work) -> int:
    return work.need_run().config.model.num_hiddens


def same_size(work: Work) -> int:
    """Return the least hidden units with which an RNN has the weights of an LSTM."""
    goal = weights(work, "lstm", _num_hiddens(work))
    return next(n for n in count(1) if weights(work, "rnn", n) >= goal)


def changes(work: Work) -> tuple[float, float]:
    """Return the mean change of a state from token to token, in the first and the second layer."""
    run = work.need_run()
    if run.config.model.num_layers != _LAYERS:
        msg = say("this exercise needs a run of two layers: type %train_rnn --num-layers 2")
        raise ExerciseError(msg)
    view = cast("Hidden", inspect_rnn("hidden", run, str(work.need_text().beginning(_READ))))
    first, second = np.abs(np.diff(np.asarray(view.states), axis=1)).mean(axis=(1, 2))
    return float(first), float(second)


def _faster(work: Work) -> str:
    first, second = changes(work)
    if abs(first - second) < _CLOSE * max(first, second):
        return "equal"
    return "first" if first > second else "second"


def bits_after_a_break(work: Work) -> dict[str, float]:
    """Return the bits of each of four letters at the beginning of a line."""
    run = work.need_run()
    if run.vocab is None or any(each not in run.vocab for each in f"\n{_LETTERS}"):
        msg = say(
            "this exercise needs a run of characters whose text has lines, and the letters G, A, T"
            " and E"
        )
        raise ExerciseError(msg)
    views = {each: cast("Surprise", inspect_rnn("surprise", run, f"\n{each}")) for each in _LETTERS}
    return {each.lower(): float(view.bits[-1]) for each, view in views.items()}


def _dearest(work: Work) -> str:
    bits = bits_after_a_break(work)
    return max(bits, key=bits.__getitem__)


REACH = Exercise(
    marked(
        "The gradient of an answer must reach back to its symbol within one row. How many tokens"
        " must a row of your task:copy have at least (--num-steps), for the longest examples?"
    ),
    Number(
        copy_distance,
        (
            Mistake(
                lambda work: copy_distance(work) - 1,
                marked("One short: the = is read between the symbols and the answer, too."),
            ),
            Mistake(
                lambda work: copy_distance(work) + 1,
                marked("One too many: the answer is a label, which is predicted, not read."),
            ),
            Mistake(
                lambda work: work.need_task("copy").config.taken_by("copy")["delay"],
                marked("That is the wait alone. Which tokens are read before and behind it?"),
            ),
        ),
        within=0,
    ),
    marked("Write an example out. Which tokens are read from the symbol on, before its answer?"),
    marked(
        "{answer}. In shorter rows no gradient flows from these answers to their symbols, however"
        " long one trains."
    ),
)

GUESS = Exercise(
    marked(
        "Somebody who has seen none of the digits of task:adding answers with the likeliest sum of"
        " two digits every time. Which share of these answers is right?"
    ),
    Number(
        lambda _: _NINES / _PAIRS,
        (
            Mistake(
                lambda _: 1 / _SUMS,
                marked(
                    "That would be so if all 19 sums were equally likely. Is 18 as likely as 9?"
                ),
            ),
            Mistake(
                lambda _: 1 / 2,
                marked("That is for task:parity, whose answer is one of two."),
            ),
            Mistake(
                lambda _: 1 / _PAIRS,
                marked("That is one pair of digits. How many pairs have the same sum?"),
            ),
        ),
    ),
    marked("There are 100 pairs of digits, equally likely. Which sum do most of them have?"),
    marked(
        "{answer}: ten of 100 pairs have the sum 9. What a cell reaches above it, it has learnt."
    ),
)

SAME_SIZE = Exercise(
    marked(
        "Take the model of your newest run with --cell lstm. How many hidden units does it need"
        " with --cell rnn at least, to have no fewer weights?"
    ),
    Number(
        same_size,
        (
            Mistake(
                lambda work: same_size(work) - 1,
                marked("One short: it still has a few weights fewer."),
            ),
            Mistake(
                lambda work: 4 * _num_hiddens(work),
                marked("Four times the units are too many: W_hh grows with their square."),
            ),
            Mistake(
                lambda work: 2 * _num_hiddens(work),
                marked("Twice the units is a first guess. Count the weights of both models."),
            ),
        ),
        within=0,
    ),
    marked("Build both: `RNNModel(ModelConfig(...), vocab_size).num_parameters`."),
    marked("{answer}: four blocks of weights in one, one block of more units in the other."),
)

FASTER = Exercise(
    marked(
        "Which layer of your run of two layers changes its state more from character to character,"
        " in the mean of |h_t - h_{t-1}| over units and the first 1,000 characters of your text:"
        " first, second or equal (less than 5 % apart)?"
    ),
    Choice(
        _faster,
        {
            "first": marked("Measure the other layer, too: the first is not the faster one here."),
            "second": marked("Measure the other layer, too: the second is not the faster one."),
            "equal": marked("They are more than 5 % apart. Did you average over all units?"),
        },
    ),
    marked('`inspect_rnn("hidden", run, text).states` are the states, layer by layer.'),
    marked("{answer}: `abs(diff(states, axis=1)).mean(axis=(1, 2))`, a number for each layer."),
)

ZERO = Exercise(
    marked(
        "In a GRU, z_t is always 0 and r_t always 1 (h_t = z h_{t-1} + (1 - z) candidate). Which"
        " cell is this: rnn, gru, lstm or none?"
    ),
    Choice(
        lambda _: "rnn",
        {
            "rnn": "",
            "gru": marked("With both gates fixed it can no longer choose. What remains of it?"),
            "lstm": marked("An LSTM has a memory beside its state. Is there one here?"),
            "none": marked("Does the state depend on the state before? Read the candidate."),
        },
    ),
    marked("Write h_t out: the candidate is tanh of the input and of r times the state before."),
    marked("A plain {answer}: h_t = tanh(W x_t + U h_{{t-1}} + b)."),
)

LETTER = Exercise(
    marked(
        "A line begins: the model has read a line break and nothing else. Which of the letters G,"
        " A, T, E costs your newest run the most: g, a, t or e?"
    ),
    Choice(
        _dearest,
        dict.fromkeys(
            _LETTERS.lower(),
            marked("Another of the four is less likely here. What costs -ln p, costs more then."),
        ),
    ),
    marked('`inspect_rnn("surprise", run, "\\nG").bits[-1]` is what a G costs, in bits.'),
    marked("{answer}: it is the least likely of the four, so -ln p is largest."),
)
