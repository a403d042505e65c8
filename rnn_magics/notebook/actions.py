"""What ``%rnn`` can do, by the word that is typed after it.

To add an action, write a function of the shell, the session and the names that were typed, and
put a line into `ACTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.errors import ConfigError
from rnn_magics.notebook.session import Session


@dataclass(frozen=True)
class Action:
    """One thing that ``%rnn`` can do.

    Parameters
    ----------
    help
        What it does, in a few words.
    do
        Does it, and returns what is shown. Takes the names that were typed.
    most_names
        How many names may be typed; None for any number.
    """

    help: str
    do: Callable[[InteractiveShell, Session, list[str]], Any]
    most_names: int | None = 1


def act(shell: InteractiveShell, session: Session, word: str | None, names: list[str]) -> Any:
    """Do what was typed after ``%rnn``; without a word, say where the session stands.

    Raises
    ------
    ConfigError
        When more names were typed than the action takes.
    """
    from rnn_magics.notebook.status import session_status  # noqa: PLC0415  (torch on demand)

    if word is None:
        return session_status(session)
    action = ACTIONS[word]
    if action.most_names is not None and len(names) > action.most_names:
        msg = f"%rnn {word} does not expect {names[action.most_names]!r}"
        raise ConfigError(msg)
    return action.do(shell, session, names)


def _stop(_shell: InteractiveShell, session: Session, names: list[str]) -> Any:
    from rnn_magics.notebook.status import session_status  # noqa: PLC0415

    job = session.require_job(*names)
    job.stop()
    job.wait()
    return session_status(session)


def _pause(_shell: InteractiveShell, session: Session, names: list[str]) -> Any:
    from rnn_magics.notebook.status import session_status  # noqa: PLC0415

    session.require_job(*names).pause()
    return session_status(session)


def _resume(_shell: InteractiveShell, session: Session, names: list[str]) -> Any:
    from rnn_magics.notebook.status import session_status  # noqa: PLC0415

    session.require_job(*names).resume()
    return session_status(session)


def _doctor(_shell: InteractiveShell, session: Session, names: list[str]) -> Any:
    from rnn_magics.notebook.status import diagnose_run  # noqa: PLC0415

    return diagnose_run(session.snapshot(*names), session.require_batches())


def _compare(_shell: InteractiveShell, session: Session, names: list[str]) -> Any:
    from rnn_magics.notebook.comparison import Comparison  # noqa: PLC0415  (torch on demand)

    session.require_run()
    return Comparison([session.require_run(name) for name in names or session.runs])


def _runs(_shell: InteractiveShell, _session: Session, names: list[str]) -> Any:
    from rnn_magics.notebook.status import KeptRuns  # noqa: PLC0415
    from rnn_magics.storage.run_folder import kept_runs  # noqa: PLC0415

    return KeptRuns(kept_runs(*names))


def _code(shell: InteractiveShell, session: Session, names: list[str]) -> Any:
    from rnn_magics.handout.script import write_script  # noqa: PLC0415

    run = session.require_run(*names[:1])
    script = write_script(run, session.corpus_of(run), *names[1:])
    shell.set_next_input(script.source)
    return script


ACTIONS: dict[str, Action] = {
    "stop": Action("end a run that trains in the background", _stop),
    "pause": Action("hold it", _pause),
    "resume": Action("let it go on", _resume),
    "compare": Action("draw several runs in one picture", _compare, most_names=None),
    "runs": Action("list the runs kept in a folder", _runs),
    "doctor": Action("look for silent mistakes in a model", _doctor),
    "code": Action(
        "put the run into the next cell as plain PyTorch; a FILE after RUN takes its text",
        _code,
        most_names=2,
    ),
}
