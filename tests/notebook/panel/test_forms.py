"""A form says what its fields hold as a line that the magic reads back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError
from rnn_magics.names import misfit
from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import split_line
from rnn_magics.notebook.panel.forms import Form, quoted
from rnn_magics.notebook.panel.panel import PLANS
from rnn_magics.options import describe
from rnn_magics.training.config import TrainConfig

MAGICS = ("corpus", "vocab", "sample", "train_rnn", "generate", "baseline", "rnn")

# What no line can hold is in test_lines.py.
NAMES = st.text(st.characters(exclude_categories=[]), min_size=1).filter(lambda t: not misfit(t))


def parser_of(name: str) -> MagicParser[Any]:
    return MagicParser(name, load_magic(name).options)


def form_of(name: str, **values: Any) -> Form:
    form = Form(parser_of(name))
    for field, value in values.items():
        form.fields[field].widget.value = value
    return form


@given(NAMES)
def test_quoted_text_is_read_back_as_one_word(text: str) -> None:
    (word,) = split_line(quoted(text), {})
    assert word.text == text


@given(NAMES)
def test_a_prefix_reaches_the_magic_as_it_was_typed(text: str) -> None:
    form = form_of("generate", prefix=text)
    options = parser_of("generate").parse(split_line(form.line(), {}))
    assert options.prefix == form.fields["prefix"].widget.value
    assert form.problem({}) == ""


@pytest.mark.parametrize("name", MAGICS)
def test_a_form_has_every_argument_and_an_empty_one_says_nothing(name: str) -> None:
    form = Form(parser_of(name))
    assert {*form.fields, "explain"} == {action.dest for action in parser_of(name).actions}
    assert form.magic_line() == f"%{name}"
    for field in form.fields.values():
        assert field.widget.tooltip
        assert (field.widget.description in field.action.option_strings) or (
            field.widget.description == field.action.dest
        )


def test_values_become_options() -> None:
    form = form_of("train_rnn", lr="0.25", clip="none", optimizer="sgd", tie=True, epochs="3")
    assert form.line() == "--tie --epochs 3 --optimizer sgd --lr 0.25 --clip none"
    options = parser_of("train_rnn").parse(split_line(form.line(), {}))
    expected = TrainConfig(lr=0.25, clip=None, optimizer="sgd", epochs=3)
    assert options.train == expected


def test_what_is_wrong_is_said_as_the_magic_says_it() -> None:
    assert form_of("train_rnn", lr="-1").problem({}) == "--lr must be in (0, 3e+38], not -1.0"
    assert form_of("sample", batching="squence").problem({}).startswith("batching: 'squence' is")
    assert form_of("load_rnn").problem({}) == "%load_rnn needs PATH"


def test_variables_of_the_notebook_are_named_only_where_a_reader_named_them() -> None:
    assert form_of("generate", prefix="$x").line() == '"$x"'
    assert form_of("generate", prefix="{x}").problem({}) == ""


def test_choices_are_offered_and_defaults_are_seen() -> None:
    fields = Form(parser_of("train_rnn")).fields
    assert set(fields["cell"].widget.options) >= {"rnn", "gru", "lstm"}
    defaults = {field.name: field.default for field in describe(TrainConfig)}
    assert fields["epochs"].widget.placeholder == str(defaults["epochs"])


def test_a_slider_stands_for_a_number() -> None:
    form = Form(parser_of("generate"), sliders={"temperature": (0.1, 2, 0.05, 0.7)})
    form.fields["prefix"].widget.value = "a"
    assert form.line() == "a --temperature 0.7"


def test_the_number_zero_is_said() -> None:
    (temperature,) = (plan.sliders["temperature"] for plan in PLANS if plan.magic == "generate")
    form = Form(parser_of("generate"), sliders={"temperature": temperature})
    form.fields["prefix"].widget.value = "a"
    form.fields["temperature"].widget.value = 0
    assert form.line() == "a --temperature 0"


def test_a_word_that_stands_for_a_number_is_offered() -> None:
    seed = form_of("generate", prefix="a", seed="random")
    assert seed.fields["seed"].widget.options == ("random",)
    assert seed.line() == "a --seed random"
    assert seed.problem({}) == ""
    assert form_of("generate", prefix="a", seed="rondom").problem({}).startswith("--seed must be")


def test_what_is_skipped_or_fixed() -> None:
    form = Form(parser_of("train_rnn"), skip=["background"], fixed=["--background"])
    assert "background" not in form.fields
    assert form.line() == "--background"


def test_a_change_is_told() -> None:
    form, told = form_of("vocab"), []
    form.observe(lambda: told.append(form.line()))
    form.fields["token"].widget.value = "word"
    assert told == ["--token word"]


@pytest.mark.parametrize("text", ["a\nb", "x?\u2028!ls", "\x1b[31m", "\u202e"])
def test_what_no_line_can_hold_is_a_problem_and_no_line(text: str) -> None:
    form = form_of("generate", prefix=text)
    assert form.problem({}).startswith("a magic line cannot hold ")
    with pytest.raises(ConfigError, match="cannot hold"):
        form.magic_line()
