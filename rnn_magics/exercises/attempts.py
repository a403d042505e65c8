"""The answers that were given in a session, and when a solution may be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rnn_magics.errors import ExerciseError
from rnn_magics.language import say, say_number

TRIES = 3
"""After so many wrong answers the solution may be seen."""


@dataclass
class Tries:
    """The answers that were given in a session.

    Attributes
    ----------
    given
        The answers to each exercise in their order, each as it was typed.
    solved, shown
        The exercises that were answered rightly; those of which the solution was shown before.
    """

    given: dict[str, list[str]] = field(default_factory=dict)
    solved: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)

    def coming(self, number: str) -> int:
        """Return the number of the next try, from 1 on."""
        return len(self.given.get(number, [])) + 1

    def note(self, number: str, typed: str, *, is_right: bool) -> None:
        """Note an answer; what is tried after the right one changes no report."""
        if number in self.solved:
            return
        self.given.setdefault(number, []).append(typed)
        if is_right:
            self.solved.add(number)

    def require_solution(self, number: str) -> None:
        """Refuse the solution of an exercise that was not tried often enough.

        Raises
        ------
        ExerciseError
            If so.
        """
        left = TRIES + 1 - self.coming(number)
        if left > 0 and number not in self.solved:
            msg = say_number(
                left,
                "the solution is shown after {number} more try: %exercise {exercise} ANSWER",
                "the solution is shown after {number} more tries: %exercise {exercise} ANSWER",
                exercise=number,
            )
            raise ExerciseError(msg)

    def show(self, number: str) -> None:
        """Note that the solution of an exercise was shown."""
        if number not in self.solved:
            self.shown.add(number)

    def state(self, number: str) -> str:
        """Return how far an exercise is, in a word."""
        if number in self.shown:
            return say("solution shown")
        if number in self.solved:
            return say("right")
        return say("tried") if number in self.given else say("open")

    def rows(self, numbers: Iterable[str]) -> list[tuple[str, ...]]:
        """Return a head, and a row for each exercise: number, state, tries and answers."""
        head = (say("exercise"), say("state"), say("tries"), say("answers"))
        listed = ((number, self.given.get(number, [])) for number in numbers)
        return [head, *((n, self.state(n), str(len(g)), ", ".join(g)) for n, g in listed)]
