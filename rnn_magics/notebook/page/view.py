"""How a look inside is shown: live where that is wished, and as a saved notebook keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from IPython.display import display

from rnn_magics.inspection.fitting import fitted
from rnn_magics.inspection.inspectors import INSPECTORS
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.notebook.page.search import SEARCH, answer
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.session.views import ViewSource
from rnn_magics.notebook.show.bundle import Bundle
from rnn_magics.plotting import to_png
from rnn_magics.plotting.inspection import inspection_figure
from rnn_magics.results import visible

INSPECTION_MIME = "application/vnd.rnn-magics.inspection+json"
LIVE_MIME = "application/vnd.rnn-magics.live+json"
"""Beside a widget: a page that knows it draws the kept view below, and not the widget."""
KEPT_BYTES = 2 << 20
"""The most JSON that a notebook keeps of one view."""
LIVE_BYTES = 16 << 20
"""The most that is sent to a widget."""


def show_trace(
    desk: Desk, view: str, trace: Trace, read: Mapping[str, str], source: ViewSource | None
) -> None:
    """Display a view; nothing of one that has neither a drawing nor a picture.

    What is kept are the data that the JupyterLab extension draws, a picture and words. Where that
    extension is, it draws the kept view only, which asks the kernel over a comm; elsewhere a
    widget stands above the picture.

    Parameters
    ----------
    desk
        Whose reader looks at it.
    view
        A name of `INSPECTORS`.
    trace
        What it returned.
    read
        What was typed: ``text`` and ``run``; the ``folder`` of a view across epochs.
    source
        What the view was made of, where a page may search by it.
    """
    forms: dict[str, Any] = {}
    if INSPECTORS[view].is_drawn:
        forms = _drawn(desk, trace, read, source)
    figure = inspection_figure(view, trace)
    if figure is not None:
        forms["image/png"] = to_png(figure)
    if forms:
        display(Bundle({**forms, "text/plain": visible(trace.title)}))


def _drawn(
    desk: Desk, trace: Trace, read: Mapping[str, str], source: ViewSource | None
) -> dict[str, Any]:
    # Show it live where that is wished, and return what a saved notebook keeps of the drawing.
    live = desk.shows_live
    data: Any = {**trace.to_data(), **read}
    if live and source is not None:
        data["look"] = desk.session.views.keep(source)
    kept = fitted(data, KEPT_BYTES)
    if live and (fitting := fitted(data, LIVE_BYTES)) is not None:
        _show_live(desk.session, fitting, is_kept=kept is not None)
    return {} if kept is None else {INSPECTION_MIME: kept}


def _show_live(session: Session, data: Any, *, is_kept: bool) -> None:
    from rnn_magics.notebook.widgets.inspection import (  # noqa: PLC0415  (anywidget on demand)
        InspectionWidget,
    )

    def hear(widget: InspectionWidget, asked: Any, _buffers: Any) -> None:
        if isinstance(asked, dict) and asked.get("type") == SEARCH:
            widget.send(answer(session, asked))

    widget = InspectionWidget(data=data)
    widget.on_msg(hear)
    widget.hear_at_once()
    bundle: Any = widget._repr_mimebundle_()
    forms = bundle[0] if isinstance(bundle, tuple) else bundle
    display(Bundle({**forms, LIVE_MIME: {}} if is_kept else forms))
