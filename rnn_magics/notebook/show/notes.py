"""What a reader should know, said once."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.results import visible


def say_notes(session: Session, notes: Iterable[str]) -> None:
    """Print what there is to say of a text, unless that was said already."""
    for note in notes:
        if note not in session.said:
            session.said.add(note)
            print(visible(note))


def say_moved(name: str, moved: str | None) -> None:
    """Say how an older run is called now that a new one has its name, if there was one."""
    if moved is not None:
        print(one_line(f"the older run {name} is now called {moved}"))
