"""A run as JSON: what the dashboard, the side panel and a saved notebook draw.

The views in ``labextension/`` read it; `tests/contract/payloads/run.json` is an example that the
tests of both sides share. Losses are mean nats per token. A view converts them to perplexities
with exp, since a perplexity may be infinite and JSON has no infinity.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnn_magics.notebook.show.runs import baselines_note, run_notes
from rnn_magics.reports.baselines import marks
from rnn_magics.training.curve import Curve, Floats, Series
from rnn_magics.training.run import Run

RUN_MIME = "application/vnd.rnn-magics.run+json"
VERSION = 1
SAVED_POINTS = 256  # of a series in a saved notebook: one per pixel column, about 20 kB
MOST_EPOCHS = 256
_DIGITS = 6


def run_payload(run: Run) -> dict[str, Any]:
    """Return everything that a view draws of a run, except its series.

    Returns
    -------
    dict
        Strict JSON: ``name``, ``architecture``, ``place``, ``engine``, ``vocab_size``,
        ``reason`` (None while it trains), ``message``, ``notes``, ``options`` (those that differ
        from the defaults), ``num_epochs``, ``lr``, ``clip``, ``epochs`` (a dict each: ``step``,
        ``seconds``, ``train_nats``, ``valid_nats``, ``grad_norm``, ``grad_norm_max``,
        ``clipped``), ``steered`` and ``ladder`` (names and nats of the baselines).
    """
    config = run.config
    options = {**config.model.changed(), **config.batching.changed(), **config.train.changed()}
    return {
        "view": "run",
        "version": VERSION,
        "name": run.name,
        "architecture": run.architecture,
        "place": run.place,
        "engine": run.model.engine,
        "vocab_size": run.model.vocab_size,
        "reason": run.reason,
        "message": run.message,
        "notes": [*run_notes(run), *baselines_note(run)],
        "options": {name: _plain(value) for name, value in options.items()},
        "num_epochs": config.train.epochs,
        "lr": config.train.peak_lr,
        "clip": config.train.clip,
        "epochs": _epochs(run),
        "steered": [{"step": s.step, "lr": s.lr, "clip": s.clip} for s in run.steered],
        "ladder": [
            {"name": mark.name, "nats": math.log(mark.perplexity)}
            for mark in (() if run.ladder is None else marks(run.ladder))
        ],
    }


def saved_payload(run: Run) -> dict[str, Any]:
    """Return a run with its series, for a notebook that is opened without a kernel."""
    return {**run_payload(run), "series": series_lists(run.curve)}


def series_lists(curve: Curve, most: int = SAVED_POINTS) -> dict[str, list[list[float]]]:
    """Return the series of a curve by name, each as rows (end, mean, lowest, highest)."""
    return {
        name: [[float(f"{value:.{_DIGITS}g}") for value in row] for row in _rows(series, most)]
        for name, series in (("loss", curve.loss), ("grad_norm", curve.grad_norm))
    }


def series_bytes(series: Series, most: int) -> bytes:
    """Return rows (end, mean, lowest, highest) as little-endian float32."""
    return _rows(series, most).astype("<f4").tobytes()


def _rows(series: Series, most: int) -> Floats:
    rows = np.stack(series.points(), axis=1)  # (num_points, 4)
    while len(rows) > most:  # merge neighbours in pairs; an odd last row stays
        even, rest = rows[: len(rows) // 2 * 2].reshape(-1, 2, 4), rows[len(rows) // 2 * 2 :]
        ends, low, high = even[:, 1, 0], even[..., 2].min(1), even[..., 3].max(1)
        merged = np.stack((ends, even[..., 1].mean(1), low, high), axis=1)
        rows = np.concatenate((merged, rest))
    return rows


def _epochs(run: Run) -> list[dict[str, float | None]]:
    history, natural = run.history, math.log(2)
    ends = run.curve.epochs
    # A message must not grow with the run: of very many epochs it has a sample, with the last one.
    stride = -(-len(ends) // MOST_EPOCHS) or 1
    told = range((len(ends) - 1) % stride, len(ends), stride)
    return [
        {
            "step": ends[i][0],
            "seconds": ends[i][1],
            "train_nats": _plain(history.train_bits[i] * natural),
            "valid_nats": _plain(None if bits is None else bits * natural),
            "grad_norm": _plain(history.grad_norm[i]),
            "grad_norm_max": _plain(history.grad_norm_max[i]),
            "clipped": history.clipped[i],
        }
        for i in told
        for bits in (history.valid_bits[i],)
    ]


def _plain(value: Any) -> Any:
    # JSON has neither inf nor nan.
    return None if isinstance(value, float) and not math.isfinite(value) else value
