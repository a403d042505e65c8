"""Exercises of lesson 09: looking inside."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Choice, Exercise, Found, Kind, Made, Mistake, Number
from rnn_magics.exercises.lessons.cells import cannot_step, made_cell, step_input
from rnn_magics.exercises.work import Work
from rnn_magics.foreign import foreign_code
from rnn_magics.inspection.inspectors import inspect_rnn
from rnn_magics.inspection.views.hidden import Hidden
from rnn_magics.language import marked, say

GAIN_LEFT = 0.25  # after 10 steps
_READ = 2000  # characters
_LEAST = 20  # characters inside of quotes, and as many outside
_BEST = 3  # units that are as good as the best


def _inside(text: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return for each character whether it is between double quotes."""
    marks = np.array([character == '"' for character in text])
    inside: np.ndarray[Any, np.dtype[np.bool_]] = (np.cumsum(marks) % 2 == 1) & ~marks
    return inside


def differences(work: Work) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return by how many deviations each unit is higher inside of quotes, (num_hiddens,)."""
    run, text = work.need_run(), str(work.need_text().beginning(_READ))
    if run.vocab is None or run.vocab.token != "char":
        msg = say("this exercise needs a run of characters: type %vocab --token char")
        raise ExerciseError(msg)
    inside = _inside(text)
    if min(inside.sum(), (~inside).sum()) < _LEAST:
        msg = say(
            "the first {number:,} characters of your text have too few quotation marks: take"
            ' another text, or more of it between " and "',
            number=_READ,
        )
        raise ExerciseError(msg)
    view = cast("Hidden", inspect_rnn("hidden", run, text))
    states = np.asarray(view.states)[-1]  # (num_tokens, num_hiddens)
    spread = states.std(axis=0) + 1e-9
    found: np.ndarray[Any, np.dtype[np.float64]] = (
        states[inside].mean(axis=0) - states[~inside].mean(axis=0)
    ) / spread
    return found


class Unit(Kind):
    """An answer that is the number of a unit which is high inside of quotes."""

    @property
    def asks_for(self) -> str:
        """What an answer has to be, in words."""
        return say("the number of a unit")

    def look(self, work: Work, answer: Any) -> Found:
        """Look at an answer; see `Kind`."""
        found = differences(work)
        if not str(answer).isdecimal() or int(str(answer)) >= len(found):
            msg = say("the answer is a unit, 0 to {last}", last=len(found) - 1)
            raise ExerciseError(msg)
        unit = int(str(answer))
        if unit in np.argsort(-found)[:_BEST]:
            return Found(is_right=True)
        if unit in np.argsort(found)[:_BEST]:
            return Found(is_right=False, hint=say("This unit is low inside quotes, not high."))
        if found[unit] > 0:
            return Found(is_right=False, hint=say("It is a little higher there. Others are more."))
        return Found(is_right=False, hint=say("This unit is not higher inside of quotes."))

    def right(self, work: Work) -> str:
        """Return the unit that is highest."""
        return str(int(np.argmax(differences(work))))


def _wrong_gates(_: Work, answer: Any) -> str:
    cell = made_cell(answer)
    if isinstance(cell, str):
        return cell
    with foreign_code(cannot_step(answer), ExerciseError), torch.no_grad():
        gates = cell.gates(*step_input(cell))
    if not isinstance(gates, dict) or not gates:
        return say("Its method `gates(x, state)` names no gate yet: return a dictionary of them.")
    if any(not isinstance(gate, torch.Tensor) for gate in gates.values()):
        return say("Each value of the dictionary must be a tensor, (batch, num_hiddens).")
    if any(bool((gate < 0).any() or (gate > 1).any()) for gate in gates.values()):
        return say("A gate lies between 0 and 1: pass it through a sigmoid.")
    return ""


VIEW = Exercise(
    marked(
        "Train for 30 epochs. Which view shows just what training lowers: hidden, gates, surprise"
        " or gradient?"
    ),
    Choice(
        lambda _: "surprise",
        {
            "hidden": marked("The state may look quite different, but training does not lower it."),
            "gates": marked("Training opens some gates and closes others. Which number falls?"),
            "surprise": "",
            "gradient": marked(
                "It shows on which characters a prediction hangs, not how good it is."
            ),
        },
    ),
    marked("Training lowers the cross-entropy. Of which view is it the mean?"),
    marked("{answer}: the mean of these bits is the loss of training, which counts it in nats."),
)

QUOTES = Exercise(
    marked(
        "Which unit of your newest run is much higher inside of quotation marks than outside (last"
        " layer, beginning of your text)?"
    ),
    Unit(),
    marked('Average `inspect_rnn("hidden", run, text).states[-1]` inside and outside of quotes.'),
    marked("Unit {answer} is highest, measured in deviations of the unit."),
)

GAIN = Exercise(
    marked(
        "The gain of a state is 0.5 after 5 steps and 0.25 after 10. What is it after 20, if its"
        " line is straight (the axis is logarithmic)?"
    ),
    Number(
        lambda _: GAIN_LEFT / 4,
        (
            Mistake(lambda _: GAIN_LEFT / 2, marked("That is after 15 steps.")),
            Mistake(
                lambda _: GAIN_LEFT / 8,
                marked("One halving too many: from 10 to 20 steps there are two."),
            ),
            Mistake(
                lambda _: 0,
                marked("On such an axis a line falls by equal factors. It never reaches 0."),
            ),
        ),
    ),
    marked("Every five steps it is halved."),
    marked(
        "{answer}: it is halved every 5 steps. The cell with the flatter line remembers longer."
    ),
)

GATES = Exercise(
    marked(
        "Give your cell a method `gates(x, state)` that returns its gates by name, and give its"
        " class: `%exercise 09.4 MyCell`."
    ),
    Made(_wrong_gates, marked("the class of a cell")),
    marked("`GRUCell.gates` in `rnn_magics.models.cells` is an example."),
    marked('Return a dictionary such as {{"forget": forget}}, of the gates of one step.'),
)
