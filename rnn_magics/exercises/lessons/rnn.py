"""Exercises of lesson 06: the RNN, perplexity, gradient clipping."""

from __future__ import annotations

import math
from typing import Any

import torch

from rnn_magics.exercises.exercise import Exercise, Made, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.language import marked, say
from rnn_magics.training.run import Run

NORM, THETA = 8, 2
_LEARNT = 0.5  # of the vocabulary; a guess has all of it


def _wrong_run(_: Work, answer: Any) -> str:
    if not isinstance(answer, Run):
        return say("That is no run: give the variable that %train_rnn returned.")
    if answer.config.train.clip is not None:
        return say("This run was clipped: train one with --clip none.")
    if answer.config.model.cell != "rnn":
        return say("This run has another cell: train one with --cell rnn.")
    reached, guess = answer.train_perplexity, answer.model.vocab_size
    if reached is None or not reached < _LEARNT * guess:
        return say(
            "This run has learnt next to nothing: it must come below half the perplexity of a"
            " guess, {guess:,}. Lower --lr.",
            guess=guess,
        )
    return ""


def _recurrent(work: Work) -> torch.Tensor:
    cell = work.need_run("rnn").model.rnn.cells[0]
    return cell.weight_hh.detach().double()


def _radius(work: Work) -> float:
    return float(torch.linalg.eigvals(_recurrent(work)).abs().max())


UNCLIPPED = Exercise(
    marked(
        "Train a run with --cell rnn and --clip none that learns, and give its variable:"
        " `%exercise 06.1 run`."
    ),
    Made(_wrong_run, marked("a run")),
    marked("Try --lr 0.1 with --optimizer sgd, and a tenth of it if that is still too much."),
    marked("Without clipping, a learning rate some ten times smaller learns; it takes longer."),
)

FACTOR = Exercise(
    marked(
        "The gradient of a step has norm 8, and --clip is 2. By which factor is the gradient"
        " multiplied?"
    ),
    Number(
        lambda _: THETA / NORM,
        (
            Mistake(
                lambda _: NORM / THETA,
                marked("Upside down: the norm must come down to the bound, not grow."),
            ),
            Mistake(lambda _: THETA, marked("That is the bound on the norm, not the factor.")),
            Mistake(lambda _: 1, marked("A factor of 1 is for a norm below the bound.")),
        ),
    ),
    marked("The factor is min(1, theta / norm)."),
    marked("{answer}: theta / norm, after which the norm is theta."),
)

BITS = Exercise(
    marked("Your newest run ends at a held-out perplexity. How many bits per token is that?"),
    Number(
        lambda work: math.log2(work.need_score()),
        (
            Mistake(
                lambda work: math.log(work.need_score()),
                marked("That is in nats. Divide it by ln 2."),
            ),
            Mistake(
                lambda work: work.need_score(),
                marked(
                    "That is the perplexity. How many yes-or-no questions is a choice of so many?"
                ),
            ),
            Mistake(
                lambda work: math.log10(work.need_score()),
                marked("That is the logarithm to base 10. A bit is a choice of two."),
            ),
        ),
    ),
    marked("A perplexity of 4 is a choice of 4, that is, 2 bits."),
    marked("{answer}: the logarithm of the perplexity to base 2."),
)

RADIUS = Exercise(
    marked(
        "Train an RNN (--cell rnn). What is the spectral radius of its recurrent weights W_hh"
        " (`run.model.rnn.cells[0].weight_hh`)?"
    ),
    Number(
        _radius,
        (
            Mistake(
                lambda work: float(torch.linalg.matrix_norm(_recurrent(work), 2)),
                marked(
                    "That is the largest singular value: the bound on one step, not what many"
                    " steps grow by."
                ),
            ),
            Mistake(
                lambda work: float(_recurrent(work).norm()),
                marked("That is the Frobenius norm, of all weights together."),
            ),
            Mistake(
                lambda work: float(torch.linalg.eigvals(_recurrent(work)).real.max()),
                marked("That is the largest real part. The eigenvalues are complex: take `abs`."),
            ),
        ),
    ),
    marked("The spectral radius is the largest absolute eigenvalue: `torch.linalg.eigvals`."),
    marked(
        "{answer}. Below 1, gradients that pass W_hh many times vanish; above, they may explode."
    ),
)
