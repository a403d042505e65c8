"""Shows an inspection: live if that is switched on, and in a form that a saved notebook keeps."""

from __future__ import annotations

from typing import Any

from IPython.display import display

from rnn_magics.inspection.fitting import fitted
from rnn_magics.inspection.inspectors import INSPECTORS
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.notebook.page.search import SEARCH, answer
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.session.views import Looked
from rnn_magics.notebook.show.bundle import LIVE_MIME, Bundle
from rnn_magics.plotting import to_png
from rnn_magics.plotting.inspection import inspection_figure
from rnn_magics.results import visible

INSPECTION_MIME = "application/vnd.rnn-magics.inspection+json"
KEPT_BYTES = 2 << 20
"""The largest JSON that a notebook keeps of a view."""
LIVE_BYTES = 16 << 20
"""The largest JSON that is sent to a widget."""


def show_trace(desk: Desk, trace: object) -> bool:
    """Display a view, unless it stands in the output of the running cell already.

    A saved notebook keeps the data that the JupyterLab extension draws, a picture, and the words of
    the result. The extension draws only this kept view, which asks the kernel over a comm. Without
    the extension, a widget is drawn instead of them.

    Returns
    -------
    bool
        Whether the output has a view. It has none where figures are switched off or the front end
        shows text only, and of a result that has neither a drawing nor a picture.
    """
    if not desk.shows_figures or not isinstance(trace, Trace):
        return False  # a view of one's own may be any object: its `repr` is shown
    if desk.cell.shows(trace):
        return True
    view, forms = trace.inspector, {}
    figure = inspection_figure(view, trace)
    if INSPECTORS[view].is_drawn:
        forms = _drawn(desk, trace, has_picture=figure is not None)
    if figure is not None:
        forms["image/png"] = to_png(figure)
    if not forms:
        return False
    display(Bundle({**forms, "text/plain": visible(repr(trace))}))
    desk.cell.shown.append(trace)
    return True


def _drawn(desk: Desk, trace: Trace, *, has_picture: bool) -> dict[str, Any]:
    # Show it live if that is switched on, and return what a saved notebook keeps of the drawing.
    live, views = desk.shows_live, desk.session.views
    looked = views.looked.get(trace, Looked())
    data: Any = {**trace.to_data(), **looked.read}
    if live and looked.source is not None:
        data["look"] = views.keep(looked.source)
    kept = fitted(data, KEPT_BYTES)
    if live and (fitting := fitted(data, LIVE_BYTES)) is not None:
        is_drawn = kept is not None
        _show_live(desk.session, fitting, trace.title, is_drawn=is_drawn, has_picture=has_picture)
    return {} if kept is None else {INSPECTION_MIME: kept}


def _show_live(
    session: Session, data: Any, title: str, *, is_drawn: bool, has_picture: bool
) -> None:
    # Display a widget, unless the extension draws what is kept. anywidget on demand.
    from rnn_magics.notebook.widgets.base import forms_with_words  # noqa: PLC0415
    from rnn_magics.notebook.widgets.inspection import InspectionWidget  # noqa: PLC0415

    def hear(widget: InspectionWidget, asked: Any, _buffers: Any) -> None:
        if isinstance(asked, dict) and asked.get("type") == SEARCH:
            widget.send(answer(session, asked))

    widget = InspectionWidget(data=data, words=visible(title), is_kept=is_drawn or has_picture)
    widget.on_msg(hear)
    widget.hear_at_once()
    forms = forms_with_words(widget, widget.words)
    display(Bundle({**forms, LIVE_MIME: {}} if is_drawn else forms))
