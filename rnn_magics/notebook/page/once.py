"""A view is the form of its result, and a cell shows it once.

``%inspect_rnn`` shows the view at once, also where its value is assigned. Where the value ends a
cell, or is displayed again in the same cell, nothing more is shown; in a later cell the view is
shown again. A front end of text alone shows the words of the result, as of any other object.
"""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.interrupts import whole_imports
from rnn_magics.notebook.session.desk import Desk

_TRACE = ("rnn_magics.inspection.views.trace", "Trace")


def register_views(shell: InteractiveShell, desk: Desk) -> None:
    """Teach a shell to show a result of ``%inspect_rnn`` as its view."""

    @whole_imports()
    def show(trace: Any) -> None:
        from rnn_magics.notebook.page.view import show_trace  # noqa: PLC0415  (has torch)

        if not show_trace(desk, trace):
            raise NotImplementedError  # so IPython goes on to the form in plain text

    _formatter(shell).for_type_by_name(*_TRACE, show)


def unregister_views(shell: InteractiveShell) -> None:
    """Undo `register_views`."""
    _formatter(shell).pop(".".join(_TRACE), None)


def _formatter(shell: InteractiveShell) -> Any:
    # Typed as optional in IPython, but every shell makes one.
    return shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]
