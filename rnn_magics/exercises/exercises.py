"""EXERCISES: the exercises by number, lesson and place."""

from __future__ import annotations

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Exercise
from rnn_magics.exercises.lessons import (
    cells,
    gates,
    inside,
    minibatches,
    own_text,
    rnn,
    sequences,
    settings,
    texts,
    touch,
)
from rnn_magics.language import say
from rnn_magics.options import did_you_mean
from rnn_magics.results import brief

EXERCISES: dict[str, Exercise] = {
    "03.1": sequences.LAGS,
    "03.2": sequences.NOISE,
    "03.3": sequences.COMPARABLE,
    "03.4": sequences.PHASE,
    "03.5": sequences.COVERAGE,
    "03.6": sequences.DISTANCE,
    "04.1": texts.SIZE,
    "04.2": texts.LOWER,
    "04.3": texts.CHARACTERS,
    "04.4": texts.EXPONENT,
    "05.1": minibatches.CONTEXT,
    "05.2": minibatches.LEFT_OVER,
    "05.3": minibatches.ORDER,
    "06.1": rnn.UNCLIPPED,
    "06.2": rnn.FACTOR,
    "06.3": rnn.BITS,
    "06.4": rnn.RADIUS,
    "07.1": gates.REACH,
    "07.2": gates.GUESS,
    "07.3": gates.SAME_SIZE,
    "07.4": gates.FASTER,
    "07.5": gates.ZERO,
    "07.6": gates.LETTER,
    "08.1": cells.BLOCKS,
    "08.2": cells.OPEN,
    "08.3": cells.PAIR,
    "08.4": cells.PAIRS,
    "09.1": inside.VIEW,
    "09.2": inside.QUOTES,
    "09.3": inside.GAIN,
    "09.4": inside.GATES,
    "10.1": touch.REPEATED,
    "10.2": touch.TOGETHER,
    "10.3": touch.TARGET,
    "11.1": settings.LUCK,
    "11.2": settings.MIDDLE,
    "11.3": settings.REPORT,
    "12.1": own_text.CODED,
    "12.2": own_text.READ,
    "12.3": own_text.SENT,
}


def exercise_of(number: str) -> Exercise:
    """Return an exercise by its number.

    Raises
    ------
    ExerciseError
        If there is none.
    """
    if number not in EXERCISES:
        msg = say(
            "no exercise {number!r}{near} (%exercise lists them)",
            number=brief(number),
            near=did_you_mean(number, EXERCISES),
        )
        raise ExerciseError(msg)
    return EXERCISES[number]


def lesson_of(lesson: str) -> dict[str, Exercise]:
    """Return the exercises of a lesson, such as ``06``, or all of them for an empty name.

    Raises
    ------
    ExerciseError
        If there is no such lesson.
    """
    found = {n: each for n, each in EXERCISES.items() if not lesson or n.startswith(f"{lesson}.")}
    if not found:
        lessons = ", ".join(sorted({number.partition(".")[0] for number in EXERCISES}))
        msg = say(
            "no exercises of a lesson {lesson!r} (lessons: {lessons})",
            lesson=brief(lesson),
            lessons=lessons,
        )
        raise ExerciseError(msg)
    return found
