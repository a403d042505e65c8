"""How a run is shown: its epochs, notes on them, and a comparison with the baselines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnn_magics.digits import rounded
from rnn_magics.language import say
from rnn_magics.notebook.show.escape import escaped
from rnn_magics.notebook.show.tables import Row, headed, heads, html_table
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.reports.run_notes import baselines_note, cautions, reveal_prediction, run_notes
from rnn_magics.reports.run_report import report_run
from rnn_magics.scores.evaluation import bits_per_token
from rnn_magics.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPOCHS_SHOWN = 12


def run_figure(run: Run) -> Figure:
    """Draw the curves of a run, with its baselines if they are fitted."""
    from rnn_magics.plotting import training_figure  # noqa: PLC0415  (matplotlib on demand)

    marks = compare_with_baselines(run).marks
    return training_figure({run.name: run.history}, run.config.train.clip, marks, run.predicted)


def epoch_rows(run: Run) -> list[Row]:
    """Return a row for each epoch of a run; many epochs are shown without the middle ones."""
    h = run.history
    rows: list[Row] = [
        (
            i + 1,
            rounded(h.train_perplexity[i]),
            rounded(h.valid_perplexity[i]),
            rounded(h.train_bits[i]),
            rounded(h.valid_bits[i]),
            f"{h.tokens_per_second[i]:,.0f}",
            f"{h.grad_norm[i]:.3g} / {h.grad_norm_max[i]:.3g}",
            f"{h.clipped[i]:.0%}",
        )
        for i in range(len(h))
    ]
    if len(rows) > _EPOCHS_SHOWN:
        half = _EPOCHS_SHOWN // 2
        rows[half:-half] = [("...",) + ("",) * (len(rows[0]) - 1)]
    return rows


def epoch_heads() -> tuple[str, ...]:
    """Return what stands above the numbers of an epoch."""
    return heads(
        "epoch",
        "train ppl",
        "held-out ppl",
        "train bits",
        "held-out bits",
        "tokens/s",
        "grad norm / max",
        "clipped",
    )


def run_table(run: Run) -> tuple[Row, list[Row]]:
    """Return head and rows: the epochs, then each baseline and when the run passed it."""
    rows, marks = epoch_rows(run), compare_with_baselines(run).marks
    if run.weights_from is not None:
        best = say("{epoch} (best weights)", epoch=run.epoch)
        rows = [(best, *row[1:]) if row[0] == run.epoch else row for row in rows]
    if not rows or not marks:
        return epoch_heads(), rows
    passed: dict[object, list[str]] = {}
    for mark in marks:
        passed.setdefault(mark.epoch, []).append(mark.words)
    epochs = [row[0] for row in epoch_rows(run)]
    lines: list[Row] = [
        (*row, say("; ").join(passed.get(epoch, [])))
        for epoch, row in zip(epochs, rows, strict=True)
    ]
    for mark in marks:
        bits = bits_per_token(math.log(mark.perplexity))
        when = (
            say("not passed")
            if mark.epoch is None
            else say("passed after epoch {epoch}", epoch=mark.epoch)
        )
        reached = (mark.words, "", rounded(mark.perplexity), "", rounded(bits), "", "", "")
        lines.append((*reached, when))
    return (*epoch_heads(), say("baselines passed")), lines


def closing_lines(run: Run, verdict: str) -> list[str]:
    """Return what a terminal tells of a run that has ended.

    The verdict comes first, then what became of a prediction, then the figures, then the baselines.
    The message of the run is told when it ends, and the definitions of the figures come last
    (`RunReport.definitions`).
    """
    report = report_run(run)
    baselines = (f"  {mark}" for mark in compare_with_baselines(run).marks)
    told = [
        verdict,
        *reveal_prediction(run),
        *report.figures,
        *report.notes,
        *cautions(run),
        *baselines,
    ]
    return list(filter(None, told))


def run_html(run: Run) -> str:
    """Return a run as HTML: architecture, epochs and notes on the numbers."""
    facts = say(
        "on {place}, engine {engine}, seed {seed}",
        place=run.place,
        engine=run.model.engine,
        seed=run.config.train.seed,
    )
    told = [*run_notes(run), *baselines_note(run)]
    notes = "".join(f"<div><small>{escaped(note)}</small></div>" for note in told)
    epochs = html_table(*run_table(run))
    table = f"<details><summary>{say('epochs')}</summary>{epochs}</details>"
    return headed(repr(run), f"<div><small>{escaped(facts)}</small></div>{table}{notes}")
