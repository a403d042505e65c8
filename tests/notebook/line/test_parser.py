"""Arguments: every field of an option dataclass is an option of its magic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.errors import ConfigError, RNNMagicsError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import split_line
from rnn_magics.options import OptionField, Options, describe
from rnn_magics.scores.ladder import BaselineConfig
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.text.vocab import VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.recipes.recipes import RECIPES

DECLARED = ("corpus", "vocab", "sample", "train_rnn", "generate", "baseline", "rnn")
HOMES: list[tuple[str, type[Options]]] = [
    ("corpus", CorpusConfig),
    ("vocab", VocabConfig),
    ("sample", BatchConfig),
    ("train_rnn", ModelConfig),
    ("train_rnn", TrainConfig),
    ("generate", DecodingConfig),
    ("baseline", BaselineConfig),
]


@dataclass(frozen=True)
class Case:
    """One option, the magic that has it, and the dataclass it comes from."""

    magic: str
    cls: type[Options]
    field: OptionField

    def __str__(self) -> str:
        return f"{self.magic}{self.flag}"

    @property
    def flag(self) -> str:
        return self.field.flag


OPTIONS = [
    Case(magic, cls, field)
    for magic, cls in HOMES
    for field in describe(cls)
    if field.name != "batching"  # a word without a flag
]
VALUED = [case for case in OPTIONS if case.field.type is not bool]


def every(cases: list[Case]) -> Callable[..., Any]:
    return pytest.mark.parametrize("case", cases, ids=str)


def parser_of(magic: str) -> MagicParser[Any]:
    return MagicParser(magic, load_magic(magic).options)


def typed_in(magic: str, line: str) -> dict[str, Any]:
    return parser_of(magic).typed(split_line(line, {}))


def part_of(magic: str, line: str, cls: type[Options]) -> Any:
    """Return what a line makes of one of the dataclasses that its options are made of."""
    options = parser_of(magic).parse(split_line(line, {}))
    (part,) = [part for part in vars(options).values() if type(part) is cls]
    return part


def samples(field: OptionField) -> list[Any]:
    """Return values that an option accepts, its default among them where it has one."""
    found = [] if field.default is None else [field.default]
    if field.choices is not None:
        return [*found, *field.choices()]
    if field.type is tuple:
        return [("a",), ("a", "<bos>", "-x")]
    if field.type is str:
        return ["word", "two words", "--flag", "a=b", "{x}"]
    low, high = (field.within.low, field.within.high) if field.within else (1, 3)
    return [*found, field.type(low + 0.5 * (min(high, low + 4) - low))]


def typed(value: Any) -> str:
    return f"'{','.join(value)}'" if isinstance(value, tuple) else f"'{value}'"


def refusal(magic: str, line: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parser_of(magic).parse(split_line(line, {}))
    return str(caught.value)


PREFIX = {"generate": "prefix "}


@every(VALUED)
@pytest.mark.parametrize("form", ["{flag} {value}", "{flag}={value}"])
def test_a_value_comes_back_as_it_was_written(case: Case, form: str) -> None:
    for value in samples(case.field):
        if value == ():
            continue
        line = form.format(flag=case.flag, value=typed(value))
        found = typed_in(case.magic, PREFIX.get(case.magic, "") + line)[case.field.name]
        assert found == value
        assert type(found) is case.field.type


@every([case for case in VALUED if case.field.default not in (None, ())])
def test_a_default_that_is_typed_changes_nothing(case: Case) -> None:
    line = f"{case.flag} {case.field.default}"
    assert part_of(case.magic, PREFIX.get(case.magic, "") + line, case.cls) == case.cls()


@every([case for case in OPTIONS if case.field.type is bool])
def test_a_switch_takes_no_value(case: Case) -> None:
    prefix = PREFIX.get(case.magic, "")
    assert typed_in(case.magic, prefix + case.flag)[case.field.name] is True
    assert case.field.name not in typed_in(case.magic, prefix)
    assert refusal(case.magic, f"{prefix}{case.flag}=yes") == f"{case.flag} takes no value"


@every([case for case in VALUED if case.field.optional])
def test_none_is_a_value_of_what_may_be_absent(case: Case) -> None:
    typed = typed_in(case.magic, f"{PREFIX.get(case.magic, '')}{case.flag} none")
    assert typed[case.field.name] is None


@every(
    [
        case
        for case in VALUED
        if not case.field.optional and (case.field.type in (int, float) or case.field.choices)
    ]
)
def test_none_is_no_value_of_what_must_be_there(case: Case) -> None:
    assert "'none'" in refusal(case.magic, f"{case.flag} none")


@every(VALUED)
def test_a_missing_value_is_said(case: Case) -> None:
    prefix = PREFIX.get(case.magic, "")
    for line in (case.flag, f"{case.flag} --explain"):
        assert refusal(case.magic, prefix + line) == f"{case.flag} needs a value"


@every([case for case in VALUED if case.field.type in (int, float)])
@pytest.mark.parametrize("value", ["abc", "1,5", "nan", "1e999", "''", "0x10"])
def test_what_is_no_number_is_said(case: Case, value: str) -> None:
    line = f"{PREFIX.get(case.magic, '')}{case.flag} {value}"
    assert refusal(case.magic, line).startswith(f"{case.flag} must be ")


@every([case for case in VALUED if case.field.within is not None])
def test_a_number_out_of_range_is_said_with_the_range(case: Case) -> None:
    within = case.field.within
    assert within is not None
    beyond = [within.low - 1] + ([] if within.high == math.inf else [2 * within.high])
    for number in beyond:
        value = case.field.type(number)
        said = refusal(case.magic, f"{PREFIX.get(case.magic, '')}{case.flag} {value}")
        assert said == f"{case.flag} must be {within}, not {value!r}"


@every([case for case in VALUED if case.field.choices is not None])
def test_a_misspelt_choice_is_answered_with_the_nearest(case: Case) -> None:
    assert case.field.choices is not None
    for word in case.field.choices():
        said = refusal(case.magic, f"{PREFIX.get(case.magic, '')}{case.flag} {word}x")
        assert said.endswith(f"; did you mean {word!r}?")
        assert all(other in said for other in case.field.choices())


@every(OPTIONS)
def test_a_misspelt_option_is_answered_with_the_nearest(case: Case) -> None:
    for word in (f"{case.flag}x", f"{case.flag}x=1"):
        said = refusal(case.magic, PREFIX.get(case.magic, "") + word)
        assert said == f"%{case.magic} has no option {case.flag}x; did you mean {case.flag!r}?"


@every(OPTIONS)
def test_an_option_is_not_abbreviated(case: Case) -> None:
    short = case.flag[:-1]
    assert f"no option {short}" in refusal(case.magic, f"{PREFIX.get(case.magic, '')}{short}")


@every(OPTIONS)
def test_the_help_has_every_option_with_its_line(case: Case) -> None:
    shown = "".join(parser_of(case.magic).format_help().split())  # lines may break anywhere
    assert case.flag in shown
    assert "".join(case.field.help.split()) in shown
    if case in VALUED and case.field.default not in (None, ()):
        default = case.field.default
        short = f"{default:g}" if case.field.type is float else default
        assert f"(default{short})" in shown


@every([case for case in VALUED if case.field.choices is not None])
def test_completion_offers_the_choices(case: Case) -> None:
    assert case.field.choices is not None
    assert parser_of(case.magic).offered(case.field.name) == list(case.field.choices())


def test_what_is_not_typed_is_not_there() -> None:
    for magic in DECLARED:
        names = {"prefix"} if magic == "generate" else set()
        assert set(typed_in(magic, PREFIX.get(magic, ""))) == names


def test_options_override_a_recipe() -> None:
    recipe = RECIPES["d2l-gru"].train
    found = part_of("train_rnn", "--recipe d2l-gru --epochs 7", TrainConfig)
    assert found == replace(recipe, epochs=7)
    assert recipe.epochs != 7


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("0", "at least 1, not 0"),
        ("-1", "at least 1, not -1"),
        ("abc", "a whole number, not 'abc'"),
        ("1.5", "a whole number, not '1.5'"),
        ("''", "a whole number, not ''"),
        ("\u0663", "a whole number, not '\u0663'"),
    ],
)
@pytest.mark.parametrize(("magic", "flag"), [("sample", "--show"), ("generate", "--length")])
def test_a_count_is_at_least_one(magic: str, flag: str, value: str, what: str) -> None:
    said = refusal(magic, f"{PREFIX.get(magic, '')}{flag} {value}")
    assert said == f"{flag} must be {what}"


def test_a_word_too_many_is_said() -> None:
    said = refusal("generate", "the time")
    assert said == "%generate does not expect 'time'; text with spaces needs quotes"


FLAGS = [flag for magic in DECLARED for a in parser_of(magic).actions for flag in a.option_strings]
WORDS = st.sampled_from([*FLAGS, "--", "-", "-1", "1", "none", "gru", "seq", "=", "''", "'-x'"])


@pytest.mark.parametrize("magic", DECLARED)
@given(st.lists(WORDS | st.text(max_size=5)))
def test_a_line_is_parsed_or_refused_with_an_error_of_ours(magic: str, words: list[str]) -> None:
    parser = parser_of(magic)
    known = {action.dest for action in parser.actions}
    try:
        options = parser.parse(split_line(" ".join(words), {}))
    except RNNMagicsError as error:
        assert str(error)  # noqa: PT017  (either outcome will do)
    else:
        assert options.line.typed <= known
