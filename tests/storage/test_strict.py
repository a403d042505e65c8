"""Documents have one form, and nothing else is read."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage import strict
from rnn_magics.storage.strict import Fields, dumps, from_float, loads, read_options
from rnn_magics.text.vocab import VocabConfig
from rnn_magics.training.config import TrainConfig

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=8,
)


@given(values.filter(lambda value: "inf" not in repr(value)))
def test_a_document_survives(document: Any) -> None:
    text = dumps(document)
    assert text.isascii()
    assert json.dumps(loads(text)) == json.dumps(document)


@pytest.mark.parametrize(
    "document",
    [math.nan, [math.inf], {"a": b""}, (1, 2), {1: "a"}, "\ud83d\ude00", object(), 10**5000],
    ids=range(8),
)
def test_what_would_not_come_back_is_not_written(document: Any) -> None:
    with pytest.raises(StorageError, match="this cannot be written to a file"):
        dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        '{"a":1,"a":2}',
        "[1, 2]",
        "1.0e0",
        '"é"',
        "[" * 10**5,
        "9" * 10**4,
    ],
    ids=lambda text: text[:9],
)
def test_other_forms_are_not_read(text: str) -> None:
    with pytest.raises(StorageError, match="its JSON"):
        loads(text)


@given(st.text() | values.map(json.dumps))
def test_reading_raises_nothing_else(text: str) -> None:
    try:
        document = loads(text)
    except StorageError:
        return
    assert dumps(document) == text


@given(st.floats())
def test_floats_that_are_not_finite_are_words(number: float) -> None:
    said = json.loads(dumps({"numbers": [from_float(number)]}))
    (again,) = Fields(said, "it").numbers("numbers")
    assert repr(again) == repr(number)


def test_fields_are_typed_and_closed() -> None:
    fields = Fields({"a": "x", "b": 3, "c": 0.5, "d": {"e": 1}, "f": True}, "it")
    assert (fields.text("a"), fields.count("b"), fields.seconds("c")) == ("x", 3, 0.5)
    assert fields.mapping("d").count("e") == 1
    with pytest.raises(StorageError, match="it has 'f', which this version does not know; update"):
        fields.end()
    with pytest.raises(StorageError, match="it lacks 'a'"):
        fields.text("a")
    with pytest.raises(StorageError, match=r"it\.f is not a whole number"):
        fields.count("f")
    with pytest.raises(StorageError, match="it is not a mapping"):
        Fields([], "it")


@pytest.mark.parametrize("value", [-1, 2**61, 1.0, True, "1", None])
def test_a_count_is_a_whole_number_in_bounds(value: Any) -> None:
    with pytest.raises(StorageError, match=r"it\.a is not a whole number"):
        Fields({"a": value}, "it").count("a")


@given(st.dictionaries(st.sampled_from([*ModelConfig().to_dict(), "x"]), values))
def test_a_model_config_from_a_file_raises_nothing_else(changes: dict[str, Any]) -> None:
    whole = {**ModelConfig().to_dict(), **changes}
    try:
        config = read_options(ModelConfig, whole)
    except StorageError:
        return
    assert json.dumps(config.to_dict()) == json.dumps(whole)


@given(values)
def test_whatever_stands_for_a_config_raises_nothing_else(value: Any) -> None:
    for cls in (ModelConfig, TrainConfig, VocabConfig):
        with pytest.raises(StorageError):
            read_options(cls, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_hiddens", 2**21),
        ("num_layers", 1025),
        ("num_hiddens", 256.0),
        ("num_hiddens", True),
        ("dropout", 0),
        ("cell", "os.system"),
        ("cell", "../../x"),
        ("dropout", "inf"),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, value: Any) -> None:
    with pytest.raises(StorageError, match="ModelConfig"):
        read_options(ModelConfig, {**ModelConfig().to_dict(), name: value})


def test_an_option_that_was_added_later_has_the_meaning_that_its_absence_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = ModelConfig().to_dict()
    del older["scratch"]
    with pytest.raises(StorageError, match="ModelConfig lacks 'scratch'"):
        read_options(ModelConfig, older)
    monkeypatch.setitem(strict.ADDED, "ModelConfig", {"scratch": True})
    assert read_options(ModelConfig, older).scratch
    assert not read_options(ModelConfig, ModelConfig().to_dict()).scratch
