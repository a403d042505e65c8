"""``%save_rnn``: writes a run to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rnn_magics.notebook.line.call import Call, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, run_option, word
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.options import option
from rnn_magics.storage.model_file import save_run


@dataclass(frozen=True, kw_only=True, repr=False)
class SaveOptions(LineOptions):
    """The options of ``%save_rnn``."""

    path: str | None = option(
        None, "path of the file (default: the run's name)", spelling=word(metavar="PATH")
    )
    run: str | None = run_option("which run (default: the newest)")
    force: bool = option(False, "replace even a file that is not a model file")


def saving_call(desk: Desk, options: SaveOptions) -> Call[Path]:
    """Return the library call behind ``%save_rnn``."""
    run = variable("run", desk.session.snapshot_run(options.run))
    return Call.of("path", save_run, run, options.path, force=options.force)


def save_rnn(desk: Desk, options: SaveOptions) -> Path:
    """Write a run to a file: weights, vocabulary, configuration and history.

    If the run is training in the background, it is written as it is between two steps.

    ::

        %save_rnn
        %save_rnn ~/models/wells.safetensors --run gru-1
    """
    return saving_call(desk, options)()


MAGIC = Magic(SaveOptions, save_rnn, lambda desk, options: [saving_call(desk, options)])
