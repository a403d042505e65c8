"""Answers a page that searches the corpus for states like those of some tokens."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from rnn_magics.errors import ConfigError, InspectionError, RNNMagicsError, SessionError
from rnn_magics.inspection.views.match import Match, MatchConfig, inspect_match
from rnn_magics.language import say
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.session.views import ViewSource
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.storage.loading import load_run

SEARCH = "search"


def answer(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a search.

    Parameters
    ----------
    session
        The session whose corpus is searched.
    asked
        The question: ``id``, ``look`` (the key of the view), ``first`` and ``last`` (the tokens),
        ``layer``, and ``epoch`` for a view across epochs.

    Returns
    -------
    dict
        Strict JSON: ``type``, ``id``, and either ``data``, the payload of a `Match`, or ``said``,
        one line that says why there is none.
    """
    head = {"type": "found", "id": asked.get("id")}
    try:
        return {**head, "data": _found(session, asked).to_data()}
    except RNNMagicsError as error:
        return {**head, "said": one_line(str(error))}
    except Exception as error:  # the page must learn of any failure
        logging.getLogger(__name__).exception("a search failed")
        return {**head, "said": one_line(say("the search failed: {error}", error=error))}


def _found(session: Session, asked: dict[str, Any]) -> Match:
    source = session.views.kept.get(str(asked.get("look")))
    if source is None:
        msg = say("the kernel no longer knows this view; run its cell again")
        raise SessionError(msg)
    first, last, layer = (_whole(asked, name) for name in ("first", "last", "layer"))
    run, config = _run(source, asked), MatchConfig(span=f"{first}:{last}", layer=layer)
    corpus = session.require_corpus()
    try:
        return inspect_match(run, source.text, corpus, config)
    except InspectionError:  # perhaps no unit is active, and a page cannot lower the threshold
        return inspect_match(run, source.text, corpus, replace(config, threshold=0.0))


def _run(source: ViewSource, asked: dict[str, Any]) -> Any:
    if source.folder is None:
        return source.run
    return load_run(source.folder, epoch=_whole(asked, "epoch"))


def _whole(asked: dict[str, Any], name: str) -> int:
    value = asked.get(name)
    if type(value) is not int or value < 0:
        msg = say(
            "{name} must be a whole number of at least 0, not {value!r}", name=name, value=value
        )
        raise ConfigError(msg)
    return value
