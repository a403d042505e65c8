"""What happens during a training, told as events.

The loop yields them; whoever listens decides what to show. Values that would have to be
fetched from the device are tensors, so that nobody waits who does not look.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rnn_magics.training.endings import Ending


@dataclass(frozen=True)
class Compiling:
    """Something is compiled for this CPU before the first step.

    That happens once on a machine; later sessions load what was kept.

    Parameters
    ----------
    what
        E.g. ``the gru cell``.
    seconds
        About how long it takes.
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
    """One minibatch was learnt from.

    Parameters
    ----------
    epoch, step
        Both counted from 1; `step` within the epoch.
    num_steps
        Minibatches in this epoch.
    loss
        Mean nats per token of the minibatch, a 0-d tensor.
    epoch_loss
        Mean nats per token of the epoch so far, a 0-d tensor.
    grad_norm
        Before clipping, a 0-d tensor.
    lr
        The learning rate of the step.
    seconds
        Time spent in training steps so far, evaluation excluded.
    tokens
        Tokens learnt from so far.
    losses, norms
        Loss and gradient norm of each step of the epoch, (num_steps,); the first `step` of them
        are there.
    done
        How much of the training is over, in [0, 1], by whichever limit is nearest.
    seconds_left
        About how long it still takes, evaluation included.

    Notes
    -----
    On an accelerator the step may still be under way, and `seconds` is then what the host has
    spent; the difference is settled ten times a second. Steps handed over after one that was
    not finite are told as well, until the host has looked; they changed nothing.
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
class EpochEnd:
    """An epoch is over, or was cut short.

    Parameters
    ----------
    epoch
        Counted from 1.
    complete
        Whether the epoch went through to its last minibatch.
    train_nats
        Mean nats per token over the epoch, while the weights changed.
    valid_nats
        Mean nats per token of the held-out text; None where nothing is held out, or the run
        was stopped.
    seconds
        Of training in this epoch, evaluation excluded.
    tokens_per_second
        Of training in this epoch.
    grad_norm, grad_norm_max
        Median and maximum of the gradient norms before clipping.
    clipped
        The share of steps whose gradient was clipped.
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


Event = Compiling | TrainBegin | StepEnd | Evaluating | EpochEnd | TrainEnd
