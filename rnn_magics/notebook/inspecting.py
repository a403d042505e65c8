"""From ``%inspect_rnn`` to a view, and how it is shown."""

from __future__ import annotations

import argparse
from typing import Any

from IPython.display import display

from rnn_magics.errors import ConfigError
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, Trace
from rnn_magics.notebook.arguments import collect, flag_of
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.display import show_figure
from rnn_magics.notebook.session import Session
from rnn_magics.notebook.visible import visible
from rnn_magics.options import describe
from rnn_magics.plotting.inspection import inspection_figure


def inspection_call(session: Session, options: argparse.Namespace) -> Call:
    """Return the library call that the options of ``%inspect_rnn`` stand for.

    Raises
    ------
    ConfigError
        When something was typed that the view does not take, or the text is missing.
    SessionError
        When the session has not made yet what the view is of.
    """
    view = options.view
    inspector = INSPECTORS[view]
    _refuse_foreign(view, inspector, options)
    things = [_thing(session, need, options) for need in inspector.needs]
    return Call("trace", "inspect_rnn", (view, *things, collect(inspector.config, options)))


def _refuse_foreign(view: str, inspector: Inspector, options: argparse.Namespace) -> None:
    taken = {"view", "explain", *(field.name for field in describe(inspector.config))}
    taken |= {"text", "run"} & set(inspector.needs)
    for name in vars(options):
        if name in taken:
            continue
        takers = [other for other, its in INSPECTORS.items() if _takes(its, name)]
        what = "text" if name == "text" else flag_of(name)
        msg = f"%inspect_rnn {view} takes no {what}; it is for {', '.join(takers)}"
        raise ConfigError(msg)


def _takes(inspector: Inspector, name: str) -> bool:
    return name in inspector.needs or any(f.name == name for f in describe(inspector.config))


def _thing(session: Session, need: str, options: argparse.Namespace) -> Any:
    if need == "text":
        if not hasattr(options, "text"):
            msg = f'%inspect_rnn {options.view} needs a text: %inspect_rnn {options.view} "the "'
            raise ConfigError(msg)
        return options.text
    if need == "run":
        return Named("run", session.snapshot(getattr(options, "run", None)))
    required = {"corpus": session.require_corpus, "batches": session.require_batches}
    return Named(need, required[need]())


def show_trace(trace: Trace, options: argparse.Namespace, *, live: bool) -> None:
    """Display a view: live where that is wished, and as a picture that a saved notebook keeps.

    The JupyterLab extension draws the data that stand beside the picture, so there the view
    stays alive without a kernel. Other front ends get a widget for that, and the picture.
    """
    read = {name: getattr(options, name) for name in ("text", "run") if hasattr(options, name)}
    data: dict[str, Any] = {**trace.to_data(), **read}
    if live:
        from rnn_magics.notebook.widgets.inspection import InspectionWidget  # noqa: PLC0415

        display(InspectionWidget(data=data))
    figure = inspection_figure(trace)
    if figure is not None:
        show_figure(figure, visible(trace.title))
