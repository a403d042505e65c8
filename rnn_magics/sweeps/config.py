"""SweepConfig: how a space is searched, when trials end early, and what is sought."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnn_magics.errors import ConfigError
from rnn_magics.language import marked, say
from rnn_magics.options import (
    AT_LEAST_ONE,
    POSITIVE,
    SEED,
    Options,
    Spelling,
    option,
)
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.sweeps.search.pruning import PRUNERS
from rnn_magics.sweeps.search.searches import SEARCHES

DEFAULT_TRIALS = 20
_BUDGET = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}

OBJECTIVES: dict[str, str] = {
    "nats": marked("held-out nats"),
    "time": marked("held-out nats after --within seconds of training"),
    "parameters": marked("held-out nats of a model with at most --within parameters"),
}
"""What a sweep seeks, each with its words."""


@dataclass(frozen=True, repr=False)
class SweepConfig(Options):
    """How a sweep is made."""

    trials: int | None = option(
        None,
        lambda: say(
            "how many settings are tried; by default {number}, with grid all", number=DEFAULT_TRIALS
        ),
        within=AT_LEAST_ONE,
        label="Trials",
    )
    budget: str | None = option(
        None,
        "the most time that the sweep takes, e.g. 90s, 10m, 2h",
        spelling=Spelling(metavar="TIME"),
        label="Time budget",
    )
    search: str = option(
        "tpe",
        lambda: _listed({name: each.help for name, each in SEARCHES.items()}),
        choices=lambda: list(SEARCHES),
        label="Search",
    )
    prune: str = option(
        "median",
        lambda: _listed({name: each.help for name, each in PRUNERS.items()}),
        choices=lambda: list(PRUNERS),
        label="Pruning",
    )
    objective: str = option(
        "nats",
        lambda: _listed(OBJECTIVES),
        choices=lambda: list(OBJECTIVES),
        label="Objective",
    )
    within: float | None = option(
        None,
        "the seconds or parameters that --objective speaks of",
        within=POSITIVE,
        label="Limit of the objective",
        spelling=Spelling(metavar="N"),
    )
    confirm: int | None = option(
        None,
        "train the best settings again with so many other seeds",
        within=AT_LEAST_ONE,
        label="Seeds to confirm",
        spelling=Spelling(metavar="N"),
    )
    search_seed: int = option(0, "seed of the search", within=SEED, label="Seed of the search")
    save_every: str = option(
        "30s",
        "how often each trial is saved as it trains: 1epoch, 500steps, 30s",
        spelling=Spelling(metavar="N"),
        label="Save trials every",
    )

    def __post_init__(self) -> None:
        """Check each value, and that the values fit together.

        Raises
        ------
        ConfigError
            If a value is not accepted, or an objective lacks its limit.
        """
        super().__post_init__()
        _ = self.seconds, Checkpointing(every=self.save_every)
        if (self.objective == "nats") != (self.within is None):
            raise ConfigError(
                say("--within N belongs to --objective time and --objective parameters")
            )

    @property
    def seconds(self) -> float | None:
        """The time budget in seconds; None without one.

        Raises
        ------
        ConfigError
            If it is no time.
        """
        if self.budget is None:
            return None
        match = _BUDGET.fullmatch(self.budget)
        if match is None or float(match[1]) == 0:
            raise ConfigError(
                say("a budget is a time such as 90s, 10m or 2h, not {text!r}", text=self.budget)
            )
        return float(match[1]) * _SECONDS[match[2] or "s"]


def _listed(words: dict[str, str]) -> str:
    return say("; ").join(f"{name}: {say(text)}" for name, text in words.items())
