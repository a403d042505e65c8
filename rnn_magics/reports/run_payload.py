"""A run as JSON: what the dashboard, the side panel and a saved notebook draw.

The views in ``labextension/`` read it; `tests/contract/payloads/run.json` is an example that the
tests of both sides share. Losses are mean nats per token. A view converts them to perplexities
with exp, since a perplexity may be infinite and JSON has no infinity.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.reports.run_notes import baselines_note, run_notes
from rnn_magics.training.curve import Curve, Floats, Series
from rnn_magics.training.run import Run

RUN_MIME = "application/vnd.rnn-magics.run+json"
VERSION = 1
SAVED_POINTS = 256  # of a series in a saved notebook: one per pixel column, about 20 kB
MOST_EPOCHS = 256
_DIGITS = 6
_NAMES = {0: "uniform", 1: "unigram", 2: "bigram"}  # drawn beside the best


def run_payload(run: Run) -> dict[str, Any]:
    """Return everything that a view draws of a run, except its series.

    Returns
    -------
    dict
        Strict JSON: ``name``, ``architecture``, ``place``, ``engine``, ``vocab_size``,
        ``reason`` (None while it trains), ``message``, ``notes``, ``options`` (those that differ
        from the defaults), ``num_epochs``, ``lr``, ``clip``, ``epochs`` (a dict each:
        ``epoch``, ``step``, ``seconds``, ``train_nats``, ``valid_nats``, ``grad_norm``,
        ``grad_norm_max``, ``clipped``), ``steered``, ``ladder`` (``name``, ``nats`` and
        ``order`` of each baseline, and whether it is the ``best``), ``comparable`` (whether they
        are of the same tokens), ``clipping`` (how many of the steps were clipped; None without a
        bound), ``tokens_per_second``, ``tokens_per_step``, ``size`` (how many ``tokens`` and
        ``bytes`` of the held-out text are predicted, and how many ``lost_bits`` spell what the
        tokens do not give back; None where tokens are characters), ``predicted_nats`` (of the
        perplexity that somebody predicted; None if nobody did), ``between`` (``step``,
        ``epoch`` and ``nats`` of the held-out scores between epoch ends), ``weights`` (the same of
        the weights that the run has, and ``words`` for them; None for those of the last step),
        ``test`` (``nats`` of the test part, None until it is scored; None without one).
    """
    config, batching = run.config, run.config.batching
    options = {**config.model.changed(), **batching.changed(), **config.train.changed()}
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
        "ladder": _ladder(run),
        "comparable": run.ladder is None or bool(compare_with_baselines(run).marks),
        "clipping": _clipping(run),
        "tokens_per_second": _plain(run.tokens_per_second),
        "tokens_per_step": batching.tokens_per_batch,
        "size": _size(run),
        "predicted_nats": None if run.predicted is None else math.log(run.predicted),
        "between": _between(run),
        "weights": _weights(run),
        "test": None if run.test is None else {"nats": _plain(run.test.nats)},
    }


def _size(run: Run) -> dict[str, float] | None:
    # Of characters, a figure for each token does not mislead.
    size = None if run.valid_counts is None else run.valid_counts.size
    if size is None or run.vocab is None or run.vocab.token == "char":
        return None
    told = {"tokens": run.num_valid_tokens - 1, "bytes": size.num_bytes}
    return {**told, "lost_bits": size.lost_bits}


def saved_payload(run: Run, most: int = SAVED_POINTS, **more: Any) -> dict[str, Any]:
    """Return a run with its series, for a notebook that is opened without a kernel.

    Parameters
    ----------
    run
        The run.
    most
        The most points of a series, and the most epochs.
    more
        What only a dashboard knows: ``done``, the share of the training that was over at the end,
        and ``samples``, what the model wrote after its epochs.
    """
    epochs = _epochs(run, min(most, MOST_EPOCHS))
    return {**run_payload(run), **more, "epochs": epochs, "series": series_lists(run.curve, most)}


def _between(run: Run, most: int = MOST_EPOCHS) -> list[dict[str, float | None]]:
    stride = -(-len(run.between) // most) or 1
    best = min(run.between, key=lambda score: score.nats, default=None)
    return [
        {"step": score.steps, "epoch": score.epoch, "nats": _plain(score.nats)}
        for place, score in enumerate(run.between)
        if place % stride == 0 or score is best
    ]


def _weights(run: Run) -> dict[str, Any] | None:
    scored = run.scored
    if run.weights_from is None or scored is None:
        return None
    told = {"step": run.weights_from, "epoch": scored.epoch, "words": run.which_weights}
    return {**told, "nats": _plain(scored.bits * math.log(2))}


def _ladder(run: Run) -> list[dict[str, Any]]:
    ladder = run.ladder
    if ladder is None or not ladder.num_valid_tokens:
        return []
    best = ladder.best.order
    reached = {0: float(ladder.uniform), **{r.order: r.valid_perplexity for r in ladder}}
    return [
        {
            "name": f"{'best, ' * (order == best)}{_NAMES.get(order, f'{order}-gram')}",
            "nats": math.log(value),
            "order": order,
            "best": order == best,
        }
        for order, value in reached.items()
        if value is not None and (order in _NAMES or order == best)
    ]


def _clipping(run: Run) -> dict[str, int] | None:
    if run.config.train.clip is None and not any(run.history.clipped):
        return None
    ends = [0, *(steps for steps, _ in run.curve.epochs)]
    shares = zip(run.history.clipped, pairwise(ends), strict=False)
    clipped = sum(round(share * (end - begin)) for share, (begin, end) in shares)
    return {"clipped": clipped, "steps": ends[-1]}


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


def _epochs(run: Run, most: int = MOST_EPOCHS) -> list[dict[str, float | None]]:
    history, natural = run.history, math.log(2)
    ends = run.curve.epochs
    # A message must not grow with the run: of very many epochs it has a sample, with the last one.
    stride = -(-len(ends) // most) or 1
    told = range((len(ends) - 1) % stride, len(ends), stride)
    return [
        {
            "epoch": i + 1,
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
