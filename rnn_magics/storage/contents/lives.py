"""What a run and its earlier lives have reached, in a file: texts by name, histories."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from typing import Any

from rnn_magics.errors import StorageError
from rnn_magics.language import say
from rnn_magics.storage.strict import Fields, from_float
from rnn_magics.training.history import Growth, History, Life
from rnn_magics.training.run import Run

_MOST_LIVES = 1 << 10
_MAY_LACK = {"valid_perplexity", "valid_bits", "threads"}  # lists whose entries may be None
_LATER = {"threads"}  # lists that older files do not have
_SHA256 = re.compile("[0-9a-f]{64}")


def write_corpus(run: Run | Life) -> dict[str, Any] | None:
    """Return name and fingerprint of a text; None without one."""
    return None if run.corpus is None else dict(zip(("name", "sha256"), run.corpus, strict=True))


def read_corpus(plain: Any) -> dict[str, Any]:
    """Return the field of a run that `write_corpus` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    read = Fields(plain, "corpus")
    name, sha256 = read.text("name"), read.text("sha256")
    read.end()
    if not _SHA256.fullmatch(sha256):
        raise StorageError(
            say("corpus.sha256 must be 64 hexadecimal digits, not {sha256!r}", sha256=sha256[:80])
        )
    return {"corpus": (name, sha256)}


def write_history(run: Run | Life) -> dict[str, Any]:
    """Return the lists of a history."""
    return {
        name: [None if value is None else from_float(value) for value in values]
        for name, values in run.history.to_dict().items()
        if name not in _LATER or any(value is not None for value in values)
    }


def read_history(plain: Any) -> dict[str, Any]:
    """Return the field of a run that `write_history` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    read = Fields(plain, "history")
    names = [item.name for item in fields(History)]
    lists: dict[str, list[Any]] = {
        name: read.numbers(name, optional=name in _MAY_LACK)
        for name in names
        if name not in _LATER or name in read
    }
    read.end()
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        raise StorageError(say("the lists of history have different lengths"))
    lists |= {name: [None] * max(lengths) for name in _LATER - lists.keys()}
    return {"history": History(**lists)}


def write_lives(run: Run) -> list[dict[str, Any]] | None:
    """Return the trainings that a run went on from; None without any."""
    return [_write_life(life) for life in run.earlier] or None


def _write_life(life: Life) -> dict[str, Any]:
    corpus = write_corpus(life)
    return {
        "name": life.name,
        **({} if corpus is None else {"corpus": corpus}),
        "steps": life.steps,
        "tokens": life.tokens,
        "history": write_history(life),
        "perplexity": None if life.perplexity is None else from_float(life.perplexity),
        **({} if life.growth is None else {"growth": asdict(life.growth)}),
    }


def read_lives(plain: Any) -> dict[str, Any]:
    """Return the field of a run that `write_lives` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    return {"earlier": Fields.each(plain, "earlier", _read_life, _MOST_LIVES)}


def _read_life(read: Fields) -> Life:
    name, steps, tokens = read.text("name"), read.count("steps"), read.count("tokens")
    corpus = read_corpus(read.take("corpus"))["corpus"] if "corpus" in read else None
    history = read_history(read.take("history"))["history"]
    perplexity = read.number("perplexity", optional=True)
    growth = _read_growth(read.mapping("growth")) if "growth" in read else None
    return Life(name, corpus, steps, tokens, history, perplexity, growth)


def _read_growth(read: Fields) -> Growth:
    growth = Growth(read.count("num_tokens"), read.share("unk_before"), read.share("unk_after"))
    read.end()
    return growth
