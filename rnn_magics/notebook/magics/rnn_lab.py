"""``%rnn_lab``: opens the control panel."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.errors import SessionError
from rnn_magics.language import marked, say
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions
from rnn_magics.notebook.panel.panel import ControlPanel
from rnn_magics.notebook.session.desk import Desk


@dataclass(frozen=True, kw_only=True, repr=False)
class LabOptions(LineOptions):
    """The options of ``%rnn_lab``."""


def rnn_lab(desk: Desk, _options: LabOptions) -> ControlPanel:
    """Open the control panel: corpus, vocabulary, minibatches, training and text with widgets.

    Below each form is the magic line that does the same; a button inserts that line into the
    notebook.

    ::

        %rnn_lab
    """
    if not desk.has_notebook:
        msg = say("the panel needs a notebook; in a terminal, type %corpus, %vocab, %sample ...")
        raise SessionError(msg)
    return ControlPanel(desk.shell, desk.session)


MAGIC = Magic(
    LabOptions, rnn_lab, marked("the panel runs the lines that it shows; each takes --explain")
)
