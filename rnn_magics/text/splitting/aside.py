"""The test part: the end of a text, which is set aside before anything else sees the text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.documents import documents_in, num_before, num_trained, together
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.splitting.data import Data, length

_LEAST = 2  # one token to read and one to predict


def set_aside(data: Data, config: CorpusConfig, name: str) -> tuple[Data, dict[str, Any] | None]:
    """Return the text that is trained on and held out, and the fields of a corpus of the test part.

    There are none where no share is set aside.

    The test part is the last ``config.test`` share of the characters or given tokens; of
    documents, those that begin in it.

    Raises
    ------
    CorpusError
        When a part would be too short.
    """
    if not config.test:
        return data, None
    if isinstance(data, str) and config.documents is not None:
        rest, test = _documents(data, config, name)
        return rest, _fields(test, config)
    number = len(data) - int(len(data) * config.test)
    rest, test = (
        data.parted(number) if isinstance(data, StreamedText) else (data[:number], data[number:])
    )
    if min(len(rest), len(test)) < _LEAST:
        raise _too_short(name, len(rest), len(test))
    return rest, _fields(test, config)


def _fields(test: Data, config: CorpusConfig) -> dict[str, Any]:
    return {"data": test, "config": config_of_test(config), "is_test": True}


def _documents(data: str, config: CorpusConfig, name: str) -> tuple[Data, Data]:
    documents = documents_in(data)
    number = num_before(documents, config.test)
    if not 0 < number < len(documents):
        raise _too_short(name, number, len(documents) - number)
    rest, test = together(documents[:number]), together(documents[number:])
    if config.valid != 0 and config.max_tokens is None:
        num_trained(documents[:number], config.held_out_share(length(rest, config)), name)
    return rest, test


def _too_short(name: str, rest: int, test: int) -> CorpusError:
    text = marked(
        "--test leaves {rest:,} of {name!r} to train on and {test:,} to test on, and both need more"
    )
    return CorpusError(say(text, name=name, rest=rest, test=test))


def config_of_test(config: CorpusConfig) -> CorpusConfig:
    """Return the configuration of a test part: all of it is one part.

    Where the text has a largest number of tokens, the test part has that share of so many at most.
    """
    most = config.max_tokens
    kept = None if most is None else max(_LEAST, int(most * config.test))
    return replace(config, valid=0.0, test=0.0, max_tokens=kept)
