"""When the held-out text is scored, and what a training keeps of a score."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace

from torch import Tensor

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError, is_out_of_memory
from rnn_magics.language import say
from rnn_magics.scores.evaluation import iter_evaluate
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Evaluated, Evaluating, Event
from rnn_magics.training.run import Run
from rnn_magics.training.scoring.best import Best, kept_copy
from rnn_magics.training.scoring.record import ScoreBetween
from rnn_magics.training.state import EpochState, TrainState
from rnn_magics.training.steps.messages import out_of_memory

Asked = Callable[[], Ending | None]


def require_held_out(batches: Batches, config: TrainConfig) -> None:
    """Refuse settings that need a held-out text where nothing is held out.

    Raises
    ------
    ConfigError
        With the first of these settings.
    """
    if len(batches.valid):
        return
    needs = {
        "--score-every": config.score_every is not None,
        "--patience": config.patience is not None,
        f"--keep {config.weights}": config.weights == "best",
    }
    for flag, is_set in needs.items():
        if is_set:
            raise ConfigError(
                say(
                    "{flag} needs held-out text, and nothing is held out: add it to %corpus"
                    " (--valid 0.1), or leave {flag} out",
                    flag=flag,
                )
            )


def is_due(run: Run, state: TrainState, epoch: EpochState) -> bool:
    """Whether the held-out text is to be scored now, between two steps of an epoch.

    It follows from the position alone, so a resumed training scores where it would have.
    """
    every, done = run.config.train.score_every, state.total_tokens
    if every is None or not 0 < state.step < len(epoch.plan) or is_scored(run, state):
        return False
    return done // every > (done - state.batches.config.tokens_per_batch) // every


def is_scored(run: Run, state: TrainState) -> bool:
    """Whether the present weights were scored since the last step, within an epoch."""
    return bool(run.between) and run.between[-1].steps == state.total_steps


def score_between(
    run: Run, state: TrainState, asked: Asked
) -> Generator[Event, None, Ending | None]:
    """Score the held-out text between two steps of an epoch; return why training ends, or None."""
    nats, reason = yield from evaluate(run, state, asked, None)
    if nats is None:
        return reason
    run.between.append(
        ScoreBetween(
            state.epoch + 1, state.total_steps, state.total_tokens, state.train_seconds, nats
        )
    )
    yield count_score(state, run.config.train, nats)
    return reason or out_of_patience(state, run.config.train)


def score_epoch(
    run: Run, state: TrainState, asked: Asked, reason: Ending | None
) -> Generator[Event, None, tuple[float | None, Ending | None]]:
    """Score the held-out text at the end of an epoch; return as `evaluate` does."""
    if is_scored(run, state):  # just now, and then training ended
        return run.between[-1].nats, reason
    is_whole = state.current is None or state.step == len(state.current.plan)
    nats, ending = yield from evaluate(run, state, asked, reason)
    if nats is None:
        return None, ending
    if is_whole or reason is None or reason.as_planned:
        yield count_score(state, run.config.train, nats)
        return nats, ending or out_of_patience(state, run.config.train)
    # A training without interruption would not have scored here.
    is_best = state.best is None or nats < state.best.nats
    yield told(state, nats, is_best=is_best)
    return nats, ending


def score_test(
    run: Run, state: TrainState, asked: Asked, reason: Ending
) -> Generator[Event, None, Ending]:
    """Score the test part with the weights that the run has at its end; return why it ended."""
    if run.test is None or not state.total_steps:
        return reason
    ids = state.batches.test
    nats, ending = yield from evaluate(run, state, asked, reason, ids)
    run.test = replace(run.test, nats=nats)
    return ending or reason


def evaluate(
    run: Run,
    state: TrainState,
    asked: Asked,
    reason: Ending | None,
    ids: Tensor | None = None,
) -> Generator[Event, None, tuple[float | None, Ending | None]]:
    """Score the held-out text, or another text of token indices, (num_tokens,).

    Returns
    -------
    nats : float or None
        Mean nats per held-out token; None if the scoring was cut short.
    reason : Ending or None
        Why training ends.
    """
    bidirectional = state.model.config.bidirectional
    num_steps = state.batches.config.num_steps if bidirectional else 128
    text = state.batches.valid if ids is None else ids
    slices = iter_evaluate(state.model, text, num_steps)
    while True:
        stop = asked()
        if stop is not None and reason is not None:
            return None, reason
        reason = reason or stop
        begun = time.perf_counter()
        try:
            result = next(slices)
        except (MemoryError, RuntimeError) as error:
            no_memory = named_out_of_memory(error)
            if reason is not None and reason.news == "bad":
                return None, reason
            run.message = out_of_memory(state, run.config.train)
            return None, no_memory
        state.evaluation_seconds += time.perf_counter() - begun
        if result is not None:
            return result.nats, reason
        yield Evaluating(state.epoch + 1)


def named_out_of_memory(error: MemoryError | RuntimeError) -> Ending:
    """Return the ending of a step that did not fit into memory; another error is raised again."""
    # No update has happened yet, so nothing is lost; the memory of the step is freed.
    if not is_out_of_memory(error):
        raise error
    return Ending.OUT_OF_MEMORY


def count_score(state: TrainState, config: TrainConfig, nats: float) -> Evaluated:
    """Count a score that an uninterrupted training makes, and keep the weights if it is best."""
    best = state.best
    if is_best := best is None or nats < best.nats:
        kept = kept_copy(state.model) if config.weights == "best" else {}
        state.best = Best(nats, state.total_steps, state.epoch + 1, weights=kept)
    elif best is not None:
        best.waited += 1
    return told(state, nats, is_best=is_best)


def told(state: TrainState, nats: float, *, is_best: bool) -> Evaluated:
    """Return the event of a score."""
    return Evaluated(state.epoch + 1, state.total_steps, state.total_tokens, nats, is_best)


def out_of_patience(state: TrainState, config: TrainConfig) -> Ending | None:
    """Return the ending of a training that no longer gets better, or None."""
    if config.patience is None or state.best is None or state.best.waited < config.patience:
        return None
    return Ending.PATIENCE


def leave_best(run: Run, state: TrainState, last_nats: float | None) -> None:
    """Give a run that has ended its best weights, if it is to keep these.

    Parameters
    ----------
    run, state
        The training.
    last_nats
        The score of the weights of the last step; None if they have none.
    """
    best = state.best
    if best is None or not best.weights or best.steps == state.total_steps:
        return
    if last_nats is not None and last_nats < best.nats:  # it was stopped at its best
        return
    best.exchange(state.model)
    run.weights_from = best.steps
