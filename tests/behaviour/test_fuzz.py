"""Whatever is typed or read: an answer, or an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.extension import MAGICS
from rnn_magics.training.config import TrainConfig
from tests.fuzz import (
    BYTES,
    ENCODINGS,
    VOCAB_JSON,
    lines,
    parse_line,
    read_bytes,
    read_settings,
    read_vocab,
    settings_of,
)


@pytest.mark.parametrize("name", MAGICS)
@given(data=st.data())
def test_a_line_of_a_magic(name: str, data: st.DataObject) -> None:
    parse_line(name, data.draw(lines(name)))


@given(BYTES, ENCODINGS, st.booleans())
def test_the_bytes_of_a_corpus(data: bytes, encoding: str | None, d2l: bool) -> None:  # noqa: FBT001
    read_bytes(data, encoding, d2l=d2l)


@given(VOCAB_JSON)
def test_the_json_of_a_vocabulary(text: str) -> None:
    read_vocab(text)


@given(settings_of(ModelConfig))
def test_the_settings_of_a_model(values: dict[str, Any]) -> None:
    read_settings(ModelConfig, values)


@given(settings_of(TrainConfig))
def test_the_settings_of_a_training(values: dict[str, Any]) -> None:
    read_settings(TrainConfig, values)
