"""A run as an entry of a list, for the side panel and the status bar of JupyterLab."""

from __future__ import annotations

import math
from typing import Any

from rnn_magics.notebook.show.escape import one_line
from rnn_magics.reports.run_payload import run_payload, series_lists
from rnn_magics.training.curve import Curve
from rnn_magics.training.run import Run

POINTS = 64  # the curve is two centimetres high


def ended_entry(run: Run) -> dict[str, Any]:
    """Return the entry of a run that is not training, such as a loaded one."""
    return run_entry({**run_payload(run), "phase": "ended", "now": None}, run.curve)


def run_entry(payload: dict[str, Any], curve: Curve) -> dict[str, Any]:
    """Return the entry of a run.

    Parameters
    ----------
    payload
        What `rnn_magics.notebook.page.telemetry.Telemetry.payload` returns.
    curve
        Every step so far.

    Returns
    -------
    dict
        Strict JSON: ``name``, ``label`` (the name, to be shown), ``architecture``, ``options``,
        ``phase``, ``reason``, ``message``, ``epoch``, ``num_epochs``, ``train_nats`` (of the
        current epoch so far, or of the last one), ``valid_nats`` (of the last epoch; None where
        it was not scored; both are those of the best weights where the run has these), ``eta`` in
        seconds, and ``series``: ``loss`` as the rows of
        `series_lists`, ``valid`` as pairs of step and nats.
    """
    epochs, now = payload["epochs"], payload["now"]
    held_out = [(e["step"], e["valid_nats"]) for e in epochs if e["valid_nats"] is not None]
    between = [(s["step"], s["nats"]) for s in payload["between"] if s["nats"] is not None]
    held_out = sorted({*between, *held_out})
    weights = payload["weights"]
    over = now is None or payload["phase"] == "ended"
    own = [e for e in epochs if weights is None or e["epoch"] == weights["epoch"]] or epochs
    last = own[-1]["train_nats"] if own else None
    valid = epochs[-1]["valid_nats"] if epochs else None
    return {
        "name": payload["name"],
        "label": one_line(payload["name"]),
        "architecture": payload["architecture"],
        "options": {name: one_line(str(value)) for name, value in payload["options"].items()},
        "phase": payload["phase"],
        "reason": payload["reason"],
        "message": one_line(payload["message"]),
        "epoch": len(epochs) if over else now["epoch"],
        "num_epochs": payload["num_epochs"],
        "train_nats": last if over else now["train_nats"],
        "valid_nats": valid if weights is None else weights["nats"],
        "eta": None if over else now["eta"],
        "series": {
            "loss": [row for row in series_lists(curve, POINTS)["loss"] if _finite(row)],
            "valid": [list(pair) for pair in _thinned(held_out) if _finite(pair)],
        },
    }


def _finite(row: list[float] | tuple[float, float]) -> bool:
    return all(map(math.isfinite, row))


def _thinned(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    # Keeps the last pair, which is the one shown as a number.
    every = math.ceil(len(pairs) / POINTS) or 1
    return pairs[::-1][::every][::-1]
