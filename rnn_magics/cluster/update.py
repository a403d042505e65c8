"""What the worker with rank 0 tells the notebook: an event, and the whole training as it is then.

So the run and its state in the notebook always belong to the last event that was told there, and
whatever follows a run (displays, checkpoints, a copy of the model) finds what it would find if the
run trained in this process. It is also what a worker goes on from that takes the place of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rnn_magics.models.rnn_model import weights
from rnn_magics.storage.container import Contents
from rnn_magics.storage.contents.training_state import capture, restore
from rnn_magics.training.events import Event
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

Arrays = Mapping[str, NDArray[Any]]
# What training changes in a run. The rest belongs to whoever began it.
_CHANGES = (
    "history",
    "curve",
    "between",
    "reason",
    "message",
    "threads",
    "weights_from",
    "test",
    "step",
    "steps",
    "tokens",
)
_STEERED = ("config", "steered")


@dataclass(frozen=True)
class Training:
    """A training between two steps.

    Parameters
    ----------
    run
        The fields of the run that training changes.
    document, arrays
        What `capture` found in the state; its tensors as arrays, which travel faster.
    model
        The weights of the model, by name.
    """

    run: Mapping[str, Any]
    document: Any
    arrays: Arrays
    model: Arrays

    @classmethod
    def of(cls, run: Run, state: TrainState) -> Training:
        """Return a training as it is now; the arrays share its memory."""
        contents = capture(state, "")
        return cls(
            {name: getattr(run, name) for name in (*_CHANGES, *_STEERED)},
            contents.document,
            _arrays(contents.tensors),
            _arrays(weights(state.model)),
        )

    def give(self, run: Run, state: TrainState, *, is_steered_here: bool = False) -> None:
        """Bring a run and its state to where this training is.

        Parameters
        ----------
        run, state
            The run and state from which it began.
        is_steered_here
            Whether the settings of the run are newer than those of this training.
        """
        for name in _CHANGES if is_steered_here else (*_CHANGES, *_STEERED):
            setattr(run, name, self.run[name])
        with torch.no_grad():
            for name, weight in weights(state.model).items():
                weight.copy_(_tensor(self.model[name]))
        tensors = {name: _tensor(each) for name, each in self.arrays.items()}
        restore(state, Contents(self.document, tensors))
        told = self.document.get("best")
        if told and told["is_in_model"] and state.best is not None and state.best.weights:
            # The training is over, but `restore` has brought the weights of the last step back.
            state.best.exchange(state.model)


@dataclass(frozen=True)
class Update:
    """One event, with the training as it is then.

    Parameters
    ----------
    event
        The event.
    training
        None where the training has not changed since the update before.
    heard
        The number of the last order that has been carried out.
    """

    event: Event
    training: Training | None
    heard: int


def _arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    return {name: value.detach().cpu().numpy() for name, value in tensors.items()}


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(array))  # what was sent is read-only
