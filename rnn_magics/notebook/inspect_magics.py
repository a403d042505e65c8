"""The magic that looks inside: ``%inspect_rnn``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from IPython.core.magic import line_magic, magics_class

from rnn_magics.notebook import declare
from rnn_magics.notebook.command import command
from rnn_magics.notebook.group import SessionMagics

if TYPE_CHECKING:
    from rnn_magics.inspection.inspectors import Trace


@magics_class
class InspectMagics(SessionMagics):
    """Looking inside a model, and at its minibatches."""

    @line_magic
    @command(declare.inspect_rnn)
    def inspect_rnn(self, options: argparse.Namespace, _cell: str | None = None) -> Trace | None:
        """Look inside a model while it reads a text; the result has the arrays by name.

        Of a run that trains in the background, a copy is looked at.

        ::

            trace = %inspect_rnn hidden "the time machine" --order variance
            %inspect_rnn gates "the time machine" --run lstm-1 --layer 0
            %inspect_rnn surprise "the time machine" --top 3
            %inspect_rnn gradient "the time machine" --step 8
            %inspect_rnn match "the time machine" --span 4:8
            %inspect_rnn units --unit 17
            %inspect_rnn batches

        With ``--epochs``, after each epoch that a run keeps in its folder::

            trace = %inspect_rnn hidden "the time machine" --epochs
            %inspect_rnn surprise "the time machine" --epochs runs/first
        """
        from rnn_magics.notebook.inspecting import inspection_call, show_trace  # noqa: PLC0415

        call = inspection_call(self.session, options)
        if self.explains(options, call):
            return None
        trace: Trace = call()
        if self.shows_figures:
            show_trace(self.session, call, trace, options, live=self.shows_live)
        return trace
