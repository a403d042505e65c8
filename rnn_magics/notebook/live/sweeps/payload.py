"""A sweep as JSON: what its live view and a saved notebook draw.

`labextension/src/contract/sweep.ts` checks it. What is a name or a value there is written
here as it is typed; scores are nats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rnn_magics.notebook.live.sweeps.progress import SweepProgress
from rnn_magics.sweeps.dimensions import Dimension, Interval, written
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Outcome, Trial, thinned

VERSION = 1
MOST_TRIALS = 300  # rows of a table that a page draws at once
MOST_SCORES = 32  # of the curve of a trial, which is as wide as a word
_MOST_TICKS = 5
_LONGEST = 200  # characters of a value


def sweep_payload(
    sweep: SweepRuns,
    progress: SweepProgress | None = None,
    shares: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return everything that a view draws of a sweep.

    Parameters
    ----------
    sweep
        The sweep.
    progress
        How far it is; None if nothing is trained any more.
    shares
        How much each option decides, at the end.

    Returns
    -------
    dict
        Strict JSON: ``name``, ``phase`` (``running``, ``paused``, ``open`` or ``ended``),
        ``verdict``, ``score`` (what trials are judged by, in words), ``in_bytes`` (per byte?),
        ``options`` (a dict each: ``name``, ``values``, ``share``, and ``ticks``, pairs of a
        height from 0 to 1 and a value), ``trials`` (see below), ``best`` (a number), ``planned``,
        ``ladder`` (``name`` and ``nats`` of the best n-gram), ``share``, ``seconds``,
        ``seconds_left``, ``notes`` and ``lines`` (to type). A trial has ``number``, ``kind``
        (``running``, ``waiting``, ``done`` or ``behind``), ``state`` in words, ``done`` (a share,
        while it is trained), ``values`` and ``places`` (heights) of its options, ``scores`` (pairs
        of tokens and nats), ``nats``, ``told`` (the score in words) and ``tokens``.
    """
    best, rung = sweep.best, None if sweep.ladder is None else sweep.ladder.best
    nats = (
        None if rung is None or rung.valid_perplexity is None else math.log(rung.valid_perplexity)
    )
    dimensions = sweep.space.dimensions
    return {
        "view": "sweep",
        "version": VERSION,
        "name": sweep.name,
        "phase": _phase(sweep, progress),
        "verdict": sweep.verdict,
        "score": sweep.head[-3],
        "in_bytes": sweep.space.has_other_tokens,
        "options": [_option(name, each, shares or {}) for name, each in dimensions.items()],
        "trials": [_trial(sweep, trial, progress) for trial in _shown(sweep)],
        "number": len(sweep.trials),
        "best": None if best is None else best.number,
        "planned": sweep.planned,
        "ladder": None if rung is None or nats is None else {"order": rung.order, "nats": nats},
        "share": _share(sweep) if progress is None else progress.share,
        "seconds": sweep.spent if progress is None else sweep.spent + progress.seconds,
        "seconds_left": None if progress is None else progress.seconds_left,
        "notes": sweep.remarks,
        "lines": sweep.lines,
    }


def _phase(sweep: SweepRuns, progress: SweepProgress | None) -> str:
    if progress is not None:
        return "paused" if progress.is_paused else "running"
    is_open = any(trial.outcome is None for trial in sweep.trials)
    return "open" if is_open or sweep.message else "ended"


def _share(sweep: SweepRuns) -> float:
    # Of what was planned, once nothing is trained any more.
    is_over = _phase(sweep, None) == "ended"
    return 1.0 if is_over else SweepProgress(sweep, lambda: 0.0).share


def _shown(sweep: SweepRuns) -> list[Trial]:
    # The last ones, and the best.
    last = sweep.trials[-MOST_TRIALS:]
    best = sweep.best
    return last if best is None or best.number >= last[0].number else [best, *last[1:]]


def _option(name: str, dimension: Dimension, shares: Mapping[str, float]) -> dict[str, Any]:
    ticks = dimension.points(3 if isinstance(dimension, Interval) else _MOST_TICKS)
    every = math.ceil(len(ticks) / _MOST_TICKS)
    return {
        "name": name,
        "values": _cut(f"{dimension}"),
        "share": shares.get(name),
        "ticks": [[dimension.place(value), _cut(written(value))] for value in ticks[::every]],
    }


def _trial(sweep: SweepRuns, trial: Trial, progress: SweepProgress | None) -> dict[str, Any]:
    is_running = progress is not None and trial.number in progress.steps
    kind = "behind"
    if trial.outcome is None:
        kind = "running" if is_running else "waiting"
    elif trial.outcome == Outcome.DONE:
        kind = "done"
    dimensions, row = sweep.space.dimensions, sweep.row(trial)
    values = {name: trial.params[name] for name in dimensions}
    shown = trial.nats if trial.nats is not None else trial.lowest
    return {
        "number": trial.number,
        "kind": kind,
        "state": row[-1],
        "done": progress.done(trial.number) if progress is not None and is_running else None,
        "values": [_cut(written(value)) for value in values.values()],
        "places": [dimensions[name].place(value) for name, value in values.items()],
        "scores": [[at.tokens, _finite(at.nats)] for at in thinned(trial.scores, MOST_SCORES)],
        "nats": None if shown is None else _finite(shown),
        "told": row[-3],
        "tokens": trial.tokens,
    }


def _finite(nats: float) -> float | None:
    return nats if math.isfinite(nats) else None


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
