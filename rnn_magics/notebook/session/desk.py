"""Desk: what a magic works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

from rnn_magics.notebook.session.preferences import RNNMagics
from rnn_magics.notebook.session.session import Session


class RunningCell:
    """The running cell.

    Attributes
    ----------
    source
        Its source, as it was typed.
    shown
        The results whose views stand in its output.
    """

    def __init__(self) -> None:
        self.source = ""
        self.shown: list[Any] = []

    def __call__(self, info: ExecutionInfo) -> None:
        """Begin with a cell that is about to run; IPython calls this before each cell."""
        self.source = info.raw_cell or ""
        self.shown.clear()

    def shows(self, thing: object) -> bool:
        """Whether the view of this very object stands in the output."""
        return any(shown is thing for shown in self.shown)


@dataclass(frozen=True)
class Desk:
    """A shell, its session, and the display preferences of its user.

    Parameters
    ----------
    shell
        The shell in which the magics are registered.
    session
        The corpus, vocabulary, minibatches and runs so far.
    preferences
        The settings of ``%config RNNMagics``.
    cell
        The running cell.
    """

    shell: InteractiveShell
    session: Session
    preferences: RNNMagics
    cell: RunningCell = field(default_factory=RunningCell)

    @property
    def has_notebook(self) -> bool:
        """Whether the shell serves a notebook rather than a terminal."""
        return has_kernel(self.shell)

    @property
    def shows_figures(self) -> bool:
        """Whether the front end shows more than text, and figures are switched on."""
        formatter = self.shell.display_formatter
        return (
            self.preferences.figures
            and formatter is not None
            and "image/png" in formatter.active_types
        )

    @property
    def shows_live(self) -> bool:
        """Whether the shell serves a notebook and live views are switched on."""
        return self.preferences.live and self.has_notebook


def has_kernel(shell: InteractiveShell) -> bool:
    """Whether a shell belongs to a kernel."""
    return getattr(shell, "kernel", None) is not None
