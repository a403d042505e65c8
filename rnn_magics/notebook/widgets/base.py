"""The base of all widgets: they share one bundle, built from labextension/ with the package."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from rnn_magics.errors import RNNMagicsError
from rnn_magics.language import marked, say
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.widgets.comm import hear_at_once
from rnn_magics.results import Result

STATIC = Path(__file__).parent / "static"
_BUILT = (STATIC / "widgets.js").is_file()  # anywidget reads the files when a class is defined


def forms_with_words(widget: ipywidgets.DOMWidget, words: str) -> dict[str, Any]:
    """Return a widget as a notebook keeps it, with words for front ends without widgets."""
    bundle = widget._repr_mimebundle_()
    forms: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
    return {**forms, "text/plain": words}


class RNNWidget(Result, anywidget.AnyWidget):
    """A view from the bundle, chosen by `_view`.

    Parameters
    ----------
    words
        What stands in its place where there are no widgets, for example in a saved notebook.
    is_kept
        Whether the next output keeps the same, for front ends without widgets. Where the widget is
        drawn, that output is hidden, so a result has one view.

    Raises
    ------
    RNNMagicsError
        If the bundle has not been built.
    """

    _esm = STATIC / "widgets.js" if _BUILT else "export default {}"
    _css = STATIC / "widgets.css" if _BUILT else ""
    _view = traitlets.Unicode().tag(sync=True)
    is_kept = traitlets.Bool(False).tag(sync=True)
    words = traitlets.Unicode(marked("a live view of rnn_magics; run the cell again to see it"))

    def __init__(self, **traits: object) -> None:
        if not _BUILT:
            msg = say(
                "the live views of rnn_magics are not built; reinstall the package, or type"
                " %config RNNMagics.live = False"
            )
            raise RNNMagicsError(msg)
        super().__init__(**traits)

    def __repr__(self) -> str:
        """Return the words in its place."""
        return say(self.words)

    def hear_at_once(self) -> None:
        """Handle the messages of the page while a cell runs, if the kernel can."""
        hear_at_once(self.comm)


class CommandedWidget(RNNWidget):
    """A view whose reader gives commands, each of which is answered in a line.

    Attributes
    ----------
    answered, answer, refused
        The number of commands answered so far, the latest answer, and whether it is a refusal.
    lock
        Held while traits change, since commands and events arrive on different threads.
    """

    answered = traitlets.Int(0).tag(sync=True)
    answer = traitlets.Unicode("").tag(sync=True)
    refused = traitlets.Bool(False).tag(sync=True)

    def __init__(self, **traits: object) -> None:
        self.lock = threading.Lock()
        super().__init__(**traits)

    def obey(self, command: Any, carry_out: Callable[[dict[str, Any]], str]) -> None:
        """Let a command be carried out, and show the answer, or the error as a refusal."""
        refused = False
        try:
            said = carry_out(command if isinstance(command, dict) else {})
        except RNNMagicsError as error:
            said, refused = one_line(str(error)), True
        with self.lock, self.hold_sync():
            self.answer, self.refused = said, refused
            self.answered += 1


def unknown_command() -> str:
    """Return the answer to a command that is none, as of another version."""
    return say("the view sent a command that this version does not know; reload the page")
