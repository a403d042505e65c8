"""Checkpointing: a training is saved while it runs, between two steps."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rnn_magics import files
from rnn_magics.errors import ConfigError, StorageError
from rnn_magics.language import say
from rnn_magics.names import check_name
from rnn_magics.options import NOT_NEGATIVE, Options, Spelling, option
from rnn_magics.storage import atomic
from rnn_magics.storage.claim import Claim, released_on_error
from rnn_magics.storage.contents.training_state import capture, fingerprint_of
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.storage.run_log import epoch_line
from rnn_magics.storage.strict import from_options
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import EpochEnd, Event, StepEnd, TrainBegin, TrainEnd
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

_EVERY = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?(epochs?|steps?|s)?")


@dataclass(frozen=True, repr=False)
class Checkpointing(Options):
    """How a training is kept in a folder: ``train(..., watch=Checkpointing("runs/first"))``."""

    folder: str = option(
        "",
        "keep the run in this new folder",
        spelling=Spelling("--checkpoint", metavar="DIR", is_name=True),
        label="Checkpoint folder",
    )
    every: str = option(
        "1 epoch",
        "how often a checkpoint is written, besides at the end: 2 epochs, 500steps, 30s",
        spelling=Spelling(metavar="N"),
        label="Checkpoint every",
    )
    keep: int | None = option(
        100,
        "how many models the folder keeps, one for each of the last epochs; none for all",
        within=NOT_NEGATIVE,
        label="Checkpoints to keep",
        spelling=Spelling("--keep-epochs"),
    )

    def __post_init__(self) -> None:
        """Check each value, and the form of the period."""
        super().__post_init__()
        check_name(self.folder, say("the folder"))
        _ = self.period  # raises if it is invalid

    @property
    def period(self) -> tuple[float, str]:
        """The number and the unit: ``epoch``, ``step`` or ``s``."""
        match = _EVERY.fullmatch(self.every)
        if match is None or float(match[1]) == 0 or (match[2] != "s" and "." in match[1]):
            raise ConfigError(
                say(
                    "every must be a period such as '2 epochs', 500steps or 30s, not {every!r}",
                    every=self.every,
                )
            )
        return float(match[1]), (match[2] or "epoch").removesuffix("s") or "s"

    def require_place(self) -> RunFolder:
        """Return the folder after checking that a new run can be kept there.

        Nothing is created, so this can be called before any work is done.

        Raises
        ------
        ConfigError
            When no folder is given.
        StorageError
            When the folder holds a run already, or cannot be created.
        """
        if not self.folder:
            raise ConfigError(
                say("give the folder that keeps the run, e.g. Checkpointing('runs/first')")
            )
        folder = RunFolder(atomic.user_path(self.folder))
        what = say("cannot make the folder {path}", path=files.shown(folder.path))
        with files.in_one_line(StorageError, what):
            files.require_place_for_folder(folder.path)
        if folder.exists:
            folder.claim().release()  # raises if another process is training there
            raise _taken(folder)
        return folder

    def __call__(self, run: Run, state: TrainState) -> Callable[[Event], None]:
        """Start to keep a training.

        Returns
        -------
        Callable
            A listener for the events of the training, which it receives between two steps.

        Raises
        ------
        ConfigError
            When no folder is given.
        StorageError
            When the folder holds a run already, is in use by another training, or cannot be
            created.
        """
        folder = self.require_place()
        with released_on_error(folder.claim()) as claim:
            if folder.exists:  # checked again, now that nobody else can start a run in it
                raise _taken(folder)
            folder.begin(run, from_options(self))
            run.folder = self.folder
            return Keeper(run, state, self, folder, claim)


@dataclass(frozen=True)
class Reopened:
    """The folder of a run that can continue, claimed for it.

    Parameters
    ----------
    config
        How the run is kept.
    claim
        The claim to its folder.
    """

    config: Checkpointing
    claim: Claim

    @property
    def folder(self) -> str:
        """The folder of the run."""
        return self.config.folder

    def go_on(self, run: Run, state: TrainState) -> Callable[[Event], None]:
        """Continue to keep a training that was resumed.

        Raises
        ------
        StorageError
            When the folder cannot be written to.
        """
        folder = RunFolder(atomic.user_path(self.folder))
        with released_on_error(self.claim):
            folder.go_on(state.total_steps)
            run.folder = self.folder
            return Keeper(run, state, self.config, folder, self.claim)


def _taken(folder: RunFolder) -> StorageError:
    return StorageError(
        say(
            "{folder!r} holds run {name!r} already; continue it with --resume, or keep this run in"
            " another folder",
            folder=str(folder.path),
            name=folder.summary().name,
        )
    )


class Keeper:
    """Saves a training as its events arrive.

    A checkpoint that cannot be written does not end the training: the message of the run says so,
    and the last good checkpoint stays. After the training the folder is released.

    Parameters
    ----------
    run, state
        The training.
    config
        When to write.
    folder, claim
        Where to write, and the claim to that folder.
    """

    def __init__(
        self,
        run: Run,
        state: TrainState,
        config: Checkpointing,
        folder: RunFolder,
        claim: Claim,
    ) -> None:
        self._run, self._state = run, state
        self._config, self._folder, self._claim = config, folder, claim
        self._fingerprint = fingerprint_of(state.batches)
        self._last, self._written = time.monotonic(), state.total_steps
        self._curve = run.curve.copy()  # up to the last complete epoch
        self._cut_short: dict[str, Any] = {}  # the epoch in which the run ends, for its last line
        self._trouble = ""  # the message of the run about a checkpoint that failed

    def __call__(self, event: Event) -> None:
        """Write what is due after an event."""
        if not isinstance(event, TrainEnd):
            self._keep(event)
            return
        try:
            if event.reason != Ending.FAILED:  # after a failure the state may be inconsistent
                self._keep(event)
        finally:
            self._claim.release()

    def _keep(self, event: Event) -> None:
        try:
            if isinstance(event, EpochEnd) and event.complete:
                self._curve = self._run.curve.copy()
                self._folder.tell(**epoch_line(self._run))
                self._folder.write_epoch(self._run, event.epoch, self._config.keep)
            elif isinstance(event, EpochEnd):
                self._cut_short = {"cut_short": epoch_line(self._run)}
            if self._is_due(event):
                good = self._state.settle()
                # After a bad step the loop sends only the end, and the state is that of the last
                # good step.
                if good or isinstance(event, TrainEnd):
                    self._write()
            if isinstance(event, TrainEnd):
                steps = self._state.total_steps
                self._folder.tell(end=event.reason, steps=steps, **self._cut_short)
        except StorageError as error:
            self._trouble = say(
                "no checkpoint after step {step}: {error}",
                step=self._state.total_steps,
                error=error,
            )
            self._run.message = self._trouble

    def _write(self) -> None:
        if self._trouble and self._run.message == self._trouble:
            self._run.message = self._trouble = ""
        training = capture(self._state, self._fingerprint)
        run = replace(self._run, curve=self._curve)
        self._folder.write_step(run, training, self._state.total_steps)
        self._last, self._written = time.monotonic(), self._state.total_steps

    def _is_due(self, event: Event) -> bool:
        number, unit = self._config.period
        match event:
            case TrainBegin() | TrainEnd():
                return True
            case StepEnd() if unit == "step":
                # Not every step is told of a training elsewhere, so not only at a multiple.
                return self._state.total_steps // number > self._written // number
            case StepEnd() if unit == "s":
                return time.monotonic() - self._last >= number
            case EpochEnd() if unit == "epoch":
                return event.complete and event.epoch % number == 0
        return False
