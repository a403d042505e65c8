"""Sweeps as their folders have them: read in another kernel, listed, and ready to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_magics.errors import StorageError
from rnn_magics.language import say
from rnn_magics.results import Result
from rnn_magics.storage.loading import load_run
from rnn_magics.sweeps.folder import SweepFolder, find_folder, sweep_folders
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Outcome, Trial
from rnn_magics.tables import aligned


@dataclass(frozen=True, repr=False)
class KeptSweeps(Result):
    """The sweeps kept in a folder, newest last.

    Parameters
    ----------
    sweeps
        Those that can be read.
    troubles
        Why others cannot.
    """

    sweeps: Sequence[SweepRuns]
    troubles: Sequence[str] = ()

    @property
    def head(self) -> list[str]:
        """What stands above the columns of `rows`."""
        return [say("folder"), say("tries"), say("trials"), say("best"), say("state")]

    @property
    def rows(self) -> list[list[str]]:
        """A row for each sweep."""
        return [_kept_row(sweep) for sweep in self.sweeps]

    def __repr__(self) -> str:
        """Return a table with a row for each sweep."""
        if not self.sweeps and not self.troubles:
            return say("no sweep is kept here yet: %sweep --lr 1e-4:1e-2 makes one")
        table = [aligned([self.head, *self.rows])] if self.sweeps else []
        return "\n".join([*table, *self.troubles])


def _kept_row(sweep: SweepRuns) -> list[str]:
    ended = sum(trial.outcome is not None for trial in sweep.searched)
    planned = sweep.planned
    best = sweep.best
    is_over = planned is not None and ended >= planned
    return [
        str(sweep.folder.path),
        str(sweep.space),
        str(ended) if planned is None else f"{ended}/{planned}",
        "" if best is None else sweep.score_in_words(best.nats),
        say("complete") if is_over else say("not ended"),
    ]


def read_trials(folder: SweepFolder, *, in_bytes: bool) -> tuple[list[Trial], float]:
    """Return the trials of a sweep as their folders have them, and the seconds spent."""
    trials: dict[int, Trial] = {}
    spent = 0.0
    for line in folder.lines():
        number, params = line["trial"], line.get("params")
        if isinstance(params, dict):
            path = str(folder.trial(number))
            trials.setdefault(number, Trial(number, params, path, line.get("confirms")))
        elif number in trials and line.get("end") in {*Outcome}:
            trials[number].outcome = Outcome.named(line["end"])
            trials[number].message = str(line.get("message", ""))
            spent = float(line.get("spent", spent))
    for trial in trials.values():
        _take(trial, in_bytes=in_bytes)
    return [trials[number] for number in sorted(trials)], spent


def _take(trial: Trial, *, in_bytes: bool) -> None:
    told = trial.message
    try:
        run = load_run(trial.folder)
    except StorageError:  # it was refused, or has not begun
        return
    trial.take(run, in_bytes=in_bytes)
    trial.message = told or trial.message
    if trial.outcome != Outcome.DONE:
        trial.nats = None


def load_sweep(folder: str | Path) -> SweepRuns:
    """Read a sweep from its folder, to look at; `resume_sweep` goes on with it.

    Parameters
    ----------
    folder
        The folder, or ``last`` for the one written to last, here or up to two levels below.

    Raises
    ------
    StorageError
        When there is no such sweep, or it cannot be read.
    """
    return read_sweep(find_folder(folder))


def read_sweep(folder: SweepFolder) -> SweepRuns:
    """Read a sweep from its folder.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    made = folder.made()
    trials, spent = read_trials(folder, in_bytes=made.space.has_other_tokens)
    return SweepRuns(folder, made.space, made.config, made.base, trials, spent=spent)


def kept_sweeps(folder: str | Path = ".") -> KeptSweeps:
    """List the sweeps kept in a folder or up to two levels below it, newest last.

    Raises
    ------
    StorageError
        When the folder does not exist, or cannot be listed.
    """
    sweeps, troubles = [], []
    for each in sweep_folders(folder):
        try:
            sweeps.append(read_sweep(each))
        except StorageError as error:
            troubles.append(str(error))
    return KeptSweeps(sweeps, troubles)
