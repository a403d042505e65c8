"""From ``%corpus`` to a text: which source is meant."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rnn_magics.errors import ConfigError, SessionError
from rnn_magics.notebook.arguments import collect, flag_of
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.words import names_of
from rnn_magics.options import describe, did_you_mean


def corpus_call(
    options: argparse.Namespace, cell: str | None, variables: Mapping[str, Any]
) -> Call:
    """Return the library call that a ``%corpus`` line or a ``%%corpus`` cell stands for.

    Parameters
    ----------
    options
        What was typed.
    cell
        The body of the cell, verbatim; None for a line.
    variables
        Of the notebook, for ``--data``.

    Raises
    ------
    ConfigError
        When an option has no effect beside the others.
    SessionError
        When the variable does not exist.
    """
    from rnn_magics.text.corpus import (  # noqa: PLC0415  (numpy on demand)
        DEFAULT_SOURCE,
        CorpusConfig,
    )
    from rnn_magics.text.download import DownloadConfig  # noqa: PLC0415

    _refuse_useless(options, cell)
    config = collect(CorpusConfig, options)
    name = getattr(options, "name", None)
    sources = getattr(options, "source", [])
    if cell is not None:
        title = name or " ".join(sources) or "cell"
        return Call("corpus", "Corpus.from_text", (cell, config), {"name": title, "origin": "cell"})
    if hasattr(options, "data"):
        named = Named(options.data, _variable(options.data, variables))
        method = "from_tokens" if hasattr(options, "as_tokens") else "from_data"
        return Call("corpus", f"Corpus.{method}", (named, config), {"name": name or named.name})
    source = sources[0] if len(sources) == 1 else sources or DEFAULT_SOURCE
    encoding = getattr(options, "encoding", None)
    keywords = {"encoding": encoding, "name": name}
    if (limits := collect(DownloadConfig, options)) != DownloadConfig():
        keywords["download"] = limits
    return Call("corpus", "Corpus.load", (source, config), keywords)


def _variable(name: str, variables: Mapping[str, Any]) -> Any:
    if name not in variables:
        msg = f"the notebook has no variable {name!r}{did_you_mean(name, names_of(variables))}"
        raise SessionError(msg)
    return variables[name]


def _refuse_useless(options: argparse.Namespace, cell: str | None) -> None:
    # An option of %corpus that would have no effect.
    msg = ""
    if cell is not None and hasattr(options, "data"):
        msg = "the lines of the cell are the text; leave --data out, or type %corpus"
    elif hasattr(options, "data") and hasattr(options, "source"):
        first = options.source[0]
        msg = f"--data already says where the text comes from; leave {first!r} out"
    elif hasattr(options, "as_tokens") and not hasattr(options, "data"):
        msg = "--as-tokens goes with --data; leave it out"
    elif hasattr(options, "encoding") and (cell is not None or hasattr(options, "data")):
        msg = "--encoding is for files and downloads; leave it out"
    elif limit := _useless_limit(options, cell):
        msg = f"{limit} is for downloads; leave it out, or name one http:// or https:// address"
    if msg:
        raise ConfigError(msg)


def _useless_limit(options: argparse.Namespace, cell: str | None) -> str:
    # An option of a download where nothing is downloaded.
    from rnn_magics.text.download import DownloadConfig  # noqa: PLC0415
    from rnn_magics.text.sources import is_url  # noqa: PLC0415

    sources = [] if cell is not None else getattr(options, "source", [])
    if any(map(is_url, sources)):
        return ""
    typed = (f.name for f in describe(DownloadConfig) if hasattr(options, f.name))
    return next(map(flag_of, typed), "")
