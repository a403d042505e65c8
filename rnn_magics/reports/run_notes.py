"""The notes that stand under a run."""

from __future__ import annotations

from rnn_magics.language import say
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.reports.prediction import reveal_prediction
from rnn_magics.reports.run_report import report_run
from rnn_magics.training.run import Run


def run_notes(run: Run) -> list[str]:
    """Return the notes that a reader needs to interpret the numbers of a run."""
    said = [run.message, *reveal_prediction(run), *cautions(run), *report_run(run).lines]
    return list(filter(None, said))


def cautions(run: Run) -> list[str]:
    """Return what else a reader has to know: that it was steered, that it reads backwards."""
    notes = []
    if run.steered:
        notes.append(
            say(
                "Steered while it trained: {changes}.",
                changes=say("; ").join(map(str, run.steered)),
            )
        )
    if run.config.model.bidirectional:
        notes.append(
            say(
                "A bidirectional model sees the tokens it has to predict: these are not"
                " language-model perplexities, and %generate refuses the model."
            )
        )
    return notes


def baselines_note(run: Run) -> list[str]:
    """Return what the baselines reach and when the run passed them, if they were fitted."""
    if run.ladder is None or not len(run.history):
        return []
    found = compare_with_baselines(run)
    return [line for line in (found.words, found.passages) if line]
