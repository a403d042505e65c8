"""Exercises of lesson 10: changes of units, states and gates."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Choice, Exercise, Made, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.foreign import foreign_code
from rnn_magics.language import marked, say

LINE = "f(g(h(x,y),z),x)f"
_MOST_OPEN = 3
_TOKENS = tuple(f"{LINE}\n" * 9)


def _wrong_target(_: Work, answer: Any) -> str:
    if not callable(answer):
        return say("That is no function: give the name of one, without brackets.")
    with foreign_code(say("your function cannot read the tokens of a text"), ExerciseError):
        values = np.array(answer(list(_TOKENS)), dtype=np.float64)
    if values.shape != (len(_TOKENS),):
        return say(
            "It must return one number for each token: {number} for {number} tokens.",
            number=len(_TOKENS),
        )
    if not np.isfinite(values).all():
        return say("Each number must be finite.")
    if np.ptp(values) == 0:
        return say("It returns the same number everywhere, so there is nothing to find.")
    return ""


REPEATED = Exercise(
    marked(
        "Each line ends with the letter that it begins with. In `f(g(h(x,y),z),x)f`, how many"
        " tokens back stands the letter that the last one repeats?"
    ),
    Number(
        lambda _: len(LINE) - 1,
        (
            Mistake(
                lambda _: len(LINE),
                marked("You have counted the last letter itself, from which you go back."),
            ),
            Mistake(
                lambda _: len(LINE) - 2,
                marked(
                    "So many tokens stand between the two. The step onto the first counts, too."
                ),
            ),
            Mistake(
                lambda _: _MOST_OPEN,
                marked("So many brackets are open at most. How far is it in tokens?"),
            ),
        ),
        within=0,
    ),
    marked("From one token to the next is one step back."),
    marked(
        "{answer}. A network that has learnt the rule keeps the letter for so long, and a patch of"
        " it is felt to the end."
    ),
)

TOGETHER = Exercise(
    marked(
        "Two units hold the same number, and either of them is enough. What do they cost when they"
        " are held together: nothing, less than the sum of what each costs alone, just the sum, or"
        " more (nothing, less, sum, more)?"
    ),
    Choice(
        lambda _: "more",
        {
            "nothing": marked("Held together, the number is in neither of them."),
            "less": marked("What does one cost alone, as long as the other has the number?"),
            "sum": marked("So it is if each does something of its own. Here one stands in."),
            "more": "",
        },
    ),
    marked("Held alone, each costs next to nothing, since the other one stands in for it."),
    marked("{answer}: alone neither is missed, together they are. So hold groups, too."),
)

TARGET = Exercise(
    marked(
        "For a probe of your own, write a function that takes the tokens of a text and returns a"
        " number for each, and give it: `%exercise 10.3 target`."
    ),
    Made(_wrong_target, marked("a function")),
    marked("`in_brackets` in `rnn_magics.inspection.interventions.probes` is an example."),
    marked('One of many: `[float(t == ",") for t in tokens]`, which is 1 after each comma.'),
)
