"""How a session and the runs kept in a folder look in a notebook."""

from __future__ import annotations

from rnn_magics.language import say
from rnn_magics.notebook.show.rich.markup import block, bold, muted, table
from rnn_magics.notebook.show.status import KeptRuns, Status, kept_heads, runs_heads


def status_html(status: Status) -> str:
    """Return the state of a session: a row for each step, then the runs."""
    steps = table((), [(bold(name), said) for name, said in status.steps.items()])
    runs = table(runs_heads(), status.runs) if status.runs else muted(say("no run yet: %train_rnn"))
    return block(steps, runs)


def kept_html(kept: KeptRuns) -> str:
    """Return the runs kept in a folder, with a note where one is damaged."""
    if not kept:
        return block(muted(repr(kept)))
    return block(table(kept_heads(), kept.rows), *map(muted, kept.notes))
