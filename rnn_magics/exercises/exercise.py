"""An exercise: a question, what is right, and what is said to a wrong answer.

An answer is a number, one of a few words, or an object that the learner has made. The right one is
computed from the learner's own work wherever that is possible, so every text has its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from rnn_magics.digits import rounded
from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.work import Work
from rnn_magics.foreign import a_kind, exact, foreign_code, is_a
from rnn_magics.language import marked, say
from rnn_magics.results import quoted

_SMALL = 1e-9


@dataclass(frozen=True)
class Found:
    """What is found in an answer.

    Parameters
    ----------
    is_right
        Whether it is right.
    hint
        What a wrong one suggests.
    """

    is_right: bool
    hint: str = ""


class Kind(Protocol):
    """A kind of answer."""

    @property
    def asks_for(self) -> str:
        """What an answer has to be, in words."""

    def look(self, work: Work, answer: Any) -> Found:
        """Look at an answer.

        Raises
        ------
        ExerciseError
            If it is of another kind, or the work is not where the exercise needs it.
        """

    def right(self, work: Work) -> str:
        """Return the right answer in words, empty where there are many."""


def in_words(answer: Any) -> str:
    """Return an answer as it is shown, without calling code of its own."""
    if is_a(answer, str):
        return quoted(exact(answer))
    return repr(answer) if type(answer) in (int, float, bool) else a_kind(answer)


def another_kind(kind: Kind, answer: Any) -> ExerciseError:
    """Return the error for an answer that is not what an exercise asks for."""
    said = say("the answer is {kind}, not {given}", kind=kind.asks_for, given=in_words(answer))
    return ExerciseError(said)


@dataclass(frozen=True)
class Mistake:
    """A number that one gets by a typical mistake.

    Parameters
    ----------
    value
        Computes it from the work.
    hint
        What is said to it.
    """

    value: Callable[[Work], float]
    hint: str


@dataclass(frozen=True)
class Number:
    """An answer that is a number.

    Parameters
    ----------
    value
        Computes the right one from the work.
    mistakes
        Typical wrong ones; the first that fits is told.
    within
        How far an answer may be off, as a share of the right one; 0 for a whole number.
    """

    value: Callable[[Work], float]
    mistakes: tuple[Mistake, ...] = ()
    within: float = 0.01

    @property
    def asks_for(self) -> str:
        """What an answer has to be, in words."""
        return say("a number") if self.within else say("a whole number")

    def look(self, work: Work, answer: Any) -> Found:
        """Look at an answer; see `Kind`."""
        right, given = self.value(work), self._read(answer)
        if self._is(right, given):
            return Found(is_right=True)
        for mistake in self.mistakes:
            if self._is(mistake.value(work), given):
                return Found(is_right=False, hint=say(mistake.hint))
        too = marked("{given} is too small") if given < right else marked("{given} is too large")
        return Found(is_right=False, hint=say(too, given=in_words(answer)))

    def right(self, work: Work) -> str:
        """Return the right number."""
        value = self.value(work)
        return rounded(value) if self.within else f"{value:.0f}"

    def _read(self, answer: Any) -> float:
        given = math.nan
        if is_a(answer, str):
            with suppress(ValueError):
                given = float(exact(answer))
        elif hasattr(type(answer), "__float__") and not is_a(answer, bool):
            with foreign_code(say("this answer is no number"), ExerciseError):
                given = float(answer)
        if not math.isfinite(given):
            raise another_kind(self, answer)
        return given

    def _is(self, one: float, given: float) -> bool:
        return abs(one - given) <= max(self.within * abs(one), _SMALL)


@dataclass(frozen=True)
class Choice:
    """An answer that is one of a few words.

    Parameters
    ----------
    value
        Computes the right one from the work.
    hints
        What is said to each word, if it is wrong.
    """

    value: Callable[[Work], str]
    hints: Mapping[str, str]

    @property
    def asks_for(self) -> str:
        """What an answer has to be, in words."""
        return say("one of {words}", words=", ".join(self.hints))

    def look(self, work: Work, answer: Any) -> Found:
        """Look at an answer; see `Kind`."""
        right = self.value(work)
        word = exact(answer).strip().lower() if is_a(answer, str) else in_words(answer)
        if word not in self.hints:
            raise another_kind(self, answer)
        return Found(is_right=word == right, hint="" if word == right else say(self.hints[word]))

    def right(self, work: Work) -> str:
        """Return the right word."""
        return self.value(work)


@dataclass(frozen=True)
class Made:
    """An answer that is an object which the learner has made.

    Parameters
    ----------
    wrong
        Returns what is wrong with an object, or an empty text. It is called with the work and the
        object.
    what
        What the object has to be, in words.
    """

    wrong: Callable[[Work, Any], str]
    what: str

    @property
    def asks_for(self) -> str:
        """What an answer has to be, in words."""
        return say(self.what)

    def look(self, work: Work, answer: Any) -> Found:
        """Look at an answer; see `Kind`."""
        hint = self.wrong(work, answer)
        return Found(is_right=not hint, hint=hint)

    def right(self, work: Work) -> str:  # noqa: ARG002  (many are right)
        """Return nothing, since many objects are right."""
        return ""


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Parameters
    ----------
    question
        What is asked.
    kind
        What an answer is, and which is right.
    further
        The second hint, which does not depend on the answer.
    solution
        Why the answer is what it is; ``{answer}`` stands for it.
    """

    question: str
    kind: Kind
    further: str
    solution: str = field(default=marked("The answer is {answer}."))
