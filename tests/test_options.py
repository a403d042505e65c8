"""Options: every value is checked once, when it is made."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.form import Form
from rnn_magics.errors import ConfigError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.options import (
    AT_LEAST_ONE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    Options,
    Range,
    Spelling,
    check_value,
    describe,
    did_you_mean,
    option,
)
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.text.vocab import VocabConfig
from rnn_magics.training.config import TrainConfig


@dataclass(frozen=True, repr=False)
class Sample(Options):
    word: str = option("seq", "a word", choices=lambda: ["seq", "random"])
    count: int = option(1, "a count", within=AT_LEAST_ONE)
    share: float = option(0.5, "a share", within=FRACTION)
    bound: float | None = option(
        None, "a bound", within=POSITIVE, spelling=Spelling(metavar="THETA")
    )
    flag: bool = option(False, "a flag")
    names: tuple[str, ...] = option((), "names")


CONFIGS: list[type[Options]] = [
    Sample,
    BatchConfig,
    CorpusConfig,
    DecodingConfig,
    Form,
    ModelConfig,
    TrainConfig,
    VocabConfig,
]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("word", 3, "word must be a word, not 3"),
        ("word", None, "word must be a word, not None"),
        ("count", "3", "count must be a whole number, not '3'"),
        ("count", 3.0, "count must be a whole number, not 3.0"),
        ("count", True, "count must be a whole number, not True"),
        ("count", None, "count must be a whole number, not None"),
        ("count", np.array([1, 2]), "count must be a whole number"),
        ("share", "half", "share must be a number, not 'half'"),
        ("share", False, "share must be a number, not False"),
        ("share", np.array(["x"]), "share must be a number"),
        ("share", torch.tensor([0.1, 0.2]), "share must be a number"),
        ("flag", 1, "flag must be true or false, not 1"),
        ("names", "abc", "names must be a sequence of words, not 'abc'"),
        ("names", [1], "names must be a sequence of words"),
        ("names", (["a"],), "names must be a sequence of words"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Sample(**{name: value})
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count", 0, "count must be at least 1, not 0"),
        ("count", -1, "count must be at least 1, not -1"),
        ("share", 1.0, "share must be in [0, 1), not 1.0"),
        ("share", -0.1, "share must be in [0, 1), not -0.1"),
        ("share", math.nan, "share must be in [0, 1), not nan"),
        ("bound", 0, "bound must be above 0, not 0.0"),
        ("bound", math.inf, "bound must be above 0, not inf"),
        ("bound", math.nan, "bound must be above 0, not nan"),
        ("bound", 10**400, "bound must be "),
    ],
)
def test_a_number_out_of_range_is_refused(name: str, value: float, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Sample(**{name: value})
    assert str(caught.value).startswith(said)


def test_a_whole_number_beyond_the_range_of_floats_does_not_overflow() -> None:
    assert Sample(count=10**400).count == 10**400


@pytest.mark.parametrize("value", [0.0, 0.999, 0])
def test_the_ends_of_a_range_count_as_said(value: float) -> None:
    assert Sample(share=value).share == value


def test_ranges_say_themselves_in_words() -> None:
    ranges = [AT_LEAST_ONE, POSITIVE, NOT_NEGATIVE, FRACTION, Range(0, 1, open_left=True)]
    assert [str(r) for r in ranges] == [
        "at least 1",
        "above 0",
        "at least 0",
        "in [0, 1)",
        "in (0, 1]",
    ]


@pytest.mark.parametrize("value", [np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)])
def test_whole_numbers_of_other_libraries_become_plain(value: Any) -> None:
    sample = Sample(count=value)
    assert type(sample.count) is int
    assert sample.count == 3


@pytest.mark.parametrize("value", [np.float64(0.25), np.float32(0.25), np.float16(0.25)])
def test_numpy_floats_become_plain(value: Any) -> None:
    sample = Sample(share=value)
    assert type(sample.share) is float
    assert sample.share == 0.25


def test_a_whole_number_serves_as_a_number() -> None:
    bound = Sample(bound=2).bound
    assert type(bound) is float
    assert bound == 2.0


def test_a_list_serves_as_a_sequence() -> None:
    assert Sample(names=["a", "b"]).names == ("a", "b")  # type: ignore[arg-type]


def test_none_is_a_value_only_of_an_optional_field() -> None:
    assert Sample(bound=None).bound is None
    with pytest.raises(ConfigError):
        Sample(share=None)  # type: ignore[arg-type]


def test_a_word_outside_the_choices_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"'randm' is not one of seq, random; did you mean 'random'"
    ):
        Sample(word="randm")
    assert did_you_mean("zzz", ["seq"]) == ""


def test_the_keys_of_a_mapping_are_closed() -> None:
    with pytest.raises(ConfigError, match=r"'cuont' is not one of .*did you mean 'count'"):
        Sample.from_dict({"cuont": 3})


def test_options_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError):
        Sample().count = 3  # type: ignore[misc]


def test_changed_leaves_the_defaults_out() -> None:
    assert Sample(count=3, word="seq").changed() == {"count": 3}


def test_describe_tells_what_a_command_line_needs() -> None:
    fields = {field.name: field for field in describe(Sample)}
    assert list(fields) == ["word", "count", "share", "bound", "flag", "names"]
    assert [f.type for f in fields.values()] == [str, int, float, float, bool, tuple]
    assert [f.name for f in fields.values() if f.optional] == ["bound"]
    assert fields["bound"].spelling.metavar == "THETA"
    assert fields["word"].help == "a word"


def test_choices_are_read_when_they_are_needed() -> None:
    words = ["a"]

    @dataclass(frozen=True, repr=False)
    class Late(Options):
        word: str = option("a", "a word", choices=lambda: words)

    with pytest.raises(ConfigError):
        Late(word="b")
    words.append("b")
    assert Late(word="b").word == "b"


@pytest.mark.parametrize("cls", CONFIGS)
def test_defaults_are_accepted_and_every_option_has_a_line_of_help(cls: type[Options]) -> None:
    cls()
    for field in describe(cls):
        assert field.help
        assert "\n" not in field.help


@pytest.mark.parametrize(
    "options",
    [
        Sample(count=np.int64(4), share=np.float64(0.1), names=("a'b", 'c"')),  # type: ignore[arg-type]
        TrainConfig(lr=np.float32(0.5), clip=None, max_tokens=10**6),  # type: ignore[arg-type]
        ModelConfig(tie=True, num_hiddens=8),
        ModelConfig(cell="lstm", dropout=0.1, bidirectional=True),
        DecodingConfig(greedy=True, stop="\n"),
        DecodingConfig(top_p=1, temperature=1e-3),
        Form(lines=4, starts=("a'b", "c"), only=("han",), rhymes={"a": "x"}),
        VocabConfig(token="word", reserved=("<pad>", "{x}")),
        CorpusConfig(d2l=True, valid=0),
        BatchConfig(batching="random"),
    ],
)
def test_repr_evaluates_to_an_equal_object(options: Options) -> None:
    names = {cls.__name__: cls for cls in CONFIGS}
    assert eval(repr(options), names) == options


@given(
    st.builds(
        Sample,
        word=st.sampled_from(["seq", "random"]),
        count=st.integers(1),
        share=st.floats(0, 1, exclude_max=True),
        bound=st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
        flag=st.booleans(),
        names=st.lists(st.text(), max_size=3).map(tuple),
    )
)
def test_options_survive_json(sample: Sample) -> None:
    assert Sample.from_dict(json.loads(json.dumps(sample.to_dict()))) == sample


@given(
    st.sampled_from([field.name for field in describe(Sample)]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
)
def test_any_value_is_kept_or_refused_with_a_config_error(name: str, value: Any) -> None:
    kept = tuple(value) if isinstance(value, list) else value
    with contextlib.suppress(ConfigError):
        assert getattr(Sample(**{name: value}), name) == kept


def test_a_config_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TrainConfig(epochs=0)


RULES = {"new": None}


@dataclass(frozen=True, repr=False)
class Later(Options):
    """An option of which an earlier version had one more choice."""

    rule: str = option("new", "a rule", choices=lambda: list(RULES), removed={"old": "new"})
    count: int = option(1, "a count", within=AT_LEAST_ONE)


def test_a_choice_that_has_been_removed_is_refused_by_name() -> None:
    (rule, _) = describe(Later)
    with pytest.raises(ConfigError, match=r"^rule: 'old' has been removed; use new$"):
        Later("old")
    with pytest.raises(ConfigError, match=r"^--rule: 'old' has been removed; use new$"):
        check_value(rule, "old", "--rule")
    with pytest.raises(ConfigError, match=r"^rule: 'odd' is not one of new"):
        Later("odd")


def test_a_choice_that_has_been_removed_is_read_but_not_used() -> None:
    kept = Later.recall({"rule": "old", "count": 3})
    assert kept.to_dict() == {"rule": "old", "count": 3}
    for use in (kept.check, lambda: replace(kept, count=4)):
        with pytest.raises(ConfigError, match="'old' has been removed"):
            use()
    assert replace(kept, rule="new") == Later("new", 3)


@pytest.mark.parametrize(
    "values", [{"rule": "odd"}, {"rule": ["old"]}, {"rule": "old", "count": 0}, {"roll": "old"}]
)
def test_what_never_was_a_choice_is_not_read_either(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Later.recall(values)


def test_a_choice_that_a_user_has_brought_back_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "old", None)
    assert Later("old") == Later.recall({"rule": "old"})
    Later.recall({"rule": "old"}).check()
