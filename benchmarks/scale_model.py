"""What data-parallel training is predicted to cost: a simulation fed with measured times.

Each step, every worker computes the gradient of its own rows; the slowest decides. Then all average
their gradients by a ring: each sends and receives 2 (N - 1) messages of 1 / N of the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

STEPS = 4000  # simulated for each prediction


@dataclass(frozen=True)
class Network:
    """What connects workers.

    Parameters
    ----------
    latency
        Seconds that a message takes whatever its size.
    bandwidth
        Bytes a second of each worker, in each direction.
    """

    latency: float
    bandwidth: float

    def all_reduce(self, workers: int, num_bytes: float) -> float:
        """Return the seconds of an average over so many bytes of each worker; of one, none."""
        return 2 * (workers - 1) * (self.latency + num_bytes / workers / self.bandwidth)


def fitted(seconds: Mapping[int, float]) -> Network:
    """Return the network that fits measured averages of two workers best, relative to each.

    Parameters
    ----------
    seconds
        For each number of bytes, how long an average took.

    Notes
    -----
    Of two workers it takes ``2 latency + num_bytes / bandwidth``.
    """
    sizes, times = (np.array(each, float) for each in (list(seconds), list(seconds.values())))
    terms = np.stack([2 / times, sizes / times], 1)
    latency, per_byte = np.linalg.lstsq(terms, np.ones(len(times)), rcond=None)[0]
    return Network(max(float(latency), 0.0), 1 / max(float(per_byte), 1e-15))


def step_seconds(
    computing: Sequence[float], workers: int, num_bytes: int, network: Network, seed: int = 0
) -> float:
    """Return the mean seconds of a simulated step.

    Parameters
    ----------
    computing
        Measured seconds of steps of one worker on its rows; each worker draws from them.
    workers, num_bytes, network
        How many workers average how many bytes over what.
    seed
        Of the draws.
    """
    if workers == 1:
        return float(np.mean(np.asarray(computing)))
    drawn = np.random.default_rng(seed).choice(np.asarray(computing), (STEPS, workers))
    return float(drawn.max(1).mean()) + network.all_reduce(workers, num_bytes)


def efficiency(
    alone: Sequence[float],
    computing: Sequence[float],
    workers: int,
    num_bytes: int,
    network: Network,
    rows: float = 1.0,
) -> float:
    """Return the share of the work of `workers` machines that is not lost.

    Parameters
    ----------
    alone
        Seconds of steps of one worker that has all rows.
    computing, workers, num_bytes, network
        As for `step_seconds`.
    rows
        How many times as many rows all workers have together as the one.
    """
    together = step_seconds(computing, workers, num_bytes, network)
    return rows * float(np.mean(np.asarray(alone))) / (workers * together)


def gru_parameters(hidden: int, vocabulary: int) -> int:
    """Return how many parameters a GRU of one layer has, with its output layer."""
    return 3 * hidden * (vocabulary + hidden + 2) + vocabulary * (hidden + 1)
