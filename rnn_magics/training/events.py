"""The events of training.

The loop yields them; a listener decides what to show. Values that are computed on the device stay
tensors, so that only a listener that reads them waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rnn_magics.training.endings import Ending


@dataclass(frozen=True)
class Measuring:
    """The fastest number of CPU threads is measured for this model, before the first step."""


@dataclass(frozen=True)
class Compiling:
    """Code is being compiled for this CPU, before the first step.

    This happens once on a machine; later sessions load the compiled code from a cache.

    Parameters
    ----------
    what
        What is compiled, e.g. ``the gru cell``.
    seconds
        The approximate time that it takes.
    """

    what: str
    seconds: int


@dataclass(frozen=True)
class TrainBegin:
    """Training starts."""

    num_epochs: int
    steps_per_epoch: int
    tokens_per_step: int


@dataclass(frozen=True)
class StepEnd:
    """The model was trained on one minibatch.

    Parameters
    ----------
    epoch, step
        Both counted from 1; `step` within the epoch.
    num_steps
        The number of minibatches in this epoch.
    loss
        Mean nats per token of the minibatch, a 0-d tensor.
    epoch_loss
        Mean nats per token of the epoch so far, a 0-d tensor.
    grad_norm
        The gradient norm before clipping, a 0-d tensor.
    lr
        The learning rate of the step.
    seconds
        Time spent in training steps so far, evaluation excluded.
    tokens
        The number of tokens trained on so far.
    losses, norms
        Loss and gradient norm of each step of the epoch, (num_steps,); only the first `step`
        entries are valid.
    done
        The share of training that is done, in [0, 1], by the nearest limit.
    seconds_left
        The estimated time left, in seconds, including evaluation.

    Notes
    -----
    On an accelerator, the step may still be running, and `seconds` is then the time on the host; it
    is corrected ten times a second. Steps after one that was not finite are reported as well until
    the host checks; they change nothing.
    """

    epoch: int
    step: int
    num_steps: int
    loss: Tensor
    epoch_loss: Tensor
    grad_norm: Tensor
    lr: float
    seconds: float
    tokens: int
    losses: Tensor
    norms: Tensor
    done: float
    seconds_left: float


@dataclass(frozen=True)
class Evaluating:
    """A slice of the held-out text was scored."""

    epoch: int


@dataclass(frozen=True)
class Evaluated:
    """The held-out text was scored, after an epoch or between two.

    Parameters
    ----------
    epoch
        In or after this epoch, counted from 1.
    steps, tokens
        The number of steps taken and of tokens trained on since the beginning.
    nats
        Mean nats per held-out token.
    is_best
        Whether no earlier score was as low.
    """

    epoch: int
    steps: int
    tokens: int
    nats: float
    is_best: bool


@dataclass(frozen=True)
class EpochEnd:
    """An epoch has finished, or was cut short.

    Parameters
    ----------
    epoch
        Counted from 1.
    complete
        Whether the epoch reached its last minibatch, and was not stopped before it was scored.
    train_nats
        Mean nats per token over the epoch, while the weights changed.
    valid_nats
        Mean nats per token of the held-out text; None if nothing is held out, or the run was
        stopped.
    seconds
        Training time in this epoch in seconds, without evaluation.
    tokens_per_second
        Training speed in this epoch.
    grad_norm, grad_norm_max
        Median and maximum of the gradient norms before clipping.
    clipped
        The share of steps whose gradient was clipped.
    threads
        The mean number of CPU threads of a step; None if it was not counted.
    """

    epoch: int
    complete: bool
    train_nats: float
    valid_nats: float | None
    seconds: float
    tokens_per_second: float
    grad_norm: float
    grad_norm_max: float
    clipped: float
    threads: float | None = None


@dataclass(frozen=True)
class TrainEnd:
    """Training is over.

    Parameters
    ----------
    reason
        How it ended.
    message
        What a reader should know about it; empty when all went as planned.
    """

    reason: Ending
    message: str = ""


Event = Measuring | Compiling | TrainBegin | StepEnd | Evaluating | Evaluated | EpochEnd | TrainEnd
