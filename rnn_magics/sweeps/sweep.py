"""SweepRuns: its trials, the best of them, and the line to type to train that again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_magics.digits import rounded
from rnn_magics.errors import TrainingError
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import say, say_number
from rnn_magics.reports.seeds import Spread
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.scores.ladder import Ladder
from rnn_magics.storage.loading import load_run
from rnn_magics.sweeps.config import DEFAULT_TRIALS, SweepConfig
from rnn_magics.sweeps.dimensions import written
from rnn_magics.sweeps.folder import SweepFolder
from rnn_magics.sweeps.search.importance import importance
from rnn_magics.sweeps.search.past import Past
from rnn_magics.sweeps.settings import Base, Settings, lines_of, settings_of
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.trial import Outcome, Trial, spark, thinned
from rnn_magics.tables import aligned, pandas_or
from rnn_magics.training.run import Run

if TYPE_CHECKING:
    import pandas as pd

_MOST_BARS = 32  # of a line of bars: a row of the table fits a page


@dataclass
class SweepRuns(Result):
    """A search over settings; each of its trials is a run in a folder.

    Parameters
    ----------
    folder
        The folder that keeps it.
    space, config
        What it tries, and how.
    base
        What an option is that the space leaves out.
    trials
        Its trials in the order in which they were begun.
    spent
        The seconds that it took so far.
    ladder
        The n-gram baselines of the same split; None if they were not fitted, or the trials have
        different tokens.
    message
        What to know about its end.
    """

    folder: SweepFolder
    space: Space
    config: SweepConfig
    base: Base
    trials: list[Trial] = field(default_factory=list)
    spent: float = 0.0
    ladder: Ladder | None = None
    message: str = ""

    @property
    def name(self) -> str:
        """The name of its folder, with which the names of its runs begin."""
        return self.folder.path.name

    @property
    def searched(self) -> list[Trial]:
        """The trials that were searched for, without those that confirm the best."""
        return [trial for trial in self.trials if trial.confirms is None]

    @property
    def best(self) -> Trial | None:
        """The trial with the lowest score of those that were trained to their end; or None."""
        done = [t for t in self.searched if t.outcome == Outcome.DONE and t.nats is not None]
        return min(done, key=_nats, default=None)

    def settings(self, trial: Trial) -> Settings:
        """Return the configurations of a trial.

        Raises
        ------
        ConfigError
            If its settings do not fit together.
        """
        return settings_of(self.space, self.config, self.base, trial.params)

    @property
    def lines(self) -> list[str]:
        """What to type to train the best settings; empty before there are any."""
        return [] if self.best is None else lines_of(self.settings(self.best), self.base)

    @property
    def confirmed(self) -> list[Trial]:
        """The trials that have the settings of the best, with other seeds."""
        best = self.best
        return [t for t in self.trials if best is not None and t.confirms == best.number]

    @property
    def planned(self) -> int | None:
        """How many trials it is to have; None for all points of a grid with a range."""
        if self.config.trials is not None or self.config.search != "grid":
            most = self.config.trials or DEFAULT_TRIALS
            size = self.space.size
            return most if size is None else min(most, size)
        return self.space.size

    @property
    def past(self) -> list[Past]:
        """What a search and a pruner know: the trials that have ended."""
        return [
            Past(t.number, t.params, t.curve(self.base.every), t.nats, t.outcome == Outcome.PRUNED)
            for t in self.searched
            if t.outcome is not None
        ]

    def run(self, number: int | None = None) -> Run:
        """Read the run of a trial from its folder; by default that of the best.

        Raises
        ------
        TrainingError
            If there is no such trial, or none has been trained to its end.
        StorageError
            If its run cannot be read.
        """
        best = self.best
        if number is None and best is None:
            raise TrainingError(say("no trial has been trained to its end, so none is best"))
        wanted = best if number is None else self._named(number)
        if wanted is None or not Path(wanted.folder).exists():
            raise TrainingError(
                say("{sweep} has no run of trial {number}", sweep=self.name, number=number)
            )
        return load_run(wanted.folder)

    def _named(self, number: int) -> Trial | None:
        return next((trial for trial in self.trials if trial.number == number), None)

    @property
    def head(self) -> list[str]:
        """What stands above the columns of `rows`."""
        score = say("held-out ppl")
        if self.space.has_other_tokens:
            score = say("held-out nats per byte")
        options = list(self.space.dimensions)
        return [say("trial"), *options, say("scores"), score, say("tokens"), say("state")]

    def row(self, trial: Trial) -> list[str]:
        """Return the cells of a trial."""
        values = [written(trial.params[name]) for name in self.space.dimensions]
        nats = [at.nats for at in thinned(trial.scores, _MOST_BARS)]
        low, high = self._bounds
        shown = trial.nats if trial.nats is not None else trial.lowest
        return [
            str(trial.number),
            *values,
            spark(nats, low, high),
            self.score_in_words(shown),
            f"{trial.tokens:,}",
            self._state(trial),
        ]

    def _state(self, trial: Trial) -> str:
        if trial.confirms is None:
            return trial.state
        seed = trial.params["seed"]
        return say(
            "{state}, trial {trial} with seed {seed}",
            state=trial.state,
            trial=trial.confirms,
            seed=seed,
        )

    def score_in_words(self, nats: float | None) -> str:
        """Return a score as the table has it: a perplexity, or nats per byte."""
        if nats is None:
            return ""
        return rounded(nats if self.space.has_other_tokens else perplexity(nats))

    @property
    def _bounds(self) -> tuple[float, float]:
        # The best score of all, and the median of the first ones, so that one outlier hides none.
        firsts = sorted(t.scores[0].nats for t in self.trials if t.scores)
        lows = [t.lowest for t in self.trials if t.lowest is not None]
        if not firsts or not lows:
            return 0.0, 1.0
        return min(lows), firsts[len(firsts) // 2]

    @property
    def verdict(self) -> str:
        """What was found, in one sentence."""
        best, ended = self.best, [t for t in self.searched if t.outcome is not None]
        if best is None:
            return say_number(
                len(ended),
                "{number} trial, none of them trained to its end",
                "{number} trials, none of them trained to its end",
            )
        return say_number(
            len(ended),
            "best of {number} trial: {settings}, {score}",
            "best of {number} trials: {settings}, {score}",
            settings=best.settings,
            score=self._scored(best.nats),
        )

    def _scored(self, nats: float | None) -> str:
        if self.space.has_other_tokens:
            return say("held-out nats per byte {nats}", nats=rounded(nats))
        reached = None if nats is None else perplexity(nats)
        return say("held-out perplexity {perplexity}", perplexity=rounded(reached))

    @property
    def notes(self) -> list[str]:
        """What to know of it: the baseline, the seeds, the test part, the line to type."""
        best, told = self.best, []
        rung = None if self.ladder is None else self.ladder.best
        if rung is not None and rung.valid_perplexity is not None:
            told.append(
                say(
                    "best n-gram: {order}-gram, held-out perplexity {perplexity}",
                    order=rung.order,
                    perplexity=rounded(rung.valid_perplexity),
                )
            )
        if best is not None:
            told += self._on_chance(best)
            told += [say("to train it again, type"), *self.lines]
        return [*told, *filter(None, [self.message])]

    @property
    def remarks(self) -> list[str]:
        """What to know of it besides the baseline and the line to type: seeds, test part, end."""
        told = [] if self.best is None else self._on_chance(self.best)
        return [*told, *filter(None, [self.message])]

    def _on_chance(self, best: Trial) -> list[str]:
        told = []
        again = self.confirmed
        spread = Spread.of([t.perplexity for t in again])
        if spread is not None:
            told.append(
                say_number(
                    len(again),
                    "with {number} other seed: held-out perplexity {spread}",
                    "with {number} other seeds: held-out perplexity {spread}",
                    spread=spread,
                )
            )
        tested = [t.test_nats for t in (again or [best]) if t.test_nats is not None]
        if over := Spread.of([perplexity(nats) for nats in tested]):
            told.append(
                say(
                    "on the test part, by which nothing was chosen: perplexity {spread}",
                    spread=over if len(tested) > 1 else rounded(over.mean),
                )
            )
        elif spread is None:
            told.append(
                say(
                    "the best of several flatters the held-out text: --confirm 3 trains it again"
                    " with other seeds"
                )
            )
        return told

    @whole_imports()
    def importance(self) -> dict[str, float]:
        """Return how much each option decides what a trial reaches, see `importance`.

        Raises
        ------
        ConfigError
            If Optuna or scikit-learn is not installed.
        """
        return importance(self.space.dimensions, self.past)

    @whole_imports()
    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each trial.

        Raises
        ------
        TrainingError
            If pandas is not installed.
        """
        pd = pandas_or(say("trials for a list"))
        rows = [self._entry(trial) for trial in self.trials]
        return pd.DataFrame(rows, index=pd.Index([t.number for t in self.trials], name="trial"))

    def _entry(self, trial: Trial) -> dict[str, Any]:
        return {
            **trial.params,
            "nats": trial.nats,
            "lowest_nats": trial.lowest,
            "test_nats": trial.test_nats,
            "outcome": None if trial.outcome is None else str(trial.outcome),
            "parameters": trial.num_parameters,
            "tokens": trial.tokens,
            "seconds": trial.seconds,
            "confirms": trial.confirms,
        }

    def __repr__(self) -> str:
        """Return the verdict, a row for each trial, and what to know."""
        rows = [self.row(trial) for trial in self.trials]
        table = [aligned([self.head, *rows])] if rows else []
        return "\n".join([f"{self.name}: {self.verdict}", *table, *self.notes])


def _nats(trial: Trial) -> float:
    return trial.nats if trial.nats is not None else float("inf")
