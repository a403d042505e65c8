"""How much of a training is over, by each of the limits that it was given.

The schedule of the learning rate, the end of the training and what a reader is told all go by
these shares.
"""

from __future__ import annotations

from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.state import EpochState, TrainState


def limits_used(state: TrainState, config: TrainConfig) -> dict[Ending, float]:
    """Return how much of the tokens and of the seconds is used up, by the ending that it leads to.

    From 1 on a limit is reached. One that was not given is not there.
    """
    used = {}
    if config.max_tokens is not None:
        used[Ending.MAX_TOKENS] = state.total_tokens / config.max_tokens
    if config.max_time is not None:
        used[Ending.MAX_TIME] = state.total_seconds / config.max_time
    return used


def share_done(
    state: TrainState, epoch: EpochState, config: TrainConfig, *, ahead: float = 0.0
) -> float:
    """Return how much of a training is over, in [0, 1], by whichever limit is nearest.

    Parameters
    ----------
    state, epoch
        Where the training stands.
    config
        How it is trained.
    ahead
        How much of the step to come counts as taken.
    """
    epochs = (state.epoch + (state.step + ahead) / len(epoch.plan)) / config.epochs
    return min(max([epochs, *limits_used(state, config).values()]), 1.0)


def seconds_left(state: TrainState, done: float) -> float:
    """Return about how many seconds are left when a share of the training is over.

    As much evaluation is expected for each step to come as there was for each step so far. Up to
    a limit of time the seconds are exact.
    """
    return state.total_seconds * (1 - done) / done
