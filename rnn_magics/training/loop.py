"""The training loop: a flat generator of events.

Everything that is needed to continue training is in one `TrainState`; the loop itself has no state
between two events. Its driver may wait between events, read the model, or stop it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import torch

from rnn_magics.batching import Batches
from rnn_magics.errors import BatchError
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import say
from rnn_magics.models.forked import training_here
from rnn_magics.names import check_name
from rnn_magics.training.config import OPTIMIZERS, TrainConfig
from rnn_magics.training.describe import describe_run
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import (
    Compiling,
    EpochEnd,
    Event,
    TrainBegin,
    TrainEnd,
)
from rnn_magics.training.further.origin import Given, Origin
from rnn_magics.training.machine.device import choose_device
from rnn_magics.training.machine.memory import (
    estimate_memory,
    memory_explained,
    require_memory,
)
from rnn_magics.training.machine.precision import check_precision
from rnn_magics.training.machine.threads import ThreadChoice, Threads, choose_threads
from rnn_magics.training.run import Run
from rnn_magics.training.scoring.held_out import (
    Asked,
    is_due,
    leave_best,
    named_out_of_memory,
    require_held_out,
    score_between,
    score_epoch,
    score_test,
)
from rnn_magics.training.state import EpochState, TrainState
from rnn_magics.training.steps.clipping import count_clipped
from rnn_magics.training.steps.cuda import choose_step
from rnn_magics.training.steps.frozen import learning_in, still
from rnn_magics.training.steps.messages import non_finite, out_of_memory, worse_than_guessing
from rnn_magics.training.steps.progress import limits_used
from rnn_magics.training.steps.step import Step
from rnn_magics.training.steps.thread_number import count_threads, find_threads

StopReason = Callable[[], str | None]
MakeStep = Callable[[TrainState, TrainConfig], Step]
Listener = Callable[[Event], None]
Watch = Callable[[Run, TrainState], Listener]
"""``watch(run, state)`` returns a listener for every event, called between two steps."""
Trains = Callable[[Run, TrainState, StopReason | None], Iterator[Event]]
"""``trains(run, state, should_stop)`` trains and yields events, as `iter_train` does."""
Drive = Callable[[Run, TrainState, Sequence[Listener]], None]
"""``drive(run, state, listeners)`` trains to the end, now or later."""


@whole_imports()  # the first optimizer imports more of torch
def begin(
    batches: Batches,
    model: Given = None,
    config: TrainConfig | None = None,
    name: str = "",
) -> tuple[Run, TrainState]:
    """Return the run and the state that `iter_train` needs.

    Parameters
    ----------
    batches
        The minibatches and the held-out text.
    model
        An architecture, whose initial weights are drawn with ``config.seed``; or a model to train
        further; or a run, of which a copy of the model is trained further.
    config
        How to train.
    name
        The name of the run.

    Raises
    ------
    ConfigError
        If `config` is from a loaded run and names an optimizer that has since been removed, or
        needs held-out text and nothing is held out, or freezes a layer that the model lacks.
    DeviceError
        If the device is not available, or does not support ``config.precision``.
    TrainingError
        If a given model was trained with other tokens, or the run does not fit into memory.
    BatchError
        If a single token is held out, so that there is nothing to predict.
    """
    check_name(name, say("the run"))
    origin = Origin.of(model)
    config = config or TrainConfig()
    config.check()  # a loaded run may name an optimizer that has been removed
    if len(batches.valid) == 1:
        raise BatchError(
            say("a single held-out token predicts nothing: hold out more, or nothing (--valid 0)")
        )
    require_held_out(batches, config)
    device = choose_device(config.device)
    check_precision(config.precision, device.device)
    on_cpu = device.device.type == "cpu"  # elsewhere CPU threads do not matter
    threads = choose_threads(config.threads) if on_cpu else ThreadChoice.present()
    generator = torch.Generator().manual_seed(config.seed)
    origin.require_tokens(batches)
    needed = estimate_memory(origin.config, batches.vocab_size, batches.config, config)
    require_memory(needed, device.device)
    with memory_explained():
        built = origin.build(batches.vocab_size, generator).to(device.device)
        moved = batches.to(device.device)
    dropout_generator = torch.Generator(device.device).manual_seed(config.seed)
    built.seed_dropout(dropout_generator)
    learning = learning_in(built, config.freeze)
    optimizer = OPTIMIZERS[config.optimizer].make(
        learning, lr=config.peak_lr, weight_decay=config.weight_decay
    )
    built.vocab = batches.vocab or built.vocab
    state = TrainState(built, optimizer, moved, generator, dropout_generator)
    name = name or built.config.cell
    run = describe_run(name, built, batches, config, device, threads)
    run.earlier = list(origin.earlier)
    return run, state


def iter_train(
    run: Run,
    state: TrainState,
    should_stop: StopReason | None = None,
    make_step: MakeStep | None = None,
) -> Iterator[Event]:
    """Train, and yield events.

    Parameters
    ----------
    run
        The run; its history, reason and message are filled in.
    state
        The state of the training, updated in place.
    should_stop
        Called between steps. If it returns an `Ending`, or its name, training ends there, and the
        held-out text is scored with the weights as they are. Asked again meanwhile, any answer ends
        the scoring, too.
    make_step
        Makes what takes the steps, from the state and the configuration; by default `choose_step`.

    Yields
    ------
    Event
        A `Compiling` if code is not compiled yet, a `Measuring` if the number of threads has to be
        measured; one `TrainBegin`; for each minibatch a `StepEnd`; after each epoch, and between
        where the configuration says so, some `Evaluating` and an `Evaluated`; after each epoch an
        `EpochEnd`; one `TrainEnd`.

    Notes
    -----
    Torch's number of threads is that of the thread which trains, and is afterwards as it was. So is
    which weights need a gradient: while it trains, those of frozen layers do not.
    """
    before = torch.get_num_threads()
    try:
        with still(state.model, run.config.train.freeze):
            yield from _train(run, state, _named(should_stop), make_step)
    finally:
        torch.set_num_threads(before)


def _train(
    run: Run, state: TrainState, asked: Asked, make_step: MakeStep | None
) -> Iterator[Event]:
    batches, clip = state.batches, run.config.train.clip
    if not state.model.is_ready:
        yield Compiling(say("the {cell} cell", cell=state.model.config.cell), 15)
        state.model.make_ready()
    step = (make_step or choose_step)(state, run.config.train)
    epoch, run.step = step.begin_epoch(), step.words
    threads = yield from find_threads(run, state, epoch)
    yield TrainBegin(run.config.train.epochs, len(epoch.plan), batches.config.tokens_per_batch)
    reason: Ending | None = None
    recent_nats = 0.0  # of the last quarter of the last epoch
    valid_nats: float | None = None
    in_haste = False  # stopped twice
    while reason is None and state.epoch < run.config.train.epochs:
        if state.current is None:  # the previous epoch is finished
            epoch, run.step = step.begin_epoch(), step.words
        reason = yield from _take_steps(run, state, epoch, step, threads, asked)
        run.steps, run.tokens = state.total_steps, state.total_tokens
        config = run.config.train  # it may have been steered
        if reason == Ending.NON_FINITE:
            run.message = non_finite(state, epoch, config)
        complete = state.step == len(epoch.plan)
        if reason == Ending.OUT_OF_MEMORY:  # also frees the memory in which the text is scored
            run.message = out_of_memory(state, config)
        if complete and state.epoch + 1 == config.epochs and (reason is None or reason.as_planned):
            reason = Ending.EPOCHS  # a limit reached with the last step of all cuts nothing short
        valid_nats = None
        if state.step and len(batches.valid):
            valid_nats, reason = yield from score_epoch(run, state, asked, reason)
            # Stopped before it was scored, it is not complete: a resumed training scores it.
            in_haste = valid_nats is None and reason is not None and reason.news == "neutral"
            complete = complete and not in_haste
        if state.step:
            recent_nats = epoch.losses[state.step * 3 // 4 : state.step].mean().item()
            bounds = run.clips_since(state.total_steps - state.step, clip)
            end = _epoch_end(state, epoch, bounds, complete=complete, valid_nats=valid_nats)
            end = replace(end, threads=count_threads(run, threads))
            run.history.append(end)
            run.curve.extend(epoch.losses[: state.step], epoch.norms[: state.step])
            run.curve.end_epoch(state.train_seconds)
            if complete:  # first, so that a checkpoint of this state begins with the next epoch
                state.finish_epoch()
            yield end
    reason = reason or Ending.EPOCHS
    leave_best(run, state, valid_nats)
    run.reason = reason if in_haste else (yield from score_test(run, state, asked, reason))
    run.message = run.message or worse_than_guessing(run, recent_nats)
    yield TrainEnd(run.reason, run.message)


def _named(should_stop: StopReason | None) -> Asked:
    def asked() -> Ending | None:
        reason = None if should_stop is None else should_stop()
        return None if reason is None else Ending.named(reason)

    return asked


def _take_steps(
    run: Run,
    state: TrainState,
    epoch: EpochState,
    step: Step,
    threads: Threads,
    asked: Asked,
) -> Generator[Event, None, Ending | None]:
    # Returns why the epoch was cut short, or None. The limits are also checked before the first
    # step, since a resumed run may already have reached one.
    reason = _limit_reached(state, run.config.train) if state.step else None
    while reason is None and state.step < len(epoch.plan):
        if is_due(run, state, epoch):
            if not state.settle():
                break
            reason = yield from score_between(run, state, asked)
            continue
        try:
            with threads.step():
                event = step.take(epoch, run.config.train)
        except (MemoryError, RuntimeError) as error:
            return named_out_of_memory(error)
        if event is None:
            return Ending.NON_FINITE
        run.steps, run.tokens = state.total_steps, state.total_tokens
        yield event
        reason = asked() or _limit_reached(state, run.config.train)
    return reason if state.settle() else Ending.NON_FINITE


def _limit_reached(state: TrainState, config: TrainConfig) -> Ending | None:
    return next((limit for limit, used in limits_used(state, config).items() if used >= 1), None)


def _epoch_end(
    state: TrainState,
    epoch: EpochState,
    bounds: list[tuple[int, float | None]],
    *,
    complete: bool,
    valid_nats: float | None,
) -> EpochEnd:
    norms = epoch.norms[: state.step].tolist()
    return EpochEnd(
        state.epoch + 1,
        complete,
        epoch.nats.item() / state.step,
        valid_nats,
        epoch.seconds,
        state.epoch_tokens / epoch.seconds,
        statistics.median(norms),
        max(norms),
        count_clipped(epoch.norms[: state.step], state.total_steps - state.step, bounds)
        / state.step,
    )


def train(
    batches: Batches,
    model: Given = None,
    config: TrainConfig | None = None,
    *,
    name: str = "",
    listeners: Iterable[Listener] = (),
    watch: Watch | None = None,
    drive: Drive | None = None,
) -> Run:
    """Train a model on minibatches.

    Parameters
    ----------
    batches
        The minibatches, from `make_batches`.
    model
        An architecture, a model to train further, or a run to go on from, which stays as it is;
        by default ``ModelConfig()``.
    config
        How to train; by default ``TrainConfig()``.
    name
        The name of the run; by default the name of the cell.
    listeners
        Called with every event.
    watch
        Makes another listener from the run and its state, e.g. a `Checkpointing`.
    drive
        Takes the run, the state and the listeners, and trains, e.g. on another thread. By default,
        training happens here, to the end.

    Returns
    -------
    Run
        The run, with ``model``, ``history``, ``train_perplexity``, ``valid_perplexity`` and more.

    Raises
    ------
    DeviceError
        If the device is not available.
    TrainingError
        If a given model was trained with other tokens.

    Examples
    --------
    >>> corpus = Corpus.from_text("tick tock " * 40, CorpusConfig(valid=0.2))
    >>> vocab = Vocab.from_corpus(corpus)
    >>> batches = make_batches(corpus, vocab, BatchConfig("seq", batch_size=2, num_steps=5))
    >>> run = train(batches, ModelConfig(num_hiddens=16), TrainConfig(epochs=20, lr=0.02))
    >>> run.valid_perplexity < 1.1
    True
    """
    run, state = begin(batches, model, config, name)
    watching = [] if watch is None else [watch(run, state)]
    (drive or train_to_end)(run, state, [*watching, *listeners])
    return run


@training_here()
def train_to_end(
    run: Run, state: TrainState, listeners: Sequence[Listener], trains: Trains | None = None
) -> None:
    """Train to the end, by default with `iter_train`, and pass every event to every listener.

    Every listener receives one `TrainEnd`, even if an error ends the training.
    """
    try:
        for event in (trains or iter_train)(run, state, None):
            for listener in listeners:
                listener(event)
    except BaseException as error:
        run.reason, run.message = Ending.FAILED, _words(error)
        tell_failure(error, listeners)
        raise
    run.model.eval()


def tell_failure(error: BaseException, listeners: Iterable[Listener]) -> None:
    """Tell every listener that an error ended the training; the error may be from one of them."""
    for listener in listeners:
        with suppress(Exception):
            listener(TrainEnd(Ending.FAILED, _words(error)))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
