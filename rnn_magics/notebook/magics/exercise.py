"""``%exercise``: checks answers to the exercises of the lessons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.exercises.checking import (
    ExerciseList,
    ExerciseReport,
    check_exercise,
    solution_of,
)
from rnn_magics.exercises.exercise import Choice, Kind
from rnn_magics.exercises.exercises import EXERCISES, exercise_of, lesson_of
from rnn_magics.language import marked, say
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, named, word
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.options import option
from rnn_magics.results import visible


@dataclass(frozen=True, kw_only=True, repr=False)
class ExerciseOptions(LineOptions):
    """The options of ``%exercise``."""

    number: str | None = option(
        None,
        marked("a lesson, such as 06, or an exercise, such as 06.2 (default: all)"),
        spelling=word(metavar="NUMBER", suggest=lambda: list(EXERCISES)),
    )
    answer: str | None = option(
        None,
        marked("your answer: a number, a word, or the name of a variable"),
        spelling=word(metavar="ANSWER"),
    )
    solution: bool = option(
        False, marked("show the solution, after three tries or where a teacher allows it")
    )
    report: str | None = option(
        None,
        marked("show what was tried; with a name, write it to that CSV file"),
        spelling=named(metavar="FILE.csv", bare=""),
    )
    overwrite: bool = option(False, marked("replace a report that is there already"))


def _refuse_together(options: ExerciseOptions) -> None:
    more = [options.number, options.answer, options.solution]
    msg = ""
    if options.report is not None and any(more):
        msg = say("--report is about all exercises; leave the rest out")
    elif options.overwrite and not options.report:
        msg = say("--overwrite is for --report FILE.csv; leave it out")
    elif options.solution and options.answer is not None:
        msg = say("--solution takes no answer; leave one of them out")
    elif options.solution and options.number is None:
        msg = say("--solution needs an exercise: %exercise 06.2 --solution")
    if msg:
        raise ConfigError(msg)


def _work(session: Session) -> dict[str, Any]:
    run = next(reversed(session.runs.values()), None)
    return {"corpus": session.corpus, "batches": session.batches, "run": run}


def _answer(kind: Kind, typed: str, variables: Mapping[str, Any]) -> Any:
    # A word that can be chosen is no variable, whatever the notebook calls its runs.
    if isinstance(kind, Choice) and typed.lower() in kind.hints:
        return typed
    return variables.get(typed, typed)


def _report(desk: Desk, options: ExerciseOptions) -> ExerciseReport:
    report = ExerciseReport(tuple(desk.session.tries.rows(EXERCISES)))
    if options.report:
        path = report.save(options.report, overwrite=options.overwrite)
        print(one_line(say("written to {path}", path=path)))
    return report


def _solution(desk: Desk, number: str) -> None:
    exercise_of(number)
    if not desk.preferences.solutions:
        desk.session.tries.require_solution(number)
    print(visible(solution_of(number, **_work(desk.session))))
    desk.session.tries.show(number)


def exercise(desk: Desk, options: ExerciseOptions) -> Any:
    """List the exercises of the lessons, and check answers to them.

    A wrong answer gets a hint that depends on it, the next one a second, and after the third the
    solution may be seen.

    ::

        %exercise 06                 the exercises of lesson 06
        %exercise 06.3 2.1           check an answer
        %exercise 06.1 run           an answer that is a variable
        %exercise 06.3 --solution
        %exercise --report tries.csv what was tried how often, for a teacher
    """
    _refuse_together(options)
    tries, number = desk.session.tries, options.number or ""
    if options.report is not None:
        return _report(desk, options)
    if options.solution:
        return _solution(desk, number)
    if options.answer is None:
        found = {number: EXERCISES[number]} if number in EXERCISES else lesson_of(number)
        return ExerciseList(found, {each: tries.state(each) for each in found})
    given = _answer(exercise_of(number).kind, options.answer, options.line.variables)
    coming = tries.coming(number)
    verdict = check_exercise(number, given, **_work(desk.session), tries=coming)
    tries.note(number, options.answer, is_right=verdict.is_right)
    return verdict


MAGIC = Magic(
    ExerciseOptions,
    exercise,
    marked("in Python: check_exercise(NUMBER, ANSWER, corpus=corpus, batches=batches, run=run)"),
)
