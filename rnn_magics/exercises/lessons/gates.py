"""Exercises of lesson 07: GRU and LSTM, deep and bidirectional networks."""

from __future__ import annotations

from dataclasses import replace

from rnn_magics.exercises.exercise import Choice, Exercise, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.language import marked
from rnn_magics.models.rnn_model import RNNModel, as_tuple

KEPT, STEPS = 0.9, 10


def _weights(work: Work, cell: str) -> float:
    model = work.need_run().model
    return RNNModel(replace(model.config, cell=cell), model.vocab_size).num_parameters


def _state(work: Work) -> tuple[int, int, int]:
    """Return the tensors of a state, their layers, and their units."""
    state = as_tuple(work.need_run().model.begin_state(1))
    layers, _, units = state[0].shape
    return len(state), layers, units


WEIGHTS = Exercise(
    marked("How many weights would the model of your newest run have with --cell lstm?"),
    Number(
        lambda work: _weights(work, "lstm"),
        (
            Mistake(
                lambda work: _weights(work, "gru"),
                marked("That is a GRU: three blocks of rows. An LSTM has one gate more."),
            ),
            Mistake(
                lambda work: _weights(work, "rnn"),
                marked("That is a plain RNN, which has no gates."),
            ),
            Mistake(
                lambda work: 4 * _weights(work, "rnn"),
                marked("The output layer, and an embedding, do not grow with the gates."),
            ),
        ),
        within=0,
    ),
    marked("Build it: `RNNModel(ModelConfig(...), vocab_size).num_parameters`."),
    marked("{answer}: the cells have four blocks of rows, and the output layer stays."),
)

LEFT = Exercise(
    marked(
        "The update gate of a GRU is 0.9 at each step (h_t = z h_{t-1} + (1 - z) candidate). Which"
        " share of a state is left after 10 steps?"
    ),
    Number(
        lambda _: KEPT**STEPS,
        (
            Mistake(
                lambda _: (1 - KEPT) ** STEPS,
                marked("That would be for a gate of 0.1: z is what is kept."),
            ),
            Mistake(
                lambda _: 1 - KEPT**STEPS,
                marked("That is what has been overwritten. What is left?"),
            ),
            Mistake(
                lambda _: KEPT * STEPS,
                marked("Each step keeps a share of what the step before left: multiply."),
            ),
        ),
    ),
    marked("After one step 0.9 is left, after two 0.9 times 0.9."),
    marked(
        "{answer}, which is 0.9 to the power of 10: a third, where 0.5 would leave a thousandth."
    ),
)

STATE = Exercise(
    marked("How many numbers does the state of your newest run hold for one text?"),
    Number(
        lambda work: _state(work)[0] * _state(work)[1] * _state(work)[2],
        (
            Mistake(
                lambda work: _state(work)[1] * _state(work)[2],
                marked("That is h alone. An LSTM carries c as well."),
            ),
            Mistake(
                lambda work: _state(work)[2],
                marked("That is one layer. Each layer and direction has a state of its own."),
            ),
            Mistake(
                lambda work: _state(work)[1] * _state(work)[2] * 32,
                marked("One text is one row of a minibatch, not all of them."),
            ),
        ),
        within=0,
    ),
    marked("`run.model.begin_state(1)` is the state before the first token: count its elements."),
    marked("{answer}: layers times directions times hidden units, twice that for an LSTM."),
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

AHEAD = Exercise(
    marked(
        "A bidirectional model reaches a perplexity near 1 on any text. Why does it: answer (it"
        " sees it), memory (it knows the text by heart) or size (it has more weights)?"
    ),
    Choice(
        lambda _: "answer",
        {
            "answer": "",
            "memory": marked("It does so on a text that it has never seen, too."),
            "size": marked("A model with as many weights that only looks back does not."),
        },
    ),
    marked("What does the direction that reads backwards know at position t about token t + 1?"),
    marked("The {answer}: reading backwards, it has just read the token that it is asked for."),
)
