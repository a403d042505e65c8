"""Exercises of lesson 05: random and sequential minibatches."""

from __future__ import annotations

import torch

from rnn_magics.batching import BATCHERS
from rnn_magics.exercises.exercise import Exercise, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.language import marked


def _left_over(work: Work) -> list[tuple[int, int]]:
    """Return for each offset of an epoch the offset and the tokens after it in no window."""
    batches = work.need_batches()
    config, generator = batches.config, torch.Generator().manual_seed(0)
    size, steps = config.batch_size, config.num_steps
    starts = BATCHERS[config.batching].starts
    found = []
    for offset in range(min(steps, len(batches.ids) - size * steps)):
        remaining = len(batches.ids) - offset
        windows = starts(remaining, size, steps, generator).numel()
        found.append((offset, remaining - windows * steps))
    return found


CONTEXT = Exercise(
    marked(
        "With `%sample random` and your settings, how many tokens does a model see at most before"
        " it predicts one?"
    ),
    Number(
        lambda work: work.need_batches().config.num_steps,
        (
            Mistake(
                lambda work: work.need_batches().config.num_steps - 1,
                marked("One short: the last label is behind the window, so all of it is seen."),
            ),
            Mistake(
                lambda work: work.need_batches().config.tokens_per_batch,
                marked("Those are the tokens of a minibatch. Its rows do not see each other."),
            ),
            Mistake(
                lambda work: work.need_batches().config.batch_size,
                marked("That is how many rows there are. How long is one?"),
            ),
        ),
        within=0,
    ),
    marked("Look at the last label of a row: which tokens of X stand before it?"),
    marked("{answer}, the length of a window: its state begins at zero."),
)

LEFT_OVER = Exercise(
    marked(
        "Your minibatches, over many epochs: how many tokens after the offset are in no window,"
        " at most (`plan.left_over`)?"
    ),
    Number(
        lambda work: max(left for _, left in _left_over(work)),
        (
            Mistake(
                lambda work: min(left for _, left in _left_over(work)),
                marked("That is the least. Other offsets leave more over."),
            ),
            Mistake(
                lambda work: max(sum(pair) for pair in _left_over(work)),
                marked("You have added the offset. `left_over` counts what comes after it."),
            ),
            Mistake(
                lambda work: work.need_batches().config.num_steps - 1,
                marked("That is the largest offset. What remains at the end depends on the rows."),
            ),
        ),
        within=0,
    ),
    marked("Call `batches.plan(generator)` many times and keep the largest `left_over`."),
    marked("{answer}: what is too little for one more row in every line of the minibatch."),
)

ORDER = Exercise(
    marked(
        "A model reads only the last two characters before it predicts one. An n-gram model of"
        " which order n knows as much?"
    ),
    Number(
        lambda _: 3,
        (
            Mistake(
                lambda _: 2,
                marked("A bigram model reads one character and predicts the second."),
            ),
            Mistake(
                lambda _: 1, marked("A unigram model reads nothing: it knows only frequencies.")
            ),
            Mistake(
                lambda _: 4, marked("A model of order 4 reads three characters before it predicts.")
            ),
        ),
        within=0,
    ),
    marked("An n-gram model of order n predicts the last of n tokens from those before it."),
    marked("{answer}: two are read, the third is predicted."),
)
