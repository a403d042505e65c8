"""Exercises of lesson 11: a search for settings."""

from __future__ import annotations

from rnn_magics.exercises.exercise import Choice, Exercise, Mistake, Number
from rnn_magics.language import marked

_TRIALS, _GOOD = 12, 0.1
_LOW, _HIGH = 1e-4, 1e-2

LUCK = Exercise(
    marked(
        "One in ten of all settings is good. A random search draws 12. How likely is it that at"
        " least one of them is good?"
    ),
    Number(
        lambda _: 1 - (1 - _GOOD) ** _TRIALS,
        (
            Mistake(
                lambda _: (1 - _GOOD) ** _TRIALS,
                marked("That is how likely it is that none of them is good."),
            ),
            Mistake(
                lambda _: _TRIALS * _GOOD,
                marked("That is how many good ones there are on average, and no probability."),
            ),
            Mistake(
                lambda _: _GOOD,
                marked("That is so for one of them. Here any of 12 will do."),
            ),
        ),
    ),
    marked("How likely is it that the first is not good? And that none of them is?"),
    marked(
        "{answer}: 1 - 0.9^12. It does not depend on the number of options, which is why a random"
        " search beats a grid."
    ),
)

MIDDLE = Exercise(
    marked(
        "`--lr 1e-4:1e-2` is drawn on a log scale. Below which number do half of the draws lie?"
    ),
    Number(
        lambda _: (_LOW * _HIGH) ** 0.5,
        (
            Mistake(
                lambda _: (_LOW + _HIGH) / 2,
                marked("So it would be on a linear scale: nearly all draws would be above 0.001."),
            ),
            Mistake(
                lambda _: _HIGH / _LOW,
                marked("By that factor the ends differ. The middle is the same factor from both."),
            ),
            Mistake(
                lambda _: _HIGH - _LOW,
                marked(
                    "That is how far the ends are apart. Which number is the same factor from both?"
                ),
            ),
        ),
    ),
    marked("The draws are even in the logarithm: -4 to -2."),
    marked("{answer}: the square root of the product of both ends."),
)

REPORT = Exercise(
    marked(
        "You have chosen the best of 30 trials by their held-out score. Which number do you report"
        " for its settings: that score, the mean of all trials, or the score of the test part"
        " (best, mean, test)?"
    ),
    Choice(
        lambda _: "test",
        {
            "best": marked("The best of 30 is partly the luckiest of 30. What did not choose it?"),
            "mean": marked("That is of settings which you do not use."),
            "test": "",
        },
    ),
    marked("Which of them has had no part in the choice?"),
    marked("{answer}: nothing was chosen by it. Report the other seeds of `--confirm` beside it."),
)
