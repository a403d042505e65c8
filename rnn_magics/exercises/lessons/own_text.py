"""Exercises of lesson 12: a text of one's own."""

from __future__ import annotations

import math

from rnn_magics.exercises.exercise import Choice, Exercise, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.language import marked

_BITS_PER_BYTE = 8


def _predicted(work: Work) -> int:
    return len(work.need_batches().valid) - 1  # the first token has nothing before it


def coded_bytes(work: Work) -> float:
    """Return how many bytes the newest run would code the held-out part in."""
    return _predicted(work) * math.log2(work.need_score()) / _BITS_PER_BYTE


def tokens_per_parameter(work: Work) -> float:
    """Return how many tokens the newest run was trained on, for each of its parameters."""
    run = work.need_run()
    return run.tokens / run.model.num_parameters


CODED = Exercise(
    marked(
        "A token of probability p can be coded in -log2 p bits. In how many bytes could your newest"
        " run code the held-out part (all tokens but the first)?"
    ),
    Number(
        coded_bytes,
        (
            Mistake(
                lambda work: coded_bytes(work) * _BITS_PER_BYTE,
                marked("That is in bits."),
            ),
            Mistake(
                lambda work: coded_bytes(work) * math.log(2),
                marked("That is in nats, divided by 8: a nat is 1.44 bits."),
            ),
            Mistake(
                lambda work: (
                    _predicted(work) * math.log2(work.need_batches().vocab_size) / _BITS_PER_BYTE
                ),
                marked("So many it takes without a model, when all tokens are equally likely."),
            ),
        ),
    ),
    marked("`math.log2(run.valid_perplexity)` is the mean of the bits. How many tokens are there?"),
    marked(
        "{answer}: the number of tokens, times log2 of the held-out perplexity, divided by 8. The"
        " model would have to be sent, too."
    ),
)

READ = Exercise(
    marked("How many tokens has your newest run been trained on for each of its parameters?"),
    Number(
        tokens_per_parameter,
        (
            Mistake(
                lambda work: 1 / tokens_per_parameter(work),
                marked("The other way round: those are the parameters for each token."),
            ),
            Mistake(
                lambda work: tokens_per_parameter(work) / max(len(work.need_run().history), 1),
                marked("That is in one epoch. It has read the text more than once."),
            ),
            Mistake(
                lambda work: work.need_run().tokens,
                marked("So many tokens are they in all. How many parameters share them?"),
            ),
        ),
    ),
    marked("`run.tokens` and `run.model.num_parameters`."),
    marked(
        "{answer}. Few tokens for a parameter, read many times over, are learnt by heart; that is"
        " what a held-out part shows."
    ),
)

SENT = Exercise(
    marked(
        "Which of these can give away passages of the training text: the page, the model file, both"
        " or none (page, file, both, none)?"
    ),
    Choice(
        lambda _: "both",
        {
            "page": marked("The page has the same weights as the file."),
            "file": marked("The page runs the same weights, and quotes some text besides."),
            "both": "",
            "none": marked("Have you looked at a text that a model writes after 50 epochs?"),
        },
    ),
    marked("What has been learnt by heart is in the weights. Where are they?"),
    marked("{answer}: the weights are in both. `--no-text` leaves quotations out, not weights."),
)
