"""A group of magics that work on one session."""

from __future__ import annotations

import argparse

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics
from IPython.display import display

from rnn_magics.notebook.calls import Call
from rnn_magics.notebook.display import Bundle
from rnn_magics.notebook.session import Session


class SessionMagics(Magics):
    """Base of our groups of magics, one theme each.

    Parameters
    ----------
    shell
        Where they are registered.
    session
        What the notebook has made so far; all groups share it.
    """

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @property
    def shows_figures(self) -> bool:
        """Whether figures are wanted: ``%config RNNMagics.figures`` speaks for all groups."""
        return bool(self.shell.magics_manager.registry["RNNMagics"].figures)

    @property
    def shows_live(self) -> bool:
        """Whether there is a notebook, and live views are wanted: ``%config RNNMagics.live``."""
        return bool(self.shell.magics_manager.registry["RNNMagics"].live) and self.has_notebook

    @property
    def has_notebook(self) -> bool:
        """Whether the shell talks to a notebook, rather than to a terminal."""
        return getattr(self.shell, "kernel", None) is not None

    def explains(self, options: argparse.Namespace, *calls: Call) -> bool:
        """Show the calls instead of making them, where ``--explain`` was typed."""
        if not hasattr(options, "explain"):
            return False
        from rnn_magics.notebook.explain import explain  # noqa: PLC0415

        explanation = explain(self.session, *calls)
        forms = {"text/plain": explanation.plain(), "text/markdown": explanation.markdown()}
        display(Bundle(forms))
        return True
