"""What a run says when its numbers or its memory went wrong, and what to try."""

from __future__ import annotations

import math

import torch

from rnn_magics.digits import rounded
from rnn_magics.language import say, say_number
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.machine.memory import WHAT_TO_TRY
from rnn_magics.training.run import Run
from rnn_magics.training.state import EpochState, TrainState


def worse_than_guessing(run: Run, recent_nats: float) -> str:
    """Say that a run has ended above the perplexity of guessing, and why; else nothing.

    Parameters
    ----------
    run
        A run that has ended.
    recent_nats
        Nats per token over its last steps; at first a sound model, too, may be worse than guessing.
    """
    guess, scored = run.model.vocab_size, run.scored
    if run.weights_from is not None:  # those weights are gone
        recent_nats = 0.0
    held_out = guess if scored is None or not scored.is_present else scored.perplexity
    trained = perplexity(recent_nats)
    if not held_out <= 2 * guess:  # or nan
        told = say("held-out perplexity {perplexity}", perplexity=rounded(held_out))
    elif trained > 2 * guess:
        told = say("perplexity {perplexity}", perplexity=rounded(trained))
    else:
        return ""
    if trained > guess or not math.isfinite(held_out):
        why = say("training has exploded; try {advice}", advice=_calmer(run.config.train))
    elif run.turn is not None:
        return ""  # every report says where it was best, and what the training has done since
    else:
        why = say(
            "the model has learnt the training text by heart, or the two texts differ in kind"
        )
    return say("{told} is worse than guessing ({guess}): {why}", told=told, guess=guess, why=why)


def _calmer(config: TrainConfig) -> str:
    if config.clip is None:
        return say("--clip 1 or --lr {lr:g}", lr=config.peak_lr / 10)
    return say("a smaller --clip or --lr {lr:g}", lr=config.peak_lr / 10)


def non_finite(state: TrainState, epoch: EpochState, config: TrainConfig) -> str:
    """Say where a number became non-finite, how large the gradients were before, what to try."""
    last = say("at the first step")
    if state.step:
        norms = epoch.norms[max(0, state.step - 3) : state.step].tolist()
        words = ", ".join(f"{norm:.3g}" for norm in norms)
        last = say_number(
            len(norms),
            "the last finite gradient norm was {norms}",
            "the last finite gradient norms were {norms}",
            norms=words,
        )
    return say(
        "loss, gradient or weights became non-finite in epoch {epoch}, step {step} ({last});"
        " {left}; try {advice}",
        epoch=state.epoch + 1,
        step=state.step + 1,
        last=last,
        left=_left(state, config),
        advice=_calmer(config),
    )


def _left(state: TrainState, config: TrainConfig) -> str:
    if config.weights == "best" and state.best is not None:
        return say("the model has its best weights")
    return say("the model keeps the parameters of the previous step")


def out_of_memory(state: TrainState, config: TrainConfig) -> str:
    """Free the memory of a step that did not fit, and return what its run says."""
    state.optimizer.zero_grad(set_to_none=True)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
    return say(
        "out of memory in epoch {epoch}, step {step}; {left}; try {advice}",
        epoch=state.epoch + 1,
        step=state.step + 1,
        left=_left(state, config),
        advice=say(WHAT_TO_TRY),
    )
