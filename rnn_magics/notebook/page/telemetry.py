"""What a dashboard shows of a run in training, kept up to date by the events of the run."""

from __future__ import annotations

import math
from typing import Any

from rnn_magics.reports.run_payload import run_payload
from rnn_magics.training.curve import Curve
from rnn_magics.training.events import (
    Compiling,
    EpochEnd,
    Evaluating,
    Event,
    Measuring,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from rnn_magics.training.run import Run
from rnn_magics.training.steps.clipping import count_clipped


class Telemetry:
    """A listener that collects the events of a run.

    Parameters
    ----------
    run
        The run in training.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._phase = "starting"
        self._step: StepEnd | None = None
        self._clip = run.config.train.clip  # before anything is steered

    def __call__(self, event: Event) -> None:
        """Process an event."""
        match event:
            case Measuring():
                self._phase = "measuring"
            case Compiling():
                self._phase = "compiling"
            case TrainBegin():
                self._phase = "training"
            case StepEnd():
                self._phase, self._step = "training", event
            case Evaluating():
                self._phase = "scoring"
            case EpochEnd():
                self._phase = "training"
            case TrainEnd():
                self._phase = "ended"

    @property
    def curve(self) -> Curve:
        """Every step so far, including those of the current epoch."""
        curve, step = self._run.curve.copy(), self._step
        if step is not None and step.epoch > len(curve.epochs):
            curve.extend(step.losses[: step.step], step.norms[: step.step])
        return curve

    def payload(self, *, paused: bool = False) -> dict[str, Any]:
        """Return what a view draws now, as strict JSON.

        Returns
        -------
        dict
            What `run_payload` returns, ``phase`` (starting, measuring, compiling, training,
            scoring, paused, ended) and ``now``: None before the first step, then ``epoch``,
            ``step``, ``num_steps``, ``total_steps``, ``train_nats`` (of the epoch so far),
            ``grad_norm``, ``lr``, ``seconds``, ``tokens``, ``tokens_per_second``, ``done`` (in
            [0, 1]), ``eta`` (seconds); and ``may_predict``, whether a prediction comes before the
            first score.
        """
        phase = "paused" if paused and self._phase != "ended" else self._phase
        said = run_payload(self._run)
        told = {"clipping": self._clipping(said), "phase": phase, "now": self._now()}
        return {**said, **told, "may_predict": self._run.may_predict}

    @property
    def done(self) -> float:
        """The share of the training that is over, from 0 to 1."""
        return 0.0 if self._step is None else self._step.done

    def _clipping(self, said: dict[str, Any]) -> dict[str, int] | None:
        # The steps of the finished epochs, and those of the epoch in progress.
        step, finished = self._step, self._run.curve.epochs
        told: dict[str, int] | None = said["clipping"]
        if step is None or step.epoch <= len(finished) or told is None:
            return told
        bounds = self._run.clips_since(told["steps"], self._clip)
        clipped = count_clipped(step.norms[: step.step], told["steps"], bounds)
        return {"clipped": told["clipped"] + clipped, "steps": told["steps"] + step.step}

    def _now(self) -> dict[str, Any] | None:
        step = self._step
        if step is None:
            return None
        finished = self._run.curve.epochs
        total_steps = finished[-1][0] if finished else 0
        total_steps += step.step if step.epoch > len(finished) else 0
        nats = step.epoch_loss.item()
        return {
            "epoch": step.epoch,
            "step": step.step,
            "num_steps": step.num_steps,
            "total_steps": total_steps,
            "train_nats": nats if math.isfinite(nats) else None,
            "grad_norm": step.grad_norm.item() if math.isfinite(step.grad_norm.item()) else None,
            "lr": step.lr,
            "seconds": step.seconds,
            "tokens": step.tokens,
            "tokens_per_second": step.tokens / step.seconds if step.seconds else None,
            "done": step.done,
            "eta": step.seconds_left,
        }
