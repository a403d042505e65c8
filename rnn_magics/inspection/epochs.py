"""A view across the epochs of a run that is kept in a folder.

Anything that a view chooses by itself (a unit, a target, the units compared) is chosen for the last
epoch and kept for the others, so that the same thing is compared at different times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rnn_magics.digits import rounded
from rnn_magics.errors import InspectionError, StorageError
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector
from rnn_magics.inspection.views.payload import EpochsPayload, number
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.language import say
from rnn_magics.options import Options, check_choice
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.run_folder import checkpoint_epochs
from rnn_magics.training.run import Run

MOST_EPOCHS = 12
"""The largest number of epochs in a view; of more epochs, this many are chosen evenly."""


@dataclass(frozen=True, repr=False, eq=False)
class Epochs(Trace):
    """A view of a run as it was after several of its epochs; ``epochs[3].states`` is an array.

    Parameters
    ----------
    view
        A name of `INSPECTORS`.
    folder
        The folder of the run.
    name
        The name of the run.
    planned
        The planned number of epochs of the run.
    epochs
        The epochs in the view, in rising order, up to the last one kept.
    traces
        The view of each epoch.
    train_perplexity, valid_perplexity
        The perplexities after each epoch; None if not measured.
    left_out
        The epochs for which the view is not possible, with the reason.
    """

    kind: ClassVar[str] = "epochs"

    view: str
    folder: str
    name: str
    planned: int
    epochs: tuple[int, ...]
    traces: tuple[Any, ...]
    train_perplexity: tuple[float | None, ...]
    valid_perplexity: tuple[float | None, ...]
    left_out: tuple[tuple[int, str], ...]

    def __len__(self) -> int:
        """Return the number of epochs in the view."""
        return len(self.epochs)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the epochs."""
        return iter(self.epochs)

    def __getitem__(self, epoch: int) -> Any:
        """Return the view of an epoch."""
        if epoch not in self.epochs:
            msg = say(
                "epoch {epoch} is not in this view, which has {known}",
                epoch=epoch,
                known=", ".join(map(str, self.epochs)),
            )
            raise KeyError(msg)
        return self.traces[self.epochs.index(epoch)]

    @property
    def inspector(self) -> str:
        """The name of the view of each epoch."""
        return self.view

    @property
    def last(self) -> Any:
        """The view of the last epoch."""
        return self.traces[-1]

    @property
    def title(self) -> str:
        """One line."""
        listed = ", ".join(map(str, self.epochs))
        return say(
            "{title}; run {name!r} after epochs {epochs} of {planned}",
            title=self.last.title,
            name=self.name,
            epochs=listed,
            planned=self.planned,
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the perplexities."""
        yield say("epoch"), say("train ppl"), say("held-out ppl")
        for epoch, train, valid in zip(
            self.epochs, self.train_perplexity, self.valid_perplexity, strict=True
        ):
            yield str(epoch), rounded(train), rounded(valid)

    def notes(self) -> Iterable[str]:
        """Return a line for each epoch left out, and the view of the last epoch."""
        missing = (
            say("epoch {epoch} left out: {why}", epoch=epoch, why=said)
            for epoch, said in self.left_out
        )
        return (*missing, "", say("after epoch {epoch}:", epoch=self.epochs[-1]), repr(self.last))

    def to_data(self) -> EpochsPayload:
        """Return what a front end draws."""
        return {
            **self.head(),
            "of": self.view,
            "name": self.name,
            "planned": self.planned,
            "frames": [
                {
                    "epoch": epoch,
                    "train_perplexity": None if train is None else number(train),
                    "valid_perplexity": None if valid is None else number(valid),
                    "data": trace.to_data(),
                }
                for epoch, trace, train, valid in zip(
                    self.epochs,
                    self.traces,
                    self.train_perplexity,
                    self.valid_perplexity,
                    strict=True,
                )
            ],
            "left_out": [{"epoch": epoch, "said": said} for epoch, said in self.left_out],
        }


def inspect_epochs(view: str, folder: str | Path, *things: Any, most: int = MOST_EPOCHS) -> Epochs:
    """Return a view of a run after each epoch that its folder keeps.

    ::

        epochs = inspect_epochs("hidden", "runs/first", "the time machine")
        epochs[1].states, epochs[10].states
        inspect_epochs("match", "runs/first", "the time", corpus, MatchConfig(span="4:8"))

    Parameters
    ----------
    view
        A name of `INSPECTORS`, for a view of a model.
    folder
        The folder of the run, as in ``train(..., watch=Checkpointing(folder))``.
    *things
        What the view needs besides the run, then its options, if any.
    most
        The largest number of epochs. Of more epochs, this many are chosen evenly, including the
        first and the last.

    Raises
    ------
    ConfigError
        If there is no such view.
    InspectionError
        If the view is not of a model, the folder keeps no epochs, or the view of the last epoch is
        not possible.
    StorageError
        If the folder has no run, or one of its models cannot be read.
    """
    check_choice("view", view, INSPECTORS)
    inspector = INSPECTORS[view]
    if "run" not in inspector.needs:
        msg = say(
            "the view {view!r} shows {things}, not one run epoch by epoch",
            view=view,
            things=say(inspector.needs[0]),
        )
        raise InspectionError(msg)
    kept = checkpoint_epochs(folder)
    if not kept:
        msg = say(
            "{folder!r} keeps no model of any epoch: train for at least one"
            " epoch, with --keep-epochs above 0",
            folder=str(folder),
        )
        raise InspectionError(msg)
    *chosen, last = evenly(kept, most)
    looks = [_look(inspector, load_run(folder, epoch=last), things)]
    things = _settled(inspector, looks[0][1], things)
    left_out = []
    for epoch in reversed(chosen):
        try:
            looks.append(_look(inspector, load_run(folder, epoch=epoch), things))
        except InspectionError as error:
            left_out.append((epoch, str(error)))
        except StorageError:
            if epoch in checkpoint_epochs(folder):
                raise
            left_out.append((epoch, say("it is no longer kept")))  # deleted by the run in training
    looks.reverse()
    runs = [run for run, _ in looks]
    return Epochs(
        view,
        str(folder),
        runs[-1].name,
        runs[-1].config.train.epochs,
        tuple(len(run.history) for run in runs),
        tuple(trace for _, trace in looks),
        tuple(run.train_perplexity for run in runs),
        tuple(run.valid_perplexity for run in runs),
        tuple(reversed(left_out)),
    )


def evenly(epochs: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of the epochs, evenly spaced, including the first and the last."""
    if most < 2 or len(epochs) <= most:  # noqa: PLR2004  (first and last are two)
        return list(epochs) if most > 1 else list(epochs[-1:])
    return [epochs[place] for place in np.linspace(0, len(epochs) - 1, most).round().astype(int)]


def _look(inspector: Inspector, run: Run, things: Sequence[Any]) -> tuple[Run, Trace]:
    return run, inspector.inspect(run, *things)


def _settled(inspector: Inspector, last: Trace, things: tuple[Any, ...]) -> tuple[Any, ...]:
    if inspector.settle is None:
        return things
    given = things and isinstance(things[-1], Options)
    config = things[-1] if given else inspector.config()
    return (*(things[:-1] if given else things), inspector.settle(config, last))
