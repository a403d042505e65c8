"""How a session and the runs kept in a folder look in a notebook."""

from __future__ import annotations

from rnn_magics.notebook.show.rich.markup import block, bold, muted, table
from rnn_magics.notebook.show.status import KEPT_HEAD, RUNS_HEAD, KeptRuns, Status


def status_html(status: Status) -> str:
    """Return the state of a session: a row for each step, then the runs."""
    steps = table((), [(bold(name), said) for name, said in status.steps.items()])
    runs = table(RUNS_HEAD, status.runs) if status.runs else muted("no run yet: %train_rnn")
    return block(steps, runs)


def kept_html(kept: KeptRuns) -> str:
    """Return the runs kept in a folder, with a note where one is damaged."""
    if not kept:
        return block(muted(repr(kept)))
    return block(table(KEPT_HEAD, kept.rows), *map(muted, kept.notes))
