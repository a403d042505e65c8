from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.options import OptionField, describe
from rnn_magics.sweeps.dimensions import Interval, Listed, read_dimension, read_value, written
from rnn_magics.sweeps.space import OWNERS
from rnn_magics.training.config import TrainConfig

FIELDS = {field.name: field for owner in OWNERS for field in describe(owner)}


def read(name: str, text: str) -> Any:
    return read_dimension(FIELDS[name], text, FIELDS[name].flag)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cell", "gru,lstm", Listed(("gru", "lstm"))),
        ("cell", " gru , lstm ", Listed(("gru", "lstm"))),
        ("cell", "gru", "gru"),
        ("num_hiddens", "64,128", Listed((64, 128))),
        ("num_hiddens", "64,64", Listed((64,))),
        ("num_hiddens", "16:64", Interval(16, 64, is_whole=True)),
        ("max_tokens", "2k,1M", Listed((2000, 1_000_000))),
        ("max_tokens", "2k:1M", Interval(2000, 1_000_000, is_whole=True)),
        ("lr", "1e-4:1e-2", Interval(1e-4, 1e-2, is_log=True)),
        ("lr", "none,0.1", Listed((None, 0.1))),
        ("weight_decay", "0:0.1", Interval(0, 0.1)),
        ("weight_decay", "1e-4:0.1", Interval(1e-4, 0.1, is_log=True)),
        ("dropout", "0:0.5", Interval(0, 0.5)),
        ("clip", "none", None),
        ("tie", "yes,no", Listed((True, False))),
        ("reserved", "<a>,<b>", ("<a>", "<b>")),
    ],
)
def test_what_is_typed_is_a_list_a_range_or_one_value(name: str, text: str, expected: Any) -> None:
    assert read(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("lr", "1e-2:1e-4", "the ends of --lr 1e-2:1e-4 are swapped; type 1e-4:1e-2"),
        ("lr", "0.1:0.1", "both ends of --lr 0.1:0.1 are the same"),
        ("lr", "none:0.1", "the ends of a range are numbers, not none:0.1 (--lr)"),
        ("lr", "0:0.1", "--lr must be in (0, 3e+38], not 0.0"),
        ("lr", "1:2:3", "--lr: '1:2:3' is no range"),
        ("cell", "gru:lstm", "--cell: 'gru:lstm' is not one of"),
        ("cell", "gru,lstn", "did you mean 'lstm'?"),
        ("num_hiddens", "16:6x", "--num-hiddens must be a whole number, not '6x'"),
        ("num_hiddens", "16,,32", "--num-hiddens has an empty value in '16,,32'"),
        ("num_hiddens", "0:32", "--num-hiddens must be at least 1, not 0"),
        ("num_hiddens", "", "--num-hiddens has an empty value in ''"),
        ("tie", "maybe", "--tie is yes or no, not 'maybe'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(name: str, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(name, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.floats(1e-6, 1, exclude_max=True), st.floats(1.001, 1e4), st.floats(0, 1, exclude_max=True)
)
def test_a_range_gives_numbers_within_it(low: float, factor: float, share: float) -> None:
    for is_log in (False, True):
        interval = Interval(low, low * factor, is_log=is_log)
        assert low <= interval.at(share) <= low * factor


@given(st.integers(1, 50), st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_a_range_of_whole_numbers_gives_each(low: int, width: int, share: float) -> None:
    interval = Interval(low, low + width, is_whole=True)
    assert interval.at(share) in range(low, low + width + 1)
    every = {interval.at((place + 0.5) / (width + 1)) for place in range(width + 1)}
    assert every == {*range(low, low + width + 1)}
    assert interval.size == width + 1


def test_a_grid_takes_the_ends_and_equal_steps_between() -> None:
    assert Interval(1e-4, 1e-2, is_log=True).points(3) == [1e-4, 1e-3, 1e-2]
    assert Interval(16, 64, is_whole=True).points(4) == [16, 32, 48, 64]
    assert Interval(1, 3, is_whole=True).points(5) == [1, 2, 3]


def numeric(config: type[Any]) -> list[OptionField]:
    return [f for f in describe(config) if f.type in (int, float) and f.within is not None]


@given(st.data())
def test_what_is_written_is_read_again(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from([*numeric(ModelConfig), *numeric(TrainConfig)]))
    numbers = st.integers(1, 10**9) if field.type is int else st.floats(1e-9, 0.9)
    value = data.draw(numbers)
    if value in field.within:  # type: ignore[operator]
        assert read_value(field, written(field.type(value)), field.flag) == value
