"""``%corpus``: reads a text."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.reading import ReadingOptions, reading_call
from rnn_magics.notebook.live.reading_bar import read_watched
from rnn_magics.notebook.live.warm import warm_up
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.notes import say_notes
from rnn_magics.text.corpus import Corpus


@dataclass(frozen=True, kw_only=True, repr=False)
class CorpusOptions(ReadingOptions):
    """The options of ``%corpus``."""


def corpus_call(options: CorpusOptions) -> Call[Corpus]:
    """Return the library call behind a ``%corpus`` line or a ``%%corpus`` cell.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others.
    SessionError
        If the variable does not exist.
    """
    how = options.cleaning, options.encoding, options.files
    return reading_call(options, options.source, *how)


def corpus(desk: Desk, options: CorpusOptions) -> Corpus:
    """Read a text: a built-in one, files, URLs, a variable, or the body of the cell.

    ::

        %corpus                        the built-in text, no download
        %corpus time_machine --d2l     cleaned as the book does
        %corpus my_notes.txt --valid 0.2
        %corpus books/ notes/*.txt     the files of a folder, and those that fit a pattern
        %corpus texts/*.txt --storage indices    stays on disk, for %vocab --workers
        %corpus books.zip/*.txt logs.gz    what is packed, too
        %corpus chats.jsonl --field messages.content    a field of each record
        %corpus pg84.txt --gutenberg   without header and licence
        %corpus page.html --as text    without its tags
        %corpus $files                 a list of paths, such as files = !ls *.txt
        %corpus https://example.org/a.txt --sha256 HEX --max-download 10
        %corpus --data tokens          the variable `tokens`
        %corpus --data table --field review    a column of a table, a field of records
        %corpus --data x --levels 20   numbers, cut into 20 levels
        %corpus names.txt --documents line     each line begins and ends
        %corpus poems/ --documents file --seed 1     each file, in a shuffled order
        %corpus task:copy --length 10  a made-up task, whose best perplexity is known
        %%corpus poem                  the lines below are the text
    """
    call = corpus_call(options)
    desk.session.refuse_while_training("%corpus")
    taken = read_watched(call)
    desk.session.take_corpus(taken)
    if desk.has_notebook and desk.preferences.prepare:
        warm_up()
    say_notes(desk.session, [*taken.notes, *filter(None, [taken.losses])])
    return taken


MAGIC = Magic(CorpusOptions, corpus, lambda _desk, options: [corpus_call(options)])
