"""One training, several seeds: how far a perplexity depends on chance."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rnn_magics.batching import Batches
from rnn_magics.digits import rounded
from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_report import report_run
from rnn_magics.results import Result
from rnn_magics.tables import aligned
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.loop import Drive, train
from rnn_magics.training.run import Run, state_of


@dataclass(frozen=True)
class Spread(Result):
    """What a number is over several runs.

    Parameters
    ----------
    mean, std
        The standard deviation divides by one less than the runs; nan for one run.
    lowest, highest
        The interval that holds them all.
    """

    mean: float
    std: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Spread | None:
        """Return the spread of the numbers that are there, None where none is."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        mean = sum(known) / len(known)  # inf where fsum would raise
        several = len(known) > 1 and all(map(math.isfinite, known))
        std = statistics.stdev(known) if several else math.nan
        return cls(mean, std, min(known), max(known))

    def __repr__(self) -> str:
        """Return one line, e.g. ``6.012 +- 0.034, from 5.970 to 6.051``."""
        std = "" if math.isnan(self.std) else f" +- {rounded(self.std)}"
        return say(
            "{mean}{std}, from {lowest} to {highest}",
            mean=rounded(self.mean),
            std=std,
            lowest=rounded(self.lowest),
            highest=rounded(self.highest),
        )


@dataclass(frozen=True, repr=False)
class SeedRuns(Result):
    """Runs that differ in their seed alone.

    Parameters
    ----------
    runs
        In the order of their seeds.
    """

    runs: tuple[Run, ...]

    @property
    def train(self) -> Spread | None:
        """Of the training perplexities; None while no run has an epoch."""
        return Spread.of([run.train_perplexity for run in self.runs])

    @property
    def valid(self) -> Spread | None:
        """Of the held-out perplexities; None where nothing is held out."""
        return Spread.of([run.valid_perplexity for run in self.runs])

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        """Yield the runs."""
        return iter(self.runs)

    def __getitem__(self, place: int) -> Run:
        """Return one run."""
        return self.runs[place]

    def __repr__(self) -> str:
        """Return a line for each run, then the mean, the deviation and the interval."""
        head = (say("run"), say("seed"), say("train ppl"), say("held-out ppl"), say("ended"))
        rows = [
            (
                run.name,
                str(run.config.train.seed),
                rounded(run.train_perplexity),
                str(run.scored or ""),
                state_of(run),
            )
            for run in self.runs
        ]
        said = []
        if self.train:
            said.append(say("training perplexity {spread}", spread=self.train))
        if self.valid:
            said.append(say("held-out perplexity {spread}", spread=self.valid))
        return "\n".join([aligned([head, *rows]), *said, *self.depends])

    @property
    def depends(self) -> list[str]:
        """What is the same for each run, said once: bits, words and what they are computed over."""
        reports = [report_run(run) for run in self.runs]
        found = [r.valid for r in reports if r.valid is not None and not r.when]
        if not found:
            return []
        one, bits = found[0], Spread.of([each.score.bits for each in found])
        words = Spread.of([each.word_perplexity for each in found])
        told = [say("held-out bits per {token} {bits}", token=say(one.token), bits=bits)]
        if one.size is not None:
            characters = Spread.of([each.bits_per_character for each in found])
            in_bytes = Spread.of([each.bits_per_byte for each in found])
            told = [
                say("held-out bits per character {bits}", bits=characters),
                say("held-out bits per byte {bits}", bits=in_bytes),
            ]
        if words is not None:
            told.append(say("held-out perplexity per word {words}", words=words))
        over = say(
            "{num_tokens:,} held-out tokens, state {state}",
            num_tokens=one.score.num_tokens,
            state=say(one.score.state),
        )
        return [*told, say(", ").join(filter(None, (say("over {over}", over=over), one.unknown)))]


def train_seeds(
    batches: Batches,
    model: ModelConfig | None = None,
    config: TrainConfig | None = None,
    *,
    num: int,
    name: str = "",
    drive: Drive | None = None,
) -> SeedRuns:
    """Train one architecture `num` times, with the seeds ``seed``, ``seed + 1`` ...

    The first run that is stopped, or fails, is the last.

    Parameters
    ----------
    batches
        What `make_batches` returned.
    model, config
        As `train` takes them; the seed of `config` is the first.
    num
        How many runs.
    name
        What the names of the runs begin with; by default that of the cell.
    drive
        As `train` takes it.

    Raises
    ------
    ConfigError
        When `num` is below 1, or the last seed is beyond what a generator takes.
    """
    model = model or ModelConfig()
    configs = seeded(config or TrainConfig(), num)
    stem = name or model.cell
    runs: list[Run] = []
    for each in configs:
        run = train(batches, model, each, name=seed_name(stem, each), drive=drive)
        runs.append(run)
        # A seed that explodes says nothing of the next one.
        if run.reason is None or not (run.reason.as_planned or run.reason == Ending.NON_FINITE):
            break
    return SeedRuns(tuple(runs))


def seeded(config: TrainConfig, num: int) -> Iterator[TrainConfig]:
    """Return the same configuration with one seed after the other.

    Raises
    ------
    ConfigError
        When `num` is below 1, or the last seed is beyond what a generator takes.
    """
    if num < 1:
        msg = say("the number of seeds must be at least 1, not {num}", num=num)
        raise ConfigError(msg)
    replace(config, seed=config.seed + num - 1)  # refused now, not after hours
    return (replace(config, seed=config.seed + i) for i in range(num))


def seed_name(stem: str, config: TrainConfig) -> str:
    """Return the name of the run of a seed, e.g. ``gru-1-seed-0``."""
    return f"{stem}-seed-{config.seed}"
