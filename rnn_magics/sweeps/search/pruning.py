"""Pruning: a trial that is behind the others at the same number of tokens ends early.

A pruner is a pure function of scores, so a sweep that was killed and goes on decides the same. To
add one, write the function and a line in `PRUNERS`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rnn_magics.language import marked
from rnn_magics.sweeps.search.past import Past

_STARTUP = 4  # ended trials, before the median says anything
_WARM_UP = 2  # the first rung at which it does
_ETA = 3  # of three trials one goes on
_BRACKETS = (0, 1, 0, 2, 0, 1, 0, 0, 2, 0, 1, 0, 0, 1, 0, 2, 1)
# For 9 rungs: 9 trials are first judged at rung 1, 5 at rung 3, 3 never (Li et al. 2018, table 1).

Prune = Callable[[int, Mapping[int, float], Sequence[Past]], bool]


@dataclass(frozen=True)
class Pruner:
    """A rule that ends trials.

    Parameters
    ----------
    prunes
        ``prunes(number, curve, past)`` of a trial whose newest score is the last of its curve, nats
        by rung, and of the trials that have ended.
    help
        What it does, in a few words.
    """

    prunes: Prune
    help: str


def never(_number: int, _curve: Mapping[int, float], _past: Sequence[Past]) -> bool:
    """Let every trial train to its end."""
    return False


def above_median(_number: int, curve: Mapping[int, float], past: Sequence[Past]) -> bool:
    """Prune a trial whose best score is above the median of the others at the same rung.

    Only trials that were trained to their end count (Golovin et al. 2017, section 3.2.2).
    """
    rung = max(curve)
    others = [t.curve[rung] for t in past if t.nats is not None and rung in t.curve]
    if len(others) < _STARTUP or rung < _WARM_UP:
        return False
    lowest = min(curve.values())
    return bool(lowest > statistics.median(others))


def hyperband(number: int, curve: Mapping[int, float], past: Sequence[Past]) -> bool:
    """Prune all but the best third at the rungs 1, 3, 9 ... of a bracket.

    Brackets begin to prune at different rungs, so a slow start costs some trials less. A trial
    never waits for others: it is compared with those that came before (Li et al. 2018, 2020).
    """
    bracket = _bracket(number)
    rung = max(curve)
    if not _is_judged(rung, bracket):
        return False
    others = [t.curve[rung] for t in past if _bracket(t.number) == bracket and rung in t.curve]
    better = sum(value < curve[rung] for value in others)
    return better >= max((len(others) + 1) // _ETA, 1)


def _bracket(number: int) -> int:
    return _BRACKETS[number % len(_BRACKETS)]


def _is_judged(rung: int, bracket: int) -> bool:
    first = int(_ETA**bracket)
    while rung % _ETA == 0 and rung > 1 and rung > first:
        rung //= _ETA
    return rung == first


PRUNERS: dict[str, Pruner] = {
    "median": Pruner(above_median, marked("ends what is above the median of the others")),
    "hyperband": Pruner(hyperband, marked("lets the best third go on, at three lengths")),
    "none": Pruner(never, marked("every trial trains to its end")),
}
"""When a trial ends early."""
