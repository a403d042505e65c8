"""``%sweep``: searches for the settings with the lowest held-out score."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.language import marked, say
from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, flag_of, named, part, word
from rnn_magics.notebook.live.sweeping import SweepDriver
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.notes import say_moved
from rnn_magics.options import AT_LEAST_ONE, Spelling, option
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.kept import KeptSweeps, kept_sweeps, load_sweep
from rnn_magics.sweeps.loop import check_sweep, check_workers, resume_sweep
from rnn_magics.sweeps.loop import sweep as search_settings
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns

_ACTIONS = {
    "list": marked("the sweeps kept in a folder"),
    "load": marked("a sweep from its folder"),
}
_PLACE = "sweeps"  # where sweeps are kept unless somebody says otherwise
_CHANGEABLE = {"trials", "budget", "confirm"}


@dataclass(frozen=True, kw_only=True, repr=False)
class SweepOptions(LineOptions):
    """The options of ``%sweep``."""

    action: str | None = option(
        None,
        lambda: (
            say("; ").join(f"{name}: {say(text)}" for name, text in _ACTIONS.items())
            + say("; without an action, search")
        ),
        choices=lambda: list(_ACTIONS),
        spelling=word(metavar="ACTION"),
    )
    place: str | None = option(None, "the folder to list or to load", spelling=word(metavar="DIR"))
    folder: str | None = option(
        None,
        "keep the sweep in this new folder; by default sweeps/sweep-1 and so on",
        spelling=Spelling(metavar="DIR", is_name=True, verbatim=True),
        label="Folder",
    )
    resume: str | None = option(
        None,
        "go on with a sweep, its open trials bit for bit",
        spelling=named(metavar="DIR|last"),
        label="Resume",
    )
    workers: int | None = option(
        None,
        "train so many trials at once, in processes that share the cores",
        within=AT_LEAST_ONE,
        label="Workers",
        spelling=Spelling(metavar="N"),
    )
    cluster: str | None = option(
        None,
        "train trials on this Ray cluster, whose machines all see the folder",
        spelling=named(metavar="HOST:PORT|auto"),
        label="Cluster",
    )
    no_baseline: bool = option(
        False, "do not fit n-gram models for comparison", label="No n-gram baselines"
    )
    config: SweepConfig = part(SweepConfig)
    space: Space = part(Space)


def sweep_call(desk: Desk, options: SweepOptions) -> Call[Any]:
    """Return the library call behind ``%sweep``.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others.
    """
    if options.action is not None:
        return _action_call(options)
    if options.resume is not None:
        _refuse_beside(
            options, {"resume", "no_baseline", "workers", "cluster", *_CHANGEABLE}, "--resume"
        )
        config, typed = options.config, options.line.typed
        changes: dict[str, Any] = {
            name: value for name, value in config.to_dict().items() if name in typed & _CHANGEABLE
        }
        batches = desk.session.require_batches()
        there: dict[str, Any] = {"workers": options.workers, "cluster": options.cluster}
        return Call.of("found", resume_sweep, options.resume, batches, **there, **changes)
    batches = desk.session.require_batches()
    check_sweep(batches, options.space, options.config)
    check_workers(options.workers, options.space, options.cluster)
    folder = options.folder or _free_folder()
    settings = batches, options.space, options.config
    where: dict[str, Any] = {"workers": options.workers, "cluster": options.cluster}
    return Call.of("found", search_settings, *settings, folder=folder, **where)


def _action_call(options: SweepOptions) -> Call[Any]:
    _refuse_beside(options, {"action", "place"}, f"%sweep {options.action}")
    if options.action == "load":
        return Call.of("found", load_sweep, options.place or "last")
    return Call.of("kept", kept_sweeps, options.place or ".")


def _refuse_beside(options: SweepOptions, allowed: set[str], what: str) -> None:
    others = options.line.typed - allowed - {"explain"}
    if others:
        flag = flag_of(SweepOptions, min(others))
        msg = say("{what} takes a sweep as it is; leave {flag} out", what=what, flag=flag)
        raise ConfigError(msg)


def _free_folder() -> str:
    folders = (f"{_PLACE}/sweep-{number}" for number in itertools.count(1))
    return next(folder for folder in folders if not Path(folder).exists())


def sweep(desk: Desk, options: SweepOptions) -> SweepRuns | KeptSweeps:
    """Search for the settings with the lowest held-out score.

    Every option of %train_rnn, %vocab and %sample may be a list or a range. An interrupt saves the
    trial after the current step.

    ::

        %sweep --num-hiddens 64,128,256 --lr 1e-4:1e-2 --cell gru,lstm --trials 30 --budget 10m
        %sweep --lr 1e-3:1e-1 --epochs 3 --search random --prune hyperband --confirm 3
        %sweep --token char,word --num-hiddens 32:256 --objective parameters --within 200000
        %sweep --resume last --trials 40 --workers 2
        %sweep --lr 1e-4:1e-2 --cluster auto --folder /shared/sweep-1
        %sweep list
        found = %sweep load sweeps/sweep-1
    """
    call = sweep_call(desk, options)
    if options.action is not None:
        found: SweepRuns | KeptSweeps = call()
        if isinstance(found, SweepRuns):
            desk.session.sweeps[found.name] = found
        return found
    desk.session.refuse_while_training("%sweep")
    session = desk.session
    fit = None if options.no_baseline else session.baselines.fit(session.require_batches())
    made: SweepRuns = call(drive=SweepDriver(desk, fit))
    session.sweeps[made.name] = made
    if made.best is not None:
        best = made.run()
        kept = session.runs.get(best.name)
        if kept is not None and kept.folder == best.folder:  # the sweep went on, with the same best
            best = kept
        else:
            say_moved(best.name, session.keep(best))
        if fit is not None and not made.space.has_other_tokens:
            fit.attach(best)
    return made


MAGIC = Magic(SweepOptions, sweep, lambda desk, options: [sweep_call(desk, options)])
