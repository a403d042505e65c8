"""A sweep as JSON; vitest reads the same example.

After a change that is meant, write it anew with ``RNN_MAGICS_WRITE_PAYLOADS=1``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rnn_magics.notebook.live.sweeps.payload import MOST_SCORES, MOST_TRIALS, sweep_payload
from rnn_magics.notebook.live.sweeps.progress import SweepProgress
from rnn_magics.sweeps.events import TrialBegin, TrialStep
from rnn_magics.sweeps.trial import Outcome
from tests.notebook.live.sweeps.made_up import made_up, one

EXAMPLE = Path(__file__).parents[3] / "contract" / "payloads" / "sweep.json"


def example() -> dict[str, Any]:
    found, now = made_up(), [0.0]
    progress = SweepProgress(found, lambda: now[0])
    progress(TrialBegin(found.trials[3]))
    progress(TrialStep(found.trials[3], 0.25, 6.0))
    now[0] = 4.0
    return sweep_payload(found, progress, {"cell": 0.75, "lr": 0.25})


def test_the_payload_is_that_of_the_example() -> None:
    text = json.dumps(example(), indent=1, allow_nan=False) + "\n"
    if os.environ.get("RNN_MAGICS_WRITE_PAYLOADS"):
        EXAMPLE.write_text(text, encoding="ascii")
    assert json.loads(text) == json.loads(EXAMPLE.read_text(encoding="ascii"))


def test_it_says_what_each_trial_is() -> None:
    data = example()
    kinds = [trial["kind"] for trial in data["trials"]]
    assert kinds == ["done", "behind", "behind", "running", "waiting"]
    assert [trial["done"] for trial in data["trials"]] == [None, None, None, 0.25, None]
    assert (data["best"], data["phase"], data["planned"]) == (0, "running", 6)
    assert data["trials"][0]["places"] == [0.0, 0.5]
    assert data["trials"][2]["scores"] == [[100, 3.0], [200, None]]
    assert data["ladder"]["order"] == 3
    assert data["seconds"] == 12.0 + 4.0


def test_one_that_was_stopped_does_not_look_as_if_it_had_ended() -> None:
    stopped = sweep_payload(made_up())
    assert (stopped["phase"], stopped["seconds_left"]) == ("open", None)
    assert stopped["share"] == 3 / 7  # of six trials, and one that confirms the best
    assert [trial["kind"] for trial in stopped["trials"]][3:] == ["waiting", "waiting"]
    found = made_up(one(0, "gru", 0.01, [1.0], Outcome.DONE))
    assert (sweep_payload(found)["phase"], sweep_payload(found)["share"]) == ("ended", 1.0)
    found.message = "the time budget is used up"
    assert (sweep_payload(found)["phase"], sweep_payload(found)["share"]) == ("open", 1 / 7)


def test_it_is_bounded_whatever_the_sweep() -> None:
    many = [one(0, "gru", 0.01, [1.0] * 1000, Outcome.DONE)]
    many += [one(number, "lstm", 0.05, [2.0] * 7, Outcome.DONE) for number in range(1, 1000)]
    data = sweep_payload(made_up(*many))
    assert len(data["trials"]) == MOST_TRIALS
    assert (data["number"], data["trials"][0]["number"], data["trials"][-1]["number"]) == (
        1000,
        0,
        999,
    )
    scores = data["trials"][0]["scores"]
    assert len(scores) <= MOST_SCORES
    assert scores[-1] == [100_000, 1.0]


def test_what_is_left_does_not_count_pauses() -> None:
    found, now = made_up(), [0.0]
    progress = SweepProgress(found, lambda: now[0])
    now[0] = 5
    progress.hold(is_paused=True)
    assert progress.words == "paused"
    now[0] = 105
    assert progress.seconds == 5
    progress.hold(is_paused=True)
    progress.hold(is_paused=False)
    now[0] = 106
    assert progress.seconds == 6
    assert progress.words == "choosing the next trial"
    progress(TrialBegin(found.trials[3]))
    progress(TrialBegin(found.trials[4]))
    progress(TrialStep(found.trials[4], 0.5, 2.0))
    assert progress.words == "trial 3: 0%; trial 4: 50%; about 00:06 left in all"
