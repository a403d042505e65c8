"""What ``%load_ext rnn_magics`` registers and ``%unload_ext`` removes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.notebook.line.bare import BareWordChecker
from rnn_magics.notebook.line.command import Magic, command
from rnn_magics.notebook.line.completion import IDENTIFIER, OptionMatcher
from rnn_magics.notebook.page import announce
from rnn_magics.notebook.page.once import register_views, unregister_views
from rnn_magics.notebook.session.desk import Desk, RunningCell, has_kernel
from rnn_magics.notebook.session.interface import interface_language
from rnn_magics.notebook.session.preferences import RNNMagics
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.formatters import register_formatters, unregister_formatters

_SESSION = "_rnn_magics_session"
MAGICS: dict[str, tuple[str, ...]] = {
    "corpus": ("line", "cell"),
    "vocab": ("line",),
    "sample": ("line",),
    "train_rnn": ("line",),
    "sweep": ("line",),
    "generate": ("line",),
    "baseline": ("line",),
    "evaluate_rnn": ("line", "cell"),
    "inspect_rnn": ("line",),
    "save_rnn": ("line",),
    "load_rnn": ("line",),
    "rnn": ("line",),
    "rnn_lab": ("line",),
    "exercise": ("line",),
}
"""The magics, each with its kinds. A magic is the ``MAGIC`` of the module with the same name."""


def load_magic(name: str) -> Magic[Any]:
    """Import a magic by name."""
    magic: Magic[Any] = import_module(f"rnn_magics.notebook.magics.{name}").MAGIC
    return magic


def load(shell: InteractiveShell) -> None:
    """Register the magics, their completion and the formatters.

    The session belongs to the shell and outlives the extension, so neither ``%reload_ext`` nor
    ``%unload_ext`` loses a model.
    """
    unload(shell)
    session = getattr(shell, _SESSION, None) or Session()
    setattr(shell, _SESSION, session)
    language = interface_language(has_notebook=has_kernel(shell))
    desk = Desk(shell, session, RNNMagics(parent=shell, interface=language))
    shell.configurables.append(desk.preferences)  # type: ignore[arg-type]  # any Configurable
    commands = {
        name: command(name, lambda name=name: load_magic(name), desk)  # type: ignore[misc]
        for name in MAGICS
    }
    for name, kinds in MAGICS.items():
        for kind in kinds:
            shell.magics_manager.magics[kind][name] = commands[name]
    shell.events.register("pre_run_cell", desk.cell)
    BareWordChecker(shell, MAGICS)
    shell.Completer.custom_matchers.append(OptionMatcher(desk, commands).matcher)
    register_formatters(shell)
    register_views(shell, desk)
    announce.start(desk)


def unload(shell: InteractiveShell) -> None:
    """Remove everything that `load` registered; the session stays with the shell."""
    for name, kinds in MAGICS.items():
        for kind in kinds:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, RNNMagics)]
    for cell in [c for c in shell.events.callbacks["pre_run_cell"] if isinstance(c, RunningCell)]:
        shell.events.unregister("pre_run_cell", cell)
    BareWordChecker.unregister(shell)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != IDENTIFIER]
    unregister_formatters(shell)
    unregister_views(shell)
    announce.stop(shell)
