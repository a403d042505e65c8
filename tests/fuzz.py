"""What the parsers are fed: for the tests in small numbers, for `make torture` in large ones."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import strategies as st

from rnn_magics.errors import RNNMagicsError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import split_line
from rnn_magics.options import Options, describe
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.reading.encoding import decode
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig

VARIABLES = {"text": "abc", "n": 3, "x": 0.5, "none": None, "list": [1], "nul": "\0", "dash": "--a"}
PIECES = ["--", "-", "=", "'", '"', "$", "{", "}", "\0", " ", ",", ":", "none", "nan", "inf", "-1",
          "0", "1e999", "9" * 5000, "$text", "{n}", "$nul", "$dash", "\ud800", "\u202e", "\n",
          "https://", "//", "..", "gru", "%", "%%", "@", "(", "1_0", "\u0663"]  # fmt: skip


def flags(name: str) -> list[str]:
    """Return the options and offered words of a magic."""
    return [flag for action in parser_of(name).actions for flag in action.option_strings]


def parser_of(name: str) -> MagicParser[Any]:
    """Return the parser of a magic."""
    return MagicParser(name, load_magic(name).options)


def lines(name: str) -> st.SearchStrategy[str]:
    """Lines of a magic: its options, hostile values, and any text."""
    words = st.sampled_from([*flags(name), *PIECES]) | st.text(
        st.characters(codec=None), max_size=9
    )
    return st.lists(words, max_size=8).flatmap(
        lambda found: st.sampled_from(["", " ", "="]).map(lambda glue: glue.join(found))
    ) | st.lists(words, max_size=6).map(" ".join)


def parse_line(name: str, line: str) -> None:
    """Parse a line as the magic does."""
    with contextlib.suppress(RNNMagicsError):
        parser_of(name).parse(split_line(line, VARIABLES))


ENCODINGS = st.sampled_from([None, "utf-8", "latin-1", "utf-16", "utf-7", "idna", "hex", "", "x\0"])
BYTES = st.binary(max_size=200) | st.text(st.characters(codec="utf-8")).map(str.encode)


def read_bytes(data: bytes, encoding: str | None, *, d2l: bool) -> None:
    """Make a corpus and a vocabulary of bytes."""
    with contextlib.suppress(RNNMagicsError):
        corpus = Corpus.from_text(decode(data, encoding, "x"), CorpusConfig(d2l=d2l))
        for token in ("char", "word"):
            vocab = Vocab.from_corpus(corpus, VocabConfig(token=token))
            vocab.to_tokens(vocab[corpus.tokens(token)])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["gru", "adamw", 10**400, -1, 0, 2**63, "none", "cuda:99999999999"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def settings_of(cls: type[Options]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings such as a file may hold for a configuration."""
    names = st.sampled_from([field.name for field in describe(cls)])
    return st.dictionaries(names | st.text(max_size=6), VALUES, max_size=5) | st.dictionaries(
        names, VALUES, max_size=2
    )


def read_settings(cls: type[Options], values: dict[str, Any]) -> None:
    """Make a configuration of a mapping."""
    with contextlib.suppress(RNNMagicsError):
        made = cls.from_dict(values)
        assert cls.from_dict(made.to_dict()) == made


_PAIRS = st.lists(
    st.tuples(VALUES | st.sampled_from([{"float": "inf"}, {"tuple": [1, "a"]}]), VALUES).map(list),
    max_size=4,
)
_VOCABS = st.fixed_dictionaries(
    {"format": st.just(1) | VALUES, "token_freqs": _PAIRS | VALUES},
    optional={"config": settings_of(VocabConfig) | VALUES, "more": VALUES},
)
VOCAB_JSON = _VOCABS.map(json.dumps) | VALUES.map(json.dumps) | st.text(max_size=40)


def read_vocab(text: str) -> None:
    """Read a vocabulary from JSON."""
    with contextlib.suppress(RNNMagicsError):
        vocab = Vocab.from_json(text)
        assert Vocab.from_json(vocab.to_json()) == vocab


CONFIGS: dict[str, type[Options]] = {"model config": ModelConfig, "train config": TrainConfig}
