"""How a sweep looks in a notebook: a row for each trial, the best in bold, pruned ones grey."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.notebook.show.rich.markup import (
    Markup,
    block,
    bold,
    markup,
    muted,
    picture,
    table,
    title,
)
from rnn_magics.sweeps.trial import Outcome, Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnn_magics.sweeps.kept import KeptSweeps
    from rnn_magics.sweeps.sweep import SweepRuns

_FEWEST_DRAWN = 2  # trials
_MOST_WAITING = 40  # empty rows that keep the height of a table while it fills
_SPARK = "font-family:monospace;white-space:pre;letter-spacing:-1px"


def sweep_html(sweep: SweepRuns) -> str:
    """Return a sweep: its best settings, a row for each trial, a picture, and what to know."""
    figure = picture_of(sweep, shares_of(sweep))
    if figure is None:
        return sweep_block(sweep, [])
    from rnn_magics.plotting import to_png  # noqa: PLC0415  (matplotlib on demand)

    drawn = base64.b64encode(to_png(figure)).decode("ascii")
    words = say("Each trial as a line over its options, and how much each decides")
    return block(Markup(sweep_block(sweep, [])), picture(drawn, words))


def shares_of(sweep: SweepRuns) -> dict[str, float]:
    """Return how much each option decides; nothing before two trials, or without the extra."""
    if sum(trial.lowest is not None for trial in sweep.searched) < _FEWEST_DRAWN:
        return {}
    try:
        return sweep.importance()
    except ConfigError:  # an extra that is not installed
        return {}


def picture_of(sweep: SweepRuns, shares: Mapping[str, float]) -> Figure | None:
    """Return the trials over their options, and the shares of these; None before two trials."""
    if sum(trial.lowest is not None for trial in sweep.searched) < _FEWEST_DRAWN:
        return None
    from rnn_magics.plotting.sweeps.parallel import (  # noqa: PLC0415  (matplotlib on demand)
        sweep_figure,
    )

    return sweep_figure(sweep, shares)


def sweep_block(sweep: SweepRuns, now: list[str]) -> str:
    """Return a sweep with lines on what happens now.

    Parameters
    ----------
    sweep
        The sweep.
    now
        The lines; where there are some, a row waits for each trial that is planned.
    """
    rows = [_row(sweep, trial) for trial in sweep.trials]
    if now:
        planned = min(sweep.planned or 0, _MOST_WAITING)
        rest = [Markup()] * (len(sweep.head) - 1)
        rows += [[muted(number), *rest] for number in range(len(sweep.trials), planned)]
    shown = table(sweep.head, rows) if rows else ""
    return block(title(sweep.verdict), *now, shown, *map(muted, sweep.notes))


def _row(sweep: SweepRuns, trial: Trial) -> list[Markup]:
    plain = list(map(markup, sweep.row(trial)))
    curve = 1 + len(sweep.space.dimensions)
    plain[curve] = Markup(f"<span style='{_SPARK}'>{plain[curve]}</span>")
    if trial is sweep.best:
        return list(map(bold, plain))
    left_behind = trial.outcome not in (None, Outcome.DONE)
    return list(map(muted, plain)) if left_behind else plain


def kept_sweeps_html(kept: KeptSweeps) -> str:
    """Return the sweeps kept in a folder."""
    if not kept.sweeps and not kept.troubles:
        return block(muted(say("no sweep is kept here yet: %sweep --lr 1e-4:1e-2 makes one")))
    shown = table(kept.head, kept.rows) if kept.sweeps else ""
    return block(shown, *map(muted, kept.troubles))
