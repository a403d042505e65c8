"""The magics of files: a run is written to one, and read from one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic import line_magic, magics_class

from rnn_magics.notebook import declare
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.command import command
from rnn_magics.notebook.group import SessionMagics
from rnn_magics.notebook.visible import one_line

if TYPE_CHECKING:
    from rnn_magics.training.run import Run


@magics_class
class FileMagics(SessionMagics):
    """Runs in files."""

    @line_magic
    @command(declare.save_rnn)
    def save_rnn(self, options: argparse.Namespace, _cell: str | None = None) -> Path | None:
        """Write a run to a file: weights, vocabulary, configuration, history.

        A run that trains in the background is written as it is between two steps.

        ::

            %save_rnn
            %save_rnn ~/models/wells.safetensors --run gru-1
        """
        run = self.session.snapshot_run(getattr(options, "run", None))
        path = [options.path] if hasattr(options, "path") else []
        force = getattr(options, "force", None)
        call = Call("path", "save_run", (Named("run", run), *path), {"force": force})
        if self.explains(options, call):
            return None
        saved: Path = call()
        return saved

    @line_magic
    @command(declare.load_rnn)
    def load_rnn(self, options: argparse.Namespace, _cell: str | None = None) -> Run | None:
        """Read a run from a file; no code that a file may hold is ever run.

        ::

            run = %load_rnn gru-1.safetensors
            %load_rnn ~/models/wells.safetensors --name wells
            %load_rnn runs/first --epoch 3
        """
        words = {word: getattr(options, word, None) for word in ("name", "epoch")}
        call = Call("run", "load_run", (options.path,), words)
        if self.explains(options, call):
            return None
        self.session.refuse_while_training("%load_rnn")
        from rnn_magics.storage.atomic import user_path  # noqa: PLC0415  (torch is there by now)

        run: Run = call()
        folder = options.path if user_path(options.path).is_dir() else None
        if (moved := self.session.keep(run, folder=folder)) is not None:
            print(one_line(f"the older run {run.name} is now called {moved}"))
        return run
