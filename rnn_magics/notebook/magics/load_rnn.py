"""``%load_rnn``: reads a run from a file or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, new_name, word
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.notes import say_moved
from rnn_magics.options import AT_LEAST_ONE, Spelling, option
from rnn_magics.storage.loading import load_run
from rnn_magics.training.run import Run


@dataclass(frozen=True, kw_only=True, repr=False)
class LoadOptions(LineOptions):
    """The options of ``%load_rnn``."""

    path: str = option(
        "", "a model file, or the folder of a run", spelling=word(metavar="PATH", required=True)
    )
    name: str | None = option(
        None, "name of the run (default: its old name)", spelling=new_name(metavar="NAME")
    )
    epoch: int | Literal["best"] | None = option(
        None,
        "from a folder, the run after epoch K, or with the best held-out score",
        within=AT_LEAST_ONE,
        spelling=Spelling(metavar="K|best"),
    )


def loading_call(options: LoadOptions) -> Call[Run]:
    """Return the library call behind ``%load_rnn``."""
    return Call.of("run", load_run, options.path, name=options.name, epoch=options.epoch)


def load_rnn(desk: Desk, options: LoadOptions) -> Run:
    """Read a run from a file or a folder; no code in a file is ever executed.

    ::

        run = %load_rnn gru-1.safetensors
        %load_rnn ~/models/wells.safetensors --name wells
        %load_rnn runs/first --epoch 3
        %load_rnn runs/first --epoch best
    """
    desk.session.refuse_while_training("%load_rnn")
    run = loading_call(options)()
    say_moved(run.name, desk.session.keep(run))
    return run


MAGIC = Magic(LoadOptions, load_rnn, lambda _desk, options: [loading_call(options)])
