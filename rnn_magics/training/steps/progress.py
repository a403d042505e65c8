"""The share of training that is done, by each limit.

The learning-rate schedule, the end of training and the progress displays all use these shares.
"""

from __future__ import annotations

from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.state import EpochState, TrainState


def limits_used(state: TrainState, config: TrainConfig) -> dict[Ending, float]:
    """Return the used share of each limit on tokens and time, by the ending that it leads to.

    A share of 1 or more means that the limit is reached. Limits that are not set are left out.
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
    """Return the share of training that is done, in [0, 1], by the nearest limit.

    Parameters
    ----------
    state, epoch
        The state of the training and of its epoch.
    config
        How the model is trained.
    ahead
        The part of the next step that counts as taken.
    """
    epochs = (state.epoch + (state.step + ahead) / len(epoch.plan)) / config.epochs
    return min(max([epochs, *limits_used(state, config).values()]), 1.0)


def seconds_left(state: TrainState, done: float) -> float:
    """Return the estimated number of seconds left, given the share that is done.

    The estimate assumes that a future step takes as long as an average one so far, with its part of
    the evaluation. For a time limit it is exact.
    """
    return state.total_seconds * (1 - done) / done
