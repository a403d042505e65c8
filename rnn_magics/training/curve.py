"""Curve: loss and gradient norm of every step, merged so that it stays small.

A run may take millions of steps, but a picture has about a thousand columns. Once a series has
`MOST_POINTS` points, neighbours are merged in pairs, so that each point stands for twice as many
steps. A point has the mean, the lowest and the highest value of its steps, so a spike of a single
step never disappears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from rnn_magics.language import say

MOST_POINTS = 1024  # even, since points are merged in pairs

Floats = npt.NDArray[np.float64]


class Series:
    """A long series of numbers, stored as a bounded number of points.

    Attributes
    ----------
    stride : int
        The number of values that a point stands for, a power of two.
    """

    def __init__(self) -> None:
        self.stride = 1
        self._points = np.empty((0, 3))  # mean, lowest, highest
        self._rest = np.empty(0)  # fewer than `stride` values, not yet a point

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._points) * self.stride + len(self._rest)

    def extend(self, values: Sequence[float] | Floats) -> None:
        """Append values."""
        waiting = np.concatenate((self._rest, np.asarray(values, float)))
        while True:
            number = min(len(waiting) // self.stride, MOST_POINTS - len(self._points))
            taken = waiting[: number * self.stride].reshape(number, self.stride)
            made = np.stack((taken.mean(1), taken.min(1), taken.max(1)), axis=1)
            self._points = np.concatenate((self._points, made))
            waiting = waiting[number * self.stride :]
            if len(self._points) < MOST_POINTS:
                break
            pairs = self._points.reshape(-1, 2, 3)
            mean, low, high = pairs[..., 0].mean(1), pairs[..., 1].min(1), pairs[..., 2].max(1)
            self._points = np.stack((mean, low, high), axis=1)
            self.stride *= 2
        self._rest = waiting

    def points(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the points. The last one may stand for fewer than `stride` values.

        Returns
        -------
        ends, means, lows, highs : arrays (num_points,)
            The number of values up to the end of each point; the mean, the lowest and the highest
            of its values.
        """
        ends = np.arange(1, len(self._points) + 1, dtype=float) * self.stride
        points = self._points
        if len(self._rest):
            last = self._rest.mean(), self._rest.min(), self._rest.max()
            ends, points = np.append(ends, len(self)), np.vstack((points, last))
        means, lows, highs = points.T
        return ends, means, lows, highs

    def copy(self) -> Series:
        """Return an independent copy."""
        made = Series()
        # The arrays are never changed in place, so they can be shared.
        made.stride, made._points, made._rest = self.stride, self._points, self._rest
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return everything that `from_dict` needs, ready for JSON if all values are finite."""
        points, rest = self._points.tolist(), self._rest.tolist()
        return {"stride": self.stride, "points": points, "rest": rest}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Series:
        """Return the series that `to_dict` described.

        Raises
        ------
        ValueError
            If the values do not describe a series.
        """
        made = cls()
        made.stride = int(values["stride"])
        made._points = np.asarray(values["points"], float).reshape(-1, 3)
        made._rest = np.asarray(values["rest"], float).reshape(-1)
        is_power = made.stride >= 1 and made.stride & (made.stride - 1) == 0
        if not is_power or len(made._points) >= MOST_POINTS or len(made._rest) >= made.stride:
            raise ValueError(
                say("not a series: its stride is not a power of two, or it has too many values")
            )
        return made


@dataclass
class Curve:
    """Loss and gradient norm against steps.

    Attributes
    ----------
    loss
        The mean nats per token of each minibatch.
    grad_norm
        The gradient norm of each step before clipping.
    epochs
        The end of each epoch: steps and training seconds since the beginning of the run.
    """

    loss: Series = field(default_factory=Series)
    grad_norm: Series = field(default_factory=Series)
    epochs: list[tuple[int, float]] = field(default_factory=list)

    def extend(self, losses: Tensor, norms: Tensor) -> None:
        """Append the losses and norms of further steps, (num_steps_taken,) each."""
        self.loss.extend(losses.detach().cpu().numpy())
        self.grad_norm.extend(norms.detach().cpu().numpy())

    def end_epoch(self, seconds: float) -> None:
        """Record that an epoch has ended, this many training seconds after the beginning."""
        self.epochs.append((len(self.loss), seconds))

    def seconds(self, steps: Floats) -> Floats:
        """Return when steps were taken, in training seconds, interpolated within an epoch."""
        known = [(0, 0.0), *self.epochs]
        at, spent = (np.array(values, float) for values in zip(*known, strict=True))
        found: Floats = np.interp(steps, at, spent)
        return found

    def copy(self) -> Curve:
        """Return an independent copy."""
        return Curve(self.loss.copy(), self.grad_norm.copy(), list(self.epochs))

    def to_dict(self) -> dict[str, Any]:
        """Return everything that `from_dict` needs, ready for JSON."""
        series = {"loss": self.loss.to_dict(), "grad_norm": self.grad_norm.to_dict()}
        return {**series, "epochs": [list(end) for end in self.epochs]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Curve:
        """Return the curve that `to_dict` described.

        Raises
        ------
        ValueError
            If the values do not describe a curve.
        """
        ends = [(int(step), float(seconds)) for step, seconds in values["epochs"]]
        loss, norm = (Series.from_dict(values[name]) for name in ("loss", "grad_norm"))
        return cls(loss, norm, ends)
