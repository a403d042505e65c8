"""From ``%inspect_rnn`` to a view, and how it is shown."""

from __future__ import annotations

import argparse
from typing import Any

from IPython.display import display

from rnn_magics.errors import ConfigError
from rnn_magics.inspection.fitting import fitted
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector, Trace
from rnn_magics.notebook.arguments import collect, flag_of
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.display import Bundle
from rnn_magics.notebook.looks import Look
from rnn_magics.notebook.searching import SEARCH, answer
from rnn_magics.notebook.session import Session
from rnn_magics.notebook.visible import visible
from rnn_magics.options import describe
from rnn_magics.plotting import to_png
from rnn_magics.plotting.inspection import inspection_figure

INSPECTION_MIME = "application/vnd.rnn-magics.inspection+json"
LIVE_MIME = "application/vnd.rnn-magics.live+json"
"""Beside a widget: a page that knows it draws the kept view below, and not the widget."""
KEPT_BYTES = 2 << 20
"""The most JSON that a notebook keeps of one view."""
LIVE_BYTES = 16 << 20
"""The most that is sent to a widget."""
_SEARCHED = ("hidden", "match")


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
    of_epochs = hasattr(options, "epochs")
    needs = [need for need in inspector.needs if not (of_epochs and need == "run")]
    things = [_thing(session, need, options) for need in needs]
    config = collect(inspector.config, options)
    if of_epochs:
        return Call("trace", "inspect_epochs", (view, _folder(session, options), *things, config))
    return Call("trace", "inspect_rnn", (view, *things, config))


def _folder(session: Session, options: argparse.Namespace) -> str:
    if options.epochs and hasattr(options, "run"):
        msg = "--epochs DIR says which run it is; leave --run out, or DIR"
        raise ConfigError(msg)
    return options.epochs or session.require_folder(getattr(options, "run", None))


def _refuse_foreign(view: str, inspector: Inspector, options: argparse.Namespace) -> None:
    taken = {"view", "explain", *(field.name for field in describe(inspector.config))}
    taken |= {"text", "run"} & set(inspector.needs)
    taken |= {"epochs"} if "run" in inspector.needs else set()
    for name in vars(options):
        if name in taken:
            continue
        takers = [other for other, its in INSPECTORS.items() if _takes(its, name)]
        what = "text" if name == "text" else flag_of(name)
        msg = f"%inspect_rnn {view} takes no {what}; it is for {', '.join(takers)}"
        raise ConfigError(msg)


def _takes(inspector: Inspector, name: str) -> bool:
    name = "run" if name == "epochs" else name  # it takes the place of a run
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


def show_trace(
    session: Session, call: Call, trace: Trace, options: argparse.Namespace, *, live: bool
) -> None:
    """Display a view: live where that is wished, and as a saved notebook keeps it.

    What is kept are the data that the JupyterLab extension draws, a picture and words. Where that
    extension is, it draws the kept view only, which asks the kernel over a comm; elsewhere a
    widget stands above the picture.
    """
    read = {name: getattr(options, name) for name in ("text", "run") if hasattr(options, name)}
    look = _look(call, options)
    if call.function == "inspect_epochs":
        read["folder"] = str(call.args[1])
    data: Any = {**trace.to_data(), **read}
    if live and look is not None:
        data["look"] = session.looks.keep(look)
    kept = fitted(data, KEPT_BYTES)
    if live and (drawn := fitted(data, LIVE_BYTES)) is not None:
        _show_live(session, drawn, is_kept=kept is not None)
    figure = inspection_figure(trace)
    forms: dict[str, Any] = {} if kept is None else {INSPECTION_MIME: kept}
    if figure is not None:
        forms["image/png"] = to_png(figure)
    if forms:
        display(Bundle({**forms, "text/plain": visible(trace.title)}))


def _look(call: Call, options: argparse.Namespace) -> Look | None:
    # What a search is made of; the views of a text and a layer ask for one.
    if options.view not in _SEARCHED:
        return None
    if call.function == "inspect_epochs":
        return Look(options.text, folder=str(call.args[1]))
    run = next(arg.value for arg in call.args if isinstance(arg, Named) and arg.name == "run")
    return Look(options.text, run)


def _show_live(session: Session, data: Any, *, is_kept: bool) -> None:
    from rnn_magics.notebook.widgets.inspection import InspectionWidget  # noqa: PLC0415

    def hear(widget: InspectionWidget, asked: Any, _buffers: Any) -> None:
        if isinstance(asked, dict) and asked.get("type") == SEARCH:
            widget.send(answer(session, asked))

    widget = InspectionWidget(data=data)
    widget.on_msg(hear)
    widget.hear_at_once()
    bundle: Any = widget._repr_mimebundle_()
    forms = bundle[0] if isinstance(bundle, tuple) else bundle
    display(Bundle({**forms, LIVE_MIME: {}} if is_kept else forms))
