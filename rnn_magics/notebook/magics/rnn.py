"""``%rnn``: shows the session, and acts on its runs.

To add an action, write a function of the desk and the typed names, and add a line to `ACTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_magics.cluster.attaching import attach
from rnn_magics.cluster.connection import AUTO
from rnn_magics.errors import ConfigError
from rnn_magics.handout.page import PageConfig, write_page
from rnn_magics.handout.script import write_script
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.language import marked, say, say_number
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, flag_of, part, word
from rnn_magics.notebook.line.reading import looked_up
from rnn_magics.notebook.live.drive import Driver
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.show.status import KeptRuns, diagnose_run, session_status
from rnn_magics.options import Spelling, describe, option
from rnn_magics.reports.comparison import AXES, compare_runs
from rnn_magics.storage.run_folder import kept_runs
from rnn_magics.training.run import Run


@dataclass(frozen=True)
class Action:
    """An action of ``%rnn``.

    Parameters
    ----------
    help
        The help text, in a few words.
    do
        Performs the action on the typed names, and returns what is shown.
    most_names
        The largest number of names; None for no limit.
    takes
        The options of ``%rnn`` that `do` takes, too, by name.
    """

    help: str
    do: Callable[..., Any]
    most_names: int | None = 1
    takes: tuple[str, ...] = ()


def _stop(desk: Desk, names: tuple[str, ...]) -> Any:
    job = desk.session.require_job(*names)
    job.stop()
    job.wait()
    return session_status(desk.session)


def _pause(desk: Desk, names: tuple[str, ...]) -> Any:
    desk.session.require_job(*names).pause()
    return session_status(desk.session)


def _resume(desk: Desk, names: tuple[str, ...]) -> Any:
    desk.session.require_job(*names).resume()
    return session_status(desk.session)


def _attach(
    desk: Desk, names: tuple[str, ...], cluster: str = AUTO, *, background: bool = False
) -> Run:
    desk.session.refuse_while_training("%rnn attach")
    name = names[0] if names else None
    found = attach(name, desk.session.corpus, cluster=cluster)
    if found.note:
        print(one_line(found.note))
    drive = Driver(desk, background=background, trains=found.trains)
    drive(found.run, found.state, found.listeners)
    return found.run


def _doctor(desk: Desk, names: tuple[str, ...]) -> Any:
    return diagnose_run(desk.session.snapshot_run(*names), desk.session.require_batches())


def _compare(desk: Desk, names: tuple[str, ...], against: str = "epochs") -> Any:
    session = desk.session
    if not names:
        session.require_run()
    runs = [_run_or_trial(session, name) for name in names or session.runs]
    return compare_runs(runs, against=against)


def _run_or_trial(session: Session, name: str) -> Run:
    # The runs of a sweep are not in the session, but in its folder: sweep-1-7 is its trial 7.
    if name not in session.runs:
        sweep, _, number = name.rpartition("-")
        if sweep in session.sweeps and number.isdecimal() and number.isascii():
            return session.sweeps[sweep].run(int(number))
    return session.require_run(name)


def _runs(_desk: Desk, names: tuple[str, ...]) -> Any:
    return KeptRuns(kept_runs(*names))


def _code(desk: Desk, names: tuple[str, ...]) -> Any:
    run = desk.session.require_run(*names[:1])
    script = write_script(run, desk.session.corpus_of(run), *names[1:])
    desk.shell.set_next_input(script.source)
    return script


def _page(
    desk: Desk,
    names: tuple[str, ...],
    page: PageConfig | None = None,
    show: Sequence[Trace] = (),
) -> Any:
    if not names:
        msg = say("%rnn page needs a file: %rnn page model.html, or %rnn page RUN model.html")
        raise ConfigError(msg)
    run = desk.session.require_run(*names[:-1])
    return write_page(run, names[-1], desk.session.corpus, page, show)


ACTIONS: dict[str, Action] = {
    "stop": Action("end a background run", _stop),
    "pause": Action("pause a background run", _pause),
    "resume": Action("continue a paused run", _resume),
    "attach": Action(
        "follow a run on a Ray cluster whose kernel has ended",
        _attach,
        takes=("cluster", "background"),
    ),
    "compare": Action(
        "show in what runs differ and what each has reached",
        _compare,
        most_names=None,
        takes=("against",),
    ),
    "runs": Action("list the runs kept in a folder", _runs),
    "doctor": Action("look for silent mistakes in a model", _doctor),
    "code": Action(
        "write the run as plain PyTorch into the next cell; a FILE after RUN keeps a long text",
        _code,
        most_names=2,
    ),
    "page": Action(
        marked("write the run, its model and its views into one HTML FILE: page [RUN] FILE"),
        _page,
        most_names=2,
        takes=("page", "show"),
    ),
}


@dataclass(frozen=True, kw_only=True, repr=False)
class RnnOptions(LineOptions):
    """The options of ``%rnn``."""

    action: str | None = option(
        None,
        lambda: (
            say("; ").join(f"{name}: {say(action.help)}" for name, action in ACTIONS.items())
            + say("; without an action, show the session")
        ),
        choices=lambda: list(ACTIONS),
        spelling=word(metavar="ACTION"),
    )
    names: tuple[str, ...] = option(
        (),
        "which run (default: the newest); for runs, a folder",
        spelling=word(metavar="RUN", suggest="runs"),
    )
    against: str = option(
        "epochs", "what the picture of compare is drawn against", choices=lambda: list(AXES)
    )
    cluster: str = option(
        AUTO,
        "with attach: the Ray cluster of the run",
        spelling=Spelling(metavar="HOST:PORT|auto"),
    )
    background: bool = option(
        False, "with attach: return at once, and follow the run in the background"
    )
    reset: bool = option(False, "forget corpus, vocabulary and runs")
    show: tuple[str, ...] = option(
        (),
        marked("variables with what %inspect_rnn returned, to stand in a page, too"),
        spelling=Spelling(metavar="A,B", suggest="variables"),
    )
    page: PageConfig = part(PageConfig)


def rnn(desk: Desk, options: RnnOptions) -> Any:
    """Show the session, steer a background run, or look for silent mistakes.

    ::

        %rnn
        %rnn pause
        %rnn stop gru-1
        %rnn attach gru-1                    after a restart of the kernel, a run on a cluster
        %rnn compare gru-1 gru-2 --against tokens
        %rnn compare sweep-1-0 sweep-1-7     trials of a sweep
        %rnn doctor
        %rnn runs ~/runs
        %rnn page gru-1 gru.html
        %rnn page gru-1 gru.html --show patch,diff
        %rnn --reset
    """
    action = None if options.action is None else ACTIONS[options.action]
    _refuse_foreign(action, options)
    done = session_status(desk.session) if action is None else _do(desk, action, options)
    if not options.reset:
        return done
    desk.session.reset()
    return session_status(desk.session)


def _do(desk: Desk, action: Action, options: RnnOptions) -> Any:
    names = options.names
    if action.most_names is not None and len(names) > action.most_names:
        msg = say(
            "%rnn {action} takes at most {most}, not {given}; leave {name!r} out",
            action=options.action,
            most=say_number(action.most_names, "{number} name", "{number} names"),
            given=len(names),
            name=names[action.most_names],
        )
        raise ConfigError(msg)
    given: dict[str, Any] = {
        "against": options.against,
        "cluster": options.cluster,
        "background": options.background,
        "page": options.page,
        "show": [_trace(options, name) for name in options.show],
    }
    return action.do(desk, names, **{name: given[name] for name in action.takes})


def _trace(options: RnnOptions, name: str) -> Trace:
    found = looked_up(name, options.line.variables)
    if not isinstance(found, Trace):
        msg = say("{name!r} is no variable with what %inspect_rnn returned", name=name)
        raise ConfigError(msg)
    return found


def _refuse_foreign(action: Action | None, options: RnnOptions) -> None:
    of_page = tuple(field.name for field in describe(PageConfig))
    alone = ("against", "cluster", "background", "show")
    for part_of_it, names in {"page": of_page, **{name: (name,) for name in alone}}.items():
        typed = [name for name in names if name in options.line.typed]
        if typed and not (action and part_of_it in action.takes):
            owner = next(name for name, each in ACTIONS.items() if part_of_it in each.takes)
            msg = say(
                "{option} is for %rnn {action}; leave it out",
                option=flag_of(RnnOptions, typed[0]),
                action=owner,
            )
            raise ConfigError(msg)


MAGIC = Magic(
    RnnOptions, rnn, marked("%rnn works on the session of this notebook, not on the library")
)
