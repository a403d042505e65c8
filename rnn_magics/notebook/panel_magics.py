"""The magic that opens the control panel: ``%rnn_lab``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from IPython.core.magic import line_magic, magics_class

from rnn_magics.errors import SessionError
from rnn_magics.notebook import declare
from rnn_magics.notebook.command import command
from rnn_magics.notebook.group import SessionMagics

if TYPE_CHECKING:
    from rnn_magics.notebook.panel import ControlPanel


@magics_class
class PanelMagics(SessionMagics):
    """The whole pipeline by widgets."""

    @line_magic
    @command(declare.rnn_lab)
    def rnn_lab(self, options: argparse.Namespace, _cell: str | None = None) -> ControlPanel | None:
        """Open the control panel: corpus, vocabulary, minibatches, training and text by widgets.

        Whatever is chosen stands below as the line that does the same; a button puts that line
        into the notebook.

        ::

            %rnn_lab
        """
        if hasattr(options, "explain"):
            return print("# the panel runs the lines that it shows; each has an --explain")
        if not self.has_notebook:
            msg = "the panel is for notebooks; in a terminal type %corpus, %vocab, %sample ..."
            raise SessionError(msg)
        from rnn_magics.notebook.panel import ControlPanel  # noqa: PLC0415  (ipywidgets on demand)

        return ControlPanel(self.shell, self.session)
