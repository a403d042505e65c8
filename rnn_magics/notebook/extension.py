"""What ``%load_ext rnn_magics`` registers, and ``%unload_ext`` takes back."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.notebook import announce
from rnn_magics.notebook.completion import IDENTIFIER, OptionMatcher
from rnn_magics.notebook.display import register_formatters, unregister_formatters
from rnn_magics.notebook.evaluating import EvaluatingMagics
from rnn_magics.notebook.file_magics import FileMagics
from rnn_magics.notebook.group import SessionMagics
from rnn_magics.notebook.inspect_magics import InspectMagics
from rnn_magics.notebook.magics import RNNMagics
from rnn_magics.notebook.panel_magics import PanelMagics
from rnn_magics.notebook.session import Session

_SESSION = "_rnn_magics_session"
GROUPS: tuple[type[SessionMagics], ...] = (
    RNNMagics,
    FileMagics,
    InspectMagics,
    EvaluatingMagics,
    PanelMagics,
)
"""The magics, one theme a class."""


def load(shell: InteractiveShell) -> None:
    """Register magics, completion and formatters.

    The session belongs to the shell: one that an earlier loading left there is taken up, so
    that ``%reload_ext`` and unloading lose no model.
    """
    unload(shell)
    session = getattr(shell, _SESSION, None) or Session()
    setattr(shell, _SESSION, session)
    for group in GROUPS:
        shell.register_magics(group(shell, session))
    shell.Completer.custom_matchers.append(OptionMatcher(shell, session).matcher)
    register_formatters(shell)
    announce.start(shell, session)


def unload(shell: InteractiveShell) -> None:
    """Take back everything that `load` registered; the session stays with the shell."""
    for group in GROUPS:
        magics = shell.magics_manager.registry.pop(group.__name__, None)
        if magics is None:
            continue
        for kind, names in group.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        shell.configurables.remove(magics)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != IDENTIFIER]
    unregister_formatters(shell)
    announce.stop(shell)
