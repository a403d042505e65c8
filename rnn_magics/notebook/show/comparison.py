"""Several runs side by side: what ``%rnn compare`` shows."""

from __future__ import annotations

import base64
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnn_magics.language import say
from rnn_magics.notebook.show.bundle import forms_of
from rnn_magics.notebook.show.escape import escaped
from rnn_magics.notebook.show.tables import html_table
from rnn_magics.plotting.curves import Curves, curves_figure
from rnn_magics.reports.comparison import AXES, Comparison, Group
from rnn_magics.reports.run_payload import RUN_MIME, SAVED_POINTS, VERSION, saved_payload
from rnn_magics.tables import fitting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DRAWN = 100
"""More runs than this are shown as a table only."""
_MOST_POINTS = 10_000  # of all curves of a view together; it looks up each in all of them
_MOST_CHARTS = 8  # groups in the picture


def comparison_bundle(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as a view, as HTML, as a picture and as text; all have one table."""
    if len(comparison.runs) > MOST_DRAWN:
        return {"text/html": _html(comparison, ""), "text/plain": fitting(repr(comparison))}
    curves = forms_of(_figure(comparison.groups, comparison.against))
    picture = base64.b64encode(curves["image/png"]).decode("ascii")
    return {
        RUN_MIME: comparison_payload(comparison),
        "text/html": _html(comparison, picture),
        **curves,
        "text/plain": f"{curves['text/plain']}\n\n{fitting(repr(comparison))}".lstrip("\n"),
    }


def comparison_payload(comparison: Comparison) -> dict[str, Any]:
    """Return what a view draws: the runs in the order of the table, the groups, the notes.

    Returns
    -------
    dict
        Strict JSON: ``runs``, as `saved_payload` has them; ``head``, the headings of the table;
        ``groups``, for each its ``letter``, ``basis`` and ``verdict`` in words, and ``rows``, a
        list of cells for each of its runs; ``notes``. The more runs, the fewer points has each
        curve.
    """
    table = comparison.table
    runs = [run for group in table.groups for run in group.runs]
    most = min(SAVED_POINTS, _MOST_POINTS // len(runs))
    groups = [
        {"letter": group.letter, "basis": group.basis, "verdict": group.verdict, "rows": rows}
        for group, rows in table.sections
    ]
    return {
        "view": "compare",
        "version": VERSION,
        "runs": [saved_payload(run, most=most) for run in runs],
        "head": table.head,
        "groups": groups,
        "notes": comparison.notes,
    }


def _figure(groups: tuple[Group, ...], against: str) -> Figure:
    drawn = (group for group in groups if any(len(run.history) for run in group.runs))
    return curves_figure(
        [_curves(group, against, alone=len(groups) == 1) for group in islice(drawn, _MOST_CHARTS)]
    )


def _curves(group: Group, against: str, *, alone: bool) -> Curves:
    clips = {run.config.train.clip for run in group.runs}
    runs = [run for run in group.runs if len(run.history)]
    axis = AXES[against]
    return Curves(
        {run.name: run.history for run in runs},
        clips.pop() if len(clips) == 1 else None,
        group.marks,
        "" if alone else f"{_heading(group)}: ",
        axis.label,
        {} if against == "epochs" else {run.name: axis.ends(run) for run in runs},
    )


def _heading(group: Group) -> str:
    # One run alone has no legend that names it.
    return group.letter if len(group.runs) > 1 else f"{group.letter}, {group.runs[0].name}"


def _html(comparison: Comparison, picture: str) -> str:
    table = comparison.table
    parts = []
    for group, rows in table.sections:
        if len(table.groups) > 1:
            parts.append(f"<div><b>{group.letter}</b>: {escaped(group.basis)}</div>")
        parts.append(html_table(table.headings, rows))
        parts.append(f"<div>{escaped(group.verdict)}</div>")
    parts += [f"<div><small>{escaped(note)}</small></div>" for note in comparison.notes]
    if picture:
        what = say(
            "Perplexity and gradient norm of each run, against {axis}",
            axis=say(AXES[comparison.against].label),
        )
        parts.append(f"<img alt='{what}' src='data:image/png;base64,{picture}'>")
    return f"<div>{''.join(parts)}</div>"
