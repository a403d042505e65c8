"""How many CPU threads the steps of a run get.

The number follows the machine only where it cannot change a result: the compiled engine computes
the same bits with any. For another engine it is measured, once, before the first step.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import torch

from rnn_magics.training.events import Event, Measuring
from rnn_magics.training.machine.threads import (
    ThreadChoice,
    Threads,
    available_threads,
    following_threads,
    measure_threads,
)
from rnn_magics.training.run import Run
from rnn_magics.training.state import EpochState, TrainState
from rnn_magics.training.steps.step import try_step


def find_threads(run: Run, state: TrainState, epoch: EpochState) -> Generator[Event, None, Threads]:
    """Find the number of threads for a run that has none yet, and return what sets it."""
    if run.device.device.type != "cpu":
        return Threads()
    if run.threads is None and state.model.engine == "compiled":
        run.threads = ThreadChoice.following(available_threads())
        return following_threads()
    if run.threads is None:
        yield Measuring()
        run.threads = measure_threads(partial(try_step, state, epoch, run.config.train.precision))
    torch.set_num_threads(run.threads.number)
    return Threads()


def count_threads(run: Run, threads: Threads) -> float | None:
    """Return the mean number in the steps since the last call, and note it in the run."""
    mean = threads.mean()
    if threads.follows and mean is not None:
        run.threads = ThreadChoice.following(round(mean))
    return mean
