"""A sweep that nobody has trained."""

from __future__ import annotations

from pathlib import Path

from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.folder import Made, SweepFolder
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import At, Outcome, Trial
from tests.sweeps.conftest import make


def made_up(*trials: Trial, trials_planned: int = 6) -> SweepRuns:
    """A sweep with these trials; by default one of each kind."""
    space = Space(cell="gru,lstm", lr="1e-3:1e-1", epochs=1)
    config = SweepConfig(trials=trials_planned, search="random", confirm=1)
    place = SweepFolder(Path("sweeps", "<b>sweep<b>-1"))
    found = SweepRuns(place, space, config, Made.of(space, config, make()).base)
    found.trials = list(trials) or [
        one(0, "gru", 0.01, [3.0, 2.5, 2.0], Outcome.DONE),
        one(1, "lstm", 0.1, [3.2, 3.1], Outcome.PRUNED),
        one(2, "lstm", 0.05, [3.0, float("nan")], Outcome.DIVERGED),
        one(3, "gru", 0.001, [3.3], None),
        one(4, "gru", 0.002, [], None),
    ]
    found.ladder = Ladder((Rung(1, 15.0, 16.0), Rung(3, 5.0, 6.0)), 28, 90)
    found.spent = 12.0
    return found


def one(number: int, cell: str, lr: float, nats: list[float], outcome: Outcome | None) -> Trial:
    scores = [At(10 * at, 100 * at, score) for at, score in enumerate(nats, 1)]
    trial = Trial(number, {"cell": cell, "lr": lr}, f"trial-{number}", scores=scores)
    trial.outcome, trial.tokens = outcome, 100 * len(nats)
    trial.nats = nats[-1] if outcome == Outcome.DONE else None
    return trial
