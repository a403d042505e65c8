"""Shows an inspection: live if that is switched on, and in a form that a saved notebook keeps."""

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
"""Sent with a widget: a page that knows this type draws the kept view instead of the widget."""
KEPT_BYTES = 2 << 20
"""The largest JSON that a notebook keeps of a view."""
LIVE_BYTES = 16 << 20
"""The largest JSON that is sent to a widget."""


def show_trace(
    desk: Desk, view: str, trace: Trace, read: Mapping[str, str], source: ViewSource | None
) -> None:
    """Display a view. One that has neither a drawing nor a picture is not displayed.

    A saved notebook keeps the data that the JupyterLab extension draws, a picture, and a title. The
    extension draws only this kept view, which asks the kernel over a comm. Without the extension, a
    widget appears above the picture.

    Parameters
    ----------
    desk
        The desk of the notebook.
    view
        A name of `INSPECTORS`.
    trace
        The result of the view.
    read
        What was typed: ``text`` and ``run``; ``folder`` for a view across epochs.
    source
        What the view was made from, if a page may search with it.
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
    # Show it live if that is switched on, and return what a saved notebook keeps of the drawing.
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
