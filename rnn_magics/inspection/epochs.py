"""A view across the epochs of a run that was kept in a folder.

All that a view chooses by itself (a unit, a target, the units compared) it chooses for the last
epoch, and keeps for the others, so that what is compared is the same thing at different times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rnn_magics.errors import InspectionError, StorageError
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector
from rnn_magics.inspection.views.payload import EpochsPayload, number
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.options import Options, check_choice
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.run_folder import checkpoint_epochs
from rnn_magics.training.run import Run

MOST_EPOCHS = 12
"""More epochs than this are not looked at; of more, as many are chosen evenly."""


@dataclass(frozen=True, repr=False, eq=False)
class Epochs(Trace):
    """A view of a run as it was after several of its epochs; ``epochs[3].states`` is an array.

    Parameters
    ----------
    view
        A name of `INSPECTORS`.
    folder
        Of the run.
    name
        Of the run.
    planned
        How many epochs the run was to have.
    epochs
        Which were looked at, in rising order; the last is the last that is kept.
    traces
        What the view returned for each of them.
    train_perplexity, valid_perplexity
        After each of them; None where it was not measured.
    left_out
        Epochs that the view cannot be made of, and why.
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
        """Return how many epochs were looked at."""
        return len(self.epochs)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the epochs."""
        return iter(self.epochs)

    def __getitem__(self, epoch: int) -> Any:
        """Return what the view returned for an epoch."""
        if epoch not in self.epochs:
            msg = f"epoch {epoch} was not looked at; {', '.join(map(str, self.epochs))} were"
            raise KeyError(msg)
        return self.traces[self.epochs.index(epoch)]

    @property
    def last(self) -> Any:
        """What the view returned for the last epoch."""
        return self.traces[-1]

    @property
    def title(self) -> str:
        """One line."""
        listed = ", ".join(map(str, self.epochs))
        return f"{self.last.title}; run {self.name!r} after epochs {listed} of {self.planned}"

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the perplexities."""
        yield "epoch", "train ppl", "held-out ppl"
        for epoch, train, valid in zip(
            self.epochs, self.train_perplexity, self.valid_perplexity, strict=True
        ):
            yield str(epoch), _shown(train), _shown(valid)

    def notes(self) -> Iterable[str]:
        """Return a line for each epoch left out, and the view of the last epoch."""
        missing = (f"epoch {epoch} left out: {said}" for epoch, said in self.left_out)
        return (*missing, "", f"after epoch {self.epochs[-1]}:", repr(self.last))

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
    """Return a view of a run as it was after each epoch that its folder keeps.

    ::

        epochs = inspect_epochs("hidden", "runs/first", "the time machine")
        epochs[1].states, epochs[10].states
        inspect_epochs("match", "runs/first", "the time", corpus, MatchConfig(span="4:8"))

    Parameters
    ----------
    view
        A name of `INSPECTORS` whose view is of a model.
    folder
        In which the run was kept: ``train(..., watch=Checkpointing(folder))``.
    *things
        What the view needs besides the run, then its options, if any.
    most
        How many epochs are looked at; of more, as many are chosen evenly, the first and the
        last among them.

    Raises
    ------
    ConfigError
        When there is no such view.
    InspectionError
        When the view is of no model, the folder keeps no epochs, or the view cannot be made of
        the last of them.
    StorageError
        When the folder holds no run, or a model of it cannot be read.
    """
    check_choice("view", view, INSPECTORS)
    inspector = INSPECTORS[view]
    if "run" not in inspector.needs:
        msg = f"the view {view!r} is of {inspector.needs[0]}, which no epoch changes"
        raise InspectionError(msg)
    kept = checkpoint_epochs(folder)
    if not kept:
        msg = (
            f"{str(folder)!r} keeps the model of no epoch: train for an epoch or more, with"
            " --keep above 0"
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
            left_out.append((epoch, "it is not kept any more"))  # while the run trains on
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
    """Return `most` of the epochs or fewer, evenly chosen, the first and the last among them."""
    if most < 2 or len(epochs) <= most:  # noqa: PLR2004  (one has no first and last)
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


def _shown(perplexity: float | None) -> str:
    return "" if perplexity is None else f"{perplexity:.3f}"
