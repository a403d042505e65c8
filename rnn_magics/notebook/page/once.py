"""A view is the form of its result, and a cell shows it once.

``%inspect_rnn`` shows the view at once, also where its value is assigned, ``%train_rnn`` the card
of its run, ``%sweep`` its table, and ``%generate`` its text. Where the value ends a cell, or is
displayed again in the same cell, nothing more is shown. In a later cell, a view is shown again, a
text with what is said of it, and a run as its table. A front end of text alone shows the words of
the result, as of any other object.
"""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.interrupts import whole_imports
from rnn_magics.notebook.session.desk import Desk

_TRACE = ("rnn_magics.inspection.views.trace", "Trace")
# What a magic has shown in its own way.
_SHOWN = (
    ("rnn_magics.training.run", "Run"),
    ("rnn_magics.decoding.generate", "Generation"),
    ("rnn_magics.sweeps.sweep", "SweepRuns"),
    ("rnn_magics.decoding.forecast", "Forecast"),
)


def register_views(shell: InteractiveShell, desk: Desk) -> None:
    """Teach a shell to show a result of ``%inspect_rnn`` as its view, and nothing twice."""

    @whole_imports()
    def show(trace: Any) -> None:
        from rnn_magics.notebook.page.view import show_trace  # noqa: PLC0415  (has torch)

        if not show_trace(desk, trace):
            raise NotImplementedError  # so IPython goes on to its other forms

    def show_once(result: Any) -> None:
        if not desk.cell.shows(result):
            raise NotImplementedError  # so IPython goes on to its other forms

    _formatter(shell).for_type_by_name(*_TRACE, show)
    for module, name in _SHOWN:
        _formatter(shell).for_type_by_name(module, name, show_once)


def unregister_views(shell: InteractiveShell) -> None:
    """Undo `register_views`."""
    for module, name in (_TRACE, *_SHOWN):
        _formatter(shell).pop(f"{module}.{name}", None)


def _formatter(shell: InteractiveShell) -> Any:
    # Typed as optional in IPython, but every shell makes one.
    return shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]
