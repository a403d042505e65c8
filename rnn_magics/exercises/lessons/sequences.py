"""Exercises of lesson 03: sequence models."""

from __future__ import annotations

import math

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Choice, Exercise, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.language import marked, say
from rnn_magics.scores.series import series_errors

MANY_LAGS = 16
WIDER = 2  # times the standard deviation


def _errors(work: Work, lags: int) -> dict[int, float]:
    found = series_errors(work.need_series()[0], lags)
    if found is None:
        msg = say(
            "nothing of your series is held out: type %corpus --data x --levels 20 --valid 0.1"
        )
        raise ExerciseError(msg)
    return found.rows[-1].errors  # those of the linear model


def _shares(work: Work) -> dict[int, float]:
    one, many = _errors(work, 1), _errors(work, MANY_LAGS)
    return {ahead: many[ahead] / one[ahead] for ahead in one}


def _falls_most(work: Work) -> str:
    shares = _shares(work)
    return str(min(shares, key=shares.__getitem__))


def copy_distance(work: Work) -> int:
    """Return how many tokens back the answers to the longest examples of ``task:copy`` depend."""
    config = work.need_task("copy").config.taken_by("copy")
    return config["length"] + 1 + config["delay"]


LAGS = Exercise(
    marked(
        "Let the linear model read 16 values instead of 1 (`%baseline --lags 16`, then `--lags 1`)."
        " Which of its errors falls most in proportion: the one 1, 4, 16 or 64 steps ahead?"
    ),
    Choice(
        _falls_most,
        {
            "1": marked("One step ahead, the last value alone already tells much. Divide the two."),
            "4": marked("Divide the two errors 4 steps ahead, and do the same for the others."),
            "16": marked("Divide the two errors 16 steps ahead, and do the same for the others."),
            "64": marked("64 steps ahead both rules may know little. Divide the two errors."),
        },
    ),
    marked("Divide each error with --lags 16 by the one with --lags 1: the smallest share wins."),
    marked("The error falls most at {answer}: divide each error by that of one value."),
)

NOISE = Exercise(
    marked(
        "The best possible model knows the wave, and guesses only the noise. The noise becomes"
        " twice as wide; the levels stay as they are, narrow beside it. By which factor does the"
        " perplexity of this model grow?"
    ),
    Number(
        lambda _: WIDER,
        (
            Mistake(
                lambda _: WIDER**2,
                marked("That is the variance. Over how many times as many levels is it spread?"),
            ),
            Mistake(
                lambda _: 1,
                marked("To know the wave does not help against the noise, which it has to guess."),
            ),
            Mistake(
                lambda _: math.log(WIDER),
                marked("By that the cross-entropy grows, in nats. Perplexity is exp of it."),
            ),
        ),
    ),
    marked("Among how many levels, equally likely, would one have to choose before and after?"),
    marked("{answer}: the same noise, over twice as many levels, each half as likely."),
)

COMPARABLE = Exercise(
    marked(
        "Two runs read the same series, one in 5 levels and one in 60. Which of their figures can"
        " be compared: perplexity, error, both or none?"
    ),
    Choice(
        lambda _: "error",
        {
            "perplexity": marked("Guessing among 5 levels has perplexity 5, among 60 it has 60."),
            "error": "",
            "both": marked("One of the two depends on how many levels there are to choose from."),
            "none": marked("One of the two is measured in the units of the series itself."),
        },
    ),
    marked("In which unit is each of the two measured?"),
    marked("The {answer}: it is in the units of the series, whatever the levels are."),
)

PHASE = Exercise(
    marked(
        "Many futures are drawn of a noisy wave. Far ahead their median is flatter than the wave,"
        " and each single future is not. On what do they disagree: phase, amplitude, noise or"
        " period?"
    ),
    Choice(
        lambda _: "phase",
        {
            "phase": "",
            "amplitude": marked("Each single future is as high as the wave. Look at its peaks."),
            "noise": marked("Noise of single values does not shift a whole wave. Look at peaks."),
            "period": marked("Nearly. A small error of the period adds up; what is it called?"),
        },
    ),
    marked("Ask of each future when its next peak comes."),
    marked("The {answer}: each peaks at another time, so at each time they cancel each other."),
)

COVERAGE = Exercise(
    marked(
        "Draw 100 futures with --greedy. Does the share of the true values inside of their 90 %"
        " band rise, fall or stay?"
    ),
    Choice(
        lambda _: "fall",
        {
            "rise": marked("How wide is a band of 100 futures that are all the same?"),
            "fall": "",
            "stay": marked("The band depends on how much the futures differ. Do they, here?"),
        },
    ),
    marked("Greedy decoding always takes the most likely level, so all 100 futures are equal."),
    marked("It must {answer}: the band has no width, and nearly every true value is outside."),
)

DISTANCE = Exercise(
    marked(
        "Load the task:copy on which you evaluate. How many tokens back does an answer depend on,"
        " in the longest examples?"
    ),
    Number(
        copy_distance,
        (
            Mistake(
                lambda work: work.need_task("copy").config.taken_by("copy")["delay"],
                marked("That is the delay alone. The symbols and the = lie between, too."),
            ),
            Mistake(
                lambda work: copy_distance(work) - 1,
                marked("One short: the = that asks for the answer is a token, too."),
            ),
            Mistake(
                lambda work: work.need_task("copy").config.taken_by("copy")["length"],
                marked("That is the number of symbols. There is a delay before the answer."),
            ),
        ),
        within=0,
    ),
    marked("Write one example out and count from the first answer back to the first symbol."),
    marked("{answer}: all symbols, the =, and the delay."),
)
