"""``%corpus``: reads a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnn_magics.errors import ConfigError, SessionError
from rnn_magics.notebook.line.call import Call, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, named, new_name, part, word
from rnn_magics.notebook.line.words import names_of
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.notes import say_notes
from rnn_magics.options import describe, did_you_mean, option
from rnn_magics.text.corpus import DEFAULT_SOURCE, Corpus, CorpusConfig
from rnn_magics.text.reading.download import DownloadConfig
from rnn_magics.text.reading.sources import BUILTINS, is_url


@dataclass(frozen=True, kw_only=True, repr=False)
class CorpusOptions(LineOptions):
    """The options of ``%corpus``."""

    source: tuple[str, ...] = option(
        (),
        lambda: f"built-in: {', '.join(BUILTINS)} (default {DEFAULT_SOURCE}); a name in %%corpus",
        metavar="NAME|PATH|URL",
        spelling=word(suggest=lambda: list(BUILTINS)),
    )
    data: str | None = option(
        None,
        "a variable with text, a list of lines, or tokens",
        metavar="NAME",
        spelling=named(suggest="variables"),
    )
    as_tokens: bool = option(False, "read a list of strings in --data as tokens")
    encoding: str | None = option(
        None, "encoding of files and downloads (default UTF-8)", metavar="NAME", spelling=named()
    )
    name: str | None = option(
        None, "name of the corpus in listings", metavar="NAME", spelling=new_name()
    )
    cleaning: CorpusConfig = part(CorpusConfig)
    download: DownloadConfig = part(DownloadConfig)


def corpus_call(options: CorpusOptions) -> Call[Corpus]:
    """Return the library call behind a ``%corpus`` line or a ``%%corpus`` cell.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others.
    SessionError
        If the variable does not exist.
    """
    _refuse_useless(options)
    cleaning, name, sources = options.cleaning, options.name, options.source
    cell = options.line.cell
    if cell is not None:
        title = name or " ".join(sources) or "cell"
        return Call.of("corpus", Corpus.from_text, cell, cleaning, name=title, origin="cell")
    if options.data is not None:
        data = variable(options.data, _looked_up(options.data, options.line.variables))
        read = Corpus.from_tokens if options.as_tokens else Corpus.from_data
        return Call.of("corpus", read, data, cleaning, name=name or options.data)
    several = list(sources) or DEFAULT_SOURCE
    return Call.of(
        "corpus",
        Corpus.load,
        sources[0] if len(sources) == 1 else several,
        cleaning,
        encoding=options.encoding,
        name=name,
        download=options.download,
    )


def _looked_up(name: str, variables: Mapping[str, Any]) -> Any:
    if name not in variables:
        msg = f"the notebook has no variable {name!r}{did_you_mean(name, names_of(variables))}"
        raise SessionError(msg)
    return variables[name]


def _refuse_useless(options: CorpusOptions) -> None:
    # Refuse an option that would have no effect.
    msg, is_cell, has_data = "", options.line.cell is not None, options.data is not None
    if is_cell and has_data:
        msg = "the body of the cell is the text; leave --data out, or type %corpus with one %"
    elif has_data and options.source:
        first = options.source[0]
        msg = f"--data already says where the text comes from; leave {first!r} out"
    elif options.as_tokens and not has_data:
        msg = "--as-tokens needs --data NAME; add that, or leave --as-tokens out"
    elif options.encoding is not None and (is_cell or has_data):
        msg = "--encoding is for files and downloads; leave it out"
    elif limit := _useless_limit(options):
        msg = f"{limit} is for downloads; leave it out, or name an http:// or https:// address"
    if msg:
        raise ConfigError(msg)


def _useless_limit(options: CorpusOptions) -> str:
    # A download option, when nothing is downloaded.
    if options.line.cell is None and any(map(is_url, options.source)):
        return ""
    limits = describe(DownloadConfig)
    return next((limit.flag for limit in limits if limit.name in options.line.typed), "")


def corpus(desk: Desk, options: CorpusOptions) -> Corpus:
    """Read a text: a built-in one, files, URLs, a variable, or the body of the cell.

    ::

        %corpus                        the built-in text, no download
        %corpus time_machine --d2l     cleaned as the book does
        %corpus my_notes.txt --valid 0.2
        %corpus https://example.org/a.txt --sha256 HEX --max-download 10
        %corpus --data series          the variable `series`
        %%corpus poem                  the lines below are the text
    """
    call = corpus_call(options)
    desk.session.refuse_while_training("%corpus")
    taken = call()
    desk.session.take_corpus(taken)
    say_notes(desk.session, [*taken.notes, *filter(None, [taken.losses])])
    return taken


MAGIC = Magic(CorpusOptions, corpus, lambda _desk, options: [corpus_call(options)])
