"""The training loop: a flat generator of events.

Everything that a training needs in order to go on stands in one `TrainState`; the loop keeps
nothing of its own between two events. Whoever drives it may wait between events, read the
model, or stop it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.batching import Batches, EpochPlan
from rnn_magics.errors import TrainingError
from rnn_magics.models.rnn_model import ModelConfig, ModelState, RNNModel, detach
from rnn_magics.training.clipping import clip_gradients, gradient_norm
from rnn_magics.training.config import OPTIMIZERS, SCHEDULES, TrainConfig
from rnn_magics.training.device import choose_device
from rnn_magics.training.evaluation import iter_evaluate
from rnn_magics.training.events import (
    EpochEnd,
    Evaluating,
    Event,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from rnn_magics.training.run import Run, describe_run
from rnn_magics.training.threads import ThreadChoice, choose_threads

StopReason = Callable[[], str | None]


@dataclass
class EpochTally:
    """What an epoch has added up so far.

    Parameters
    ----------
    nats
        The sum of the minibatches' mean losses, a 0-d tensor.
    norms
        The gradient norm of each step.
    seconds, tokens
        Spent and learnt from.
    """

    nats: Tensor
    norms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    tokens: int = 0


@dataclass
class TrainState:
    """All that a training needs to go on from between two steps.

    Parameters
    ----------
    model, optimizer
        With their parameters and moments.
    batches
        On the model's device.
    generator
        Draws offsets and shuffles; lives on the CPU, so that devices see the same minibatches.
    dropout_generator
        Draws dropout masks; lives on the device.
    epoch, step
        The position: epochs finished, and steps taken in the present one.
    total_steps, total_tokens
        Taken and learnt from since the beginning.
    train_seconds, evaluation_seconds
        Spent since the beginning; pauses do not count.
    plan
        The windows of the present epoch.
    hidden
        The carried hidden state, detached.
    tally
        Of the present epoch.
    """

    model: RNNModel
    optimizer: torch.optim.Optimizer
    batches: Batches
    generator: torch.Generator
    dropout_generator: torch.Generator
    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    total_tokens: int = 0
    train_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    plan: EpochPlan | None = None
    hidden: ModelState | None = None
    tally: EpochTally | None = None


def begin(
    batches: Batches,
    model: ModelConfig | RNNModel | None = None,
    config: TrainConfig | None = None,
    name: str = "",
) -> tuple[Run, TrainState]:
    """Make what `iter_train` needs.

    Parameters
    ----------
    batches
        The minibatches, with the held-out text beside them.
    model
        An architecture, whose weights are then drawn with ``config.seed``, or a model to
        train further.
    config
        How to train.
    name
        Of the run.

    Raises
    ------
    DeviceError
        When the device asked for is not there.
    TrainingError
        When a given model does not fit the vocabulary.
    """
    config = config or TrainConfig()
    device = choose_device(config.device)
    on_cpu = device.device.type == "cpu"  # elsewhere the threads of the CPU do not train
    threads = choose_threads(config.threads) if on_cpu else ThreadChoice.present()
    generator = torch.Generator().manual_seed(config.seed)
    if not isinstance(model, RNNModel):
        model = RNNModel(model or ModelConfig(), batches.vocab_size, generator)
    elif model.vocab_size != batches.vocab_size:
        msg = f"the model knows {model.vocab_size} tokens, the vocabulary {batches.vocab_size}"
        raise TrainingError(msg)
    model = model.to(device.device)
    dropout_generator = torch.Generator(device.device).manual_seed(config.seed)
    model.seed_dropout(dropout_generator)
    optimizer = OPTIMIZERS[config.optimizer].make(
        model.parameters(), lr=config.peak_lr, weight_decay=config.weight_decay
    )
    moved = batches.to(device.device)
    state = TrainState(model, optimizer, moved, generator, dropout_generator)
    name = name or model.config.cell
    return describe_run(name, model, batches, config, device, threads), state


def iter_train(
    run: Run, state: TrainState, should_stop: StopReason | None = None
) -> Iterator[Event]:
    """Train, and tell what happens.

    Parameters
    ----------
    run
        Its history, reason and message are filled in as the training goes.
    state
        Where the training stands; advanced in place.
    should_stop
        Asked between steps; a reason ends the training there.

    Yields
    ------
    Event
        One `TrainBegin`; for each minibatch a `StepEnd`; after each epoch some `Evaluating`
        and an `EpochEnd`; one `TrainEnd`.
    """
    config, batches = run.config.train, state.batches
    asked = should_stop or (lambda: None)
    state.plan = state.plan or batches.plan(state.generator)
    yield TrainBegin(config.epochs, len(state.plan), batches.config.tokens_per_batch)
    reason: str | None = None
    while reason is None and state.epoch < config.epochs:
        state.plan = state.plan or batches.plan(state.generator)
        state.tally = state.tally or EpochTally(torch.zeros((), device=batches.ids.device))
        while reason is None and state.step < len(state.plan):
            event = train_step(state, config)
            if event is None:
                reason, run.message = "non_finite", _non_finite_message(state, config)
            else:
                yield event
                reason = asked() or _limit_reached(state, config)
        complete = state.step == len(state.plan)
        if complete and state.epoch + 1 == config.epochs and reason in _LIMITS:
            reason = None  # the last step of all: the run ended as planned
        valid_nats = None
        if (reason is None or reason in _LIMITS) and len(batches.valid):
            valid_nats, stop = yield from _evaluate(state, asked)
            reason = stop or reason
        if state.tally.norms:
            end = _epoch_end(state, config, complete=complete, valid_nats=valid_nats)
            run.history.append(end)
            yield end
        if complete:
            state.epoch, state.step = state.epoch + 1, 0
            state.plan = state.tally = state.hidden = None
    run.reason = reason or "epochs"
    run.message = run.message or _worse_than_guessing(run)
    yield TrainEnd(run.reason, run.message)


_LIMITS = ("max_time", "max_tokens")


def train_step(state: TrainState, config: TrainConfig) -> StepEnd | None:
    """Learn from one minibatch.

    Returns
    -------
    StepEnd or None
        None when the loss or the gradient was not finite; the parameters are then those of
        the step before, and the state stands where it stood.
    """
    assert state.plan is not None  # noqa: S101  (the loop makes both before the first step)
    assert state.tally is not None  # noqa: S101
    begun = time.perf_counter()
    model, tally = state.model, state.tally
    model.train()
    X, Y = state.batches.batch(state.plan, state.step)  # (batch_size, num_steps) each
    if state.hidden is None or not state.batches.carries_state:
        state.hidden = model.begin_state(len(X), X.device)
    logits, hidden = model(X, state.hidden)  # (batch_size, num_steps, vocab_size)
    loss = F.cross_entropy(logits.flatten(0, 1), Y.flatten())
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = gradient_norm(model.parameters())
    norm_value = norm.item()  # also waits for an accelerator, so that the time is a time
    if not math.isfinite(norm_value) or not math.isfinite(loss.item()):
        return None
    if config.clip is not None:
        clip_gradients(model.parameters(), norm, config.clip)
    lr = config.peak_lr * SCHEDULES[config.schedule](_progress(state, config), config.warmup)
    for group in state.optimizer.param_groups:
        group["lr"] = lr
    state.optimizer.step()
    state.hidden = detach(hidden)
    state.step += 1
    state.total_steps += 1
    state.total_tokens += X.numel()
    tally.nats += loss.detach()
    tally.norms.append(norm_value)
    tally.tokens += X.numel()
    spent = time.perf_counter() - begun
    tally.seconds += spent
    state.train_seconds += spent
    return StepEnd(
        state.epoch + 1,
        state.step,
        len(state.plan),
        loss.detach(),
        tally.nats / len(tally.norms),
        norm,
        lr,
        state.train_seconds,
        state.total_tokens,
    )


def _progress(state: TrainState, config: TrainConfig) -> float:
    # In [0, 1): how much of the training is over, by whichever limit is nearest.
    assert state.plan is not None  # noqa: S101  (asked within a step)
    done = [(state.epoch + (state.step + 0.5) / len(state.plan)) / config.epochs]
    if config.max_tokens is not None:
        done.append(state.total_tokens / config.max_tokens)
    if config.max_time is not None:
        done.append((state.train_seconds + state.evaluation_seconds) / config.max_time)
    return min(max(done), 1.0)


def _limit_reached(state: TrainState, config: TrainConfig) -> str | None:
    if config.max_tokens is not None and state.total_tokens >= config.max_tokens:
        return "max_tokens"
    spent = state.train_seconds + state.evaluation_seconds
    return "max_time" if config.max_time is not None and spent >= config.max_time else None


def _evaluate(
    state: TrainState, asked: StopReason
) -> Generator[Event, None, tuple[float | None, str | None]]:
    # Returns the held-out nats per token, or the reason for which it was stopped.
    bidirectional = state.model.config.bidirectional
    num_steps = state.batches.config.num_steps if bidirectional else 128
    slices = iter_evaluate(state.model, state.batches.valid, num_steps)
    while (reason := asked()) is None:
        begun = time.perf_counter()
        result = next(slices)
        state.evaluation_seconds += time.perf_counter() - begun
        if result is not None:
            return result.nats, None
        yield Evaluating(state.epoch + 1)
    return None, reason


def _epoch_end(
    state: TrainState, config: TrainConfig, *, complete: bool, valid_nats: float | None
) -> EpochEnd:
    tally = state.tally
    assert tally is not None  # noqa: S101  (asked within an epoch)
    ordered = sorted(tally.norms)
    middle = len(ordered) // 2
    median = (ordered[middle] + ordered[-1 - middle]) / 2
    clip = math.inf if config.clip is None else config.clip
    return EpochEnd(
        state.epoch + 1,
        complete,
        tally.nats.item() / len(ordered),
        valid_nats,
        tally.seconds,
        tally.tokens / tally.seconds,
        median,
        ordered[-1],
        sum(norm > clip for norm in ordered) / len(ordered),
    )


def _worse_than_guessing(run: Run) -> str:
    reached, guess = run.train_perplexity, run.model.vocab_size
    if reached is None or reached <= 2 * guess or len(run.history) < 2:  # noqa: PLR2004
        return ""
    return (
        f"perplexity {reached:.4g} is worse than guessing ({guess}): the training has exploded;"
        f" try --clip 1 or --lr {run.config.train.peak_lr / 10:g}"
    )


def _non_finite_message(state: TrainState, config: TrainConfig) -> str:
    norms = state.tally.norms if state.tally else []
    last = f"the last finite gradient norm was {norms[-1]:.3g}" if norms else "at the first step"
    clip = "--clip 1" if config.clip is None else "a smaller --clip"
    return (
        f"loss or gradient became non-finite in epoch {state.epoch + 1}, step {state.step + 1}"
        f" ({last}); the model keeps the parameters of the step before;"
        f" try {clip} or --lr {config.peak_lr / 10:g}"
    )


def train(
    batches: Batches,
    model: ModelConfig | RNNModel | None = None,
    config: TrainConfig | None = None,
    *,
    name: str = "",
    listeners: Iterable[Callable[[Event], None]] = (),
) -> Run:
    """Train a model on minibatches.

    Parameters
    ----------
    batches
        What `make_batches` returned.
    model
        An architecture, or a model to train further; by default ``ModelConfig()``.
    config
        How to train; by default ``TrainConfig()``.
    name
        Of the run; by default that of the cell.
    listeners
        Called with every event.

    Returns
    -------
    Run
        With ``model``, ``history``, ``train_perplexity``, ``valid_perplexity`` ...

    Raises
    ------
    DeviceError
        When the device asked for is not there.
    TrainingError
        When a given model does not fit the vocabulary.
    """
    run, state = begin(batches, model, config, name)
    told = list(listeners)
    for event in iter_train(run, state):
        for listener in told:
            listener(event)
    run.model.eval()
    return run
