"""What a reader should know about a text, said once."""

from __future__ import annotations

from rnn_magics.notebook.show.escape import one_line, visible
from rnn_magics.text.corpus import Corpus


def say_notes(corpus: Corpus) -> None:
    """Print what the reading of a text has to say."""
    while corpus.notes:  # each is said once
        print(visible(corpus.notes.pop(0)))


def say_moved(name: str, moved: str | None) -> None:
    """Say how an older run is called now that a new one has its name, if there was one."""
    if moved is not None:
        print(one_line(f"the older run {name} is now called {moved}"))
