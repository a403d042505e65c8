"""Checking an answer, and what is said to it: right, a hint, a second one, the solution."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_magics.batching import Batches
from rnn_magics.errors import StorageError
from rnn_magics.exercises.attempts import TRIES
from rnn_magics.exercises.exercise import Exercise
from rnn_magics.exercises.exercises import exercise_of
from rnn_magics.exercises.work import Work
from rnn_magics.language import say
from rnn_magics.results import Result
from rnn_magics.storage import atomic
from rnn_magics.tables import aligned
from rnn_magics.text.corpus import Corpus
from rnn_magics.training.run import Run


@dataclass(frozen=True, repr=False)
class Verdict(Result):
    """What is said to an answer; true where it is right.

    Parameters
    ----------
    number
        The exercise.
    is_right
        Whether the answer is right.
    said
        What is said to it, in sentences.
    """

    number: str
    is_right: bool
    said: str

    def __bool__(self) -> bool:
        """Whether the answer is right, for ``assert check_exercise(...)``."""
        return self.is_right

    def __repr__(self) -> str:
        """Return the number and what is said."""
        return f"{self.number}  {self.said}"


def check_exercise(
    number: str,
    answer: Any,
    *,
    corpus: Corpus | None = None,
    batches: Batches | None = None,
    run: Run | None = None,
    tries: int = 1,
) -> Verdict:
    """Check an answer to an exercise of the lessons.

    ::

        assert check_exercise("06.2", 0.25)
        check_exercise("06.3", 2.1, run=run)

    It is true where the answer is right, so a cell of nbgrader or a test of otter can assert it. It
    looks at the answer and at the work, never at code.

    Parameters
    ----------
    number
        A key of `EXERCISES`.
    answer
        A number, a word or an object, as the exercise asks for it.
    corpus, batches, run
        The work on which the right answer may depend.
    tries
        The number of this try. From the second on, a wrong answer gets a second hint.

    Raises
    ------
    ExerciseError
        If there is no such exercise, the answer is of another kind, or the work is not where the
        exercise needs it.

    Examples
    --------
    >>> bool(check_exercise("06.2", 0.25)), bool(check_exercise("06.2", 4))
    (True, False)
    """
    exercise = exercise_of(number)
    found = exercise.kind.look(Work(corpus, batches, run), answer)
    if found.is_right:
        return Verdict(number, is_right=True, said=say("Right."))
    hints = [say("Not yet."), found.hint]
    if tries > 1:
        hints.append(say(exercise.further))
    if tries >= TRIES:
        hints.append(say("%exercise {number} --solution shows the answer.", number=number))
    return Verdict(number, is_right=False, said=" ".join(filter(None, hints)))


def solution_of(
    number: str,
    *,
    corpus: Corpus | None = None,
    batches: Batches | None = None,
    run: Run | None = None,
) -> str:
    """Return the solution of an exercise, with the answer that belongs to this work.

    Parameters
    ----------
    number
        A key of `EXERCISES`.
    corpus, batches, run
        The work on which the right answer may depend.

    Raises
    ------
    ExerciseError
        If there is no such exercise, or the work is not where it needs it.
    """
    exercise = exercise_of(number)
    return say(exercise.solution, answer=exercise.kind.right(Work(corpus, batches, run)))


@dataclass(frozen=True, repr=False)
class ExerciseList(Result):
    """Exercises with their questions.

    Parameters
    ----------
    exercises
        The exercises by number.
    states
        How far each is, in a word.
    """

    exercises: Mapping[str, Exercise]
    states: Mapping[str, str]

    def __repr__(self) -> str:
        """Return a line for each exercise, its question below it."""
        return "\n".join(
            f"{number}  [{self.states[number]}]  {say(each.question)}"
            for number, each in self.exercises.items()
        )


@dataclass(frozen=True, repr=False)
class ExerciseReport(Result):
    """Which exercises were tried how often, and with what result.

    Parameters
    ----------
    rows
        A head, and a row for each exercise.
    """

    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        """Return the table."""
        return aligned(self.rows)

    def to_csv(self) -> str:
        """Return the table as CSV, for a spreadsheet."""
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows(map(_inert, self.rows))
        return written.getvalue()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the table as CSV and return its path.

        Raises
        ------
        StorageError
            If there is a file already, or it cannot be written.
        """
        target = atomic.user_path(path)
        if target.suffix.lower() != ".csv":
            msg = say("a report is a CSV file: name it {name}.csv", name=target.name)
            raise StorageError(msg)
        atomic.require_target(target)
        data = self.to_csv().encode()
        if overwrite:
            atomic.write(target, data)
        elif not atomic.create(target, data):
            msg = say("{path} is there already: name another file, or add --overwrite", path=target)
            raise StorageError(msg)
        return target


def _inert(row: Iterable[str]) -> list[str]:
    # A spreadsheet must not take what somebody has typed for a formula.
    return [f"'{cell}" if cell[:1] in ("=", "+", "@", "\t", "\r") else cell for cell in row]
