"""Notes to the user, each printed once."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_magics.language import say
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.results import visible


def say_notes(session: Session, notes: Iterable[str]) -> None:
    """Print the notes on a text that were not printed before."""
    for note in notes:
        if note not in session.said:
            session.said.add(note)
            print(visible(note))


def say_moved(name: str, moved: str | None) -> None:
    """Print the new name of an older run whose name a new run has taken, if there is one."""
    if moved is not None:
        print(one_line(say("the older run {name} is now called {moved}", name=name, moved=moved)))
