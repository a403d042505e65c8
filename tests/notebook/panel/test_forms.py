"""A form says what its fields hold as a line that the magic reads back."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError
from rnn_magics.language import speaking
from rnn_magics.names import misfit
from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.options import parts_of
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import split_line
from rnn_magics.notebook.panel.forms import Form, default_in_words, quoted
from rnn_magics.notebook.panel.steps import PLANS, Plan
from rnn_magics.notebook.show.rich.markup import attribute
from rnn_magics.options import Options, describe, option
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.recipes.recipes import RECIPES

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
    assert form.check({}) == ""


@pytest.mark.parametrize("name", MAGICS)
def test_a_form_has_every_argument_and_an_empty_one_says_nothing(name: str) -> None:
    form = Form(parser_of(name))
    assert {*form.fields, "explain"} == {action.dest for action in parser_of(name).actions}
    assert form.magic_line() == f"%{name}"


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.magic)
def test_every_option_of_a_panel_has_a_label_and_a_help_of_its_own(plan: Plan) -> None:
    magic = load_magic(plan.magic)
    owners = [magic.options, *(own for _, all_ in parts_of(magic.options) for own in all_)]
    declared = [field for own in owners for field in dataclasses.fields(own)]
    options = [f for f in declared if "help" in f.metadata and f.name != "explain"]
    assert [field.name for field in options if not field.metadata["label"]] == []
    fields = Form(parser_of(plan.magic)).fields.values()
    labels = [field.option.label for field in fields]
    assert len(set(labels)) == len(labels)
    for field in fields:
        assert re.fullmatch(r"[A-Z][\w -]+(: [\w-]+( \w+)*)?", field.option.label)
        assert "_" not in field.option.label
        assert field.widget.description == (
            f"<span title='{attribute(field.option.help)}'>{field.option.label}</span>"
        )
        assert field.option.help


def test_an_option_without_a_label_is_called_by_its_name() -> None:
    @dataclasses.dataclass(frozen=True)
    class Own(Options):
        num_words: int = option(1, "how many words")

    assert [field.label for field in describe(Own)] == ["Num words"]


def defaults_told(name: str) -> dict[str, bool]:
    """Tell of each field of a form without a value whether it says what it is by default."""
    fields = Form(parser_of(name)).fields
    texts = {n: f.widget for n, f in fields.items() if hasattr(f.widget, "placeholder")}
    return {n: bool(widget.placeholder) for n, widget in texts.items()}


@pytest.mark.parametrize("name", MAGICS)
def test_what_an_option_is_by_default_is_told_in_every_language(name: str) -> None:
    in_english = defaults_told(name)
    with speaking("zh"):
        assert defaults_told(name) == in_english


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("magic", "name"),
    [
        ("generate", "prefix"),  # of a series its training part, of documents their beginning
        ("corpus", "valid"),  # less of a short text
        ("corpus", "symbols"),  # another of each task
        ("corpus", "delay"),
        ("train_rnn", "lr"),  # another of each optimizer
        ("vocab", "max_size"),  # of bpe alone
    ],
)
def test_a_default_that_depends_on_something_else_is_not_shown_as_one(
    magic: str, name: str, language: str
) -> None:
    with speaking(language):
        assert Form(parser_of(magic)).fields[name].widget.placeholder == ""


def test_a_default_is_read_off_a_clause_of_its_own() -> None:
    @dataclasses.dataclass(frozen=True)
    class Own(Options):
        size: int | None = option(None, "how many; by default as many as fit")
        name: str | None = option(None, "which one (default: the newest)")
        seed: int | None = option(None, "of a task, by default its own")
        share: float | None = option(None, "how much; by default half, or nothing of a short text")

    said = {field.name: default_in_words(field, field.default) for field in describe(Own)}
    assert said == {"size": "as many as fit", "name": "the newest", "seed": "", "share": ""}


def test_a_form_is_in_chinese() -> None:
    with speaking("zh"):
        form = form_of("train_rnn", lr="-1")
        assert form.check({}) == "学习率 必须在 (0, 3e+38] 之内，不能是 -1.0"
        assert form.fields["name"].widget.placeholder == "循环单元加编号"
        assert form.fields["cell"].widget.options[0] == ("gru（默认）", "")
        tip = "<span title='循环单元'>循环单元</span>"
        assert form.fields["cell"].widget.description == tip
        assert form_of("load_rnn").missing == ["Path"]  # no panel asks for it
        assert form_of("generate", prefix="a", seed="x").check({}).startswith("随机种子 必须")


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.magic)
def test_no_two_fields_of_a_panel_have_one_label_in_chinese(plan: Plan) -> None:
    with speaking("zh"):
        labels = [field.label for field in Form(parser_of(plan.magic)).fields.values()]
    assert len(set(labels)) == len(labels)
    assert [label for label in labels if label.isascii()] in ([], ["Top-k", "Top-p"])


def test_a_recipe_says_what_its_fields_are_by_default() -> None:
    form = form_of("train_rnn", cell="rnn")
    assert form.check({}) == ""
    assert form.fields["optimizer"].widget.options[0] == ("adamw (default)", "")
    name, recipe = next((n, r) for n, r in RECIPES.items() if r.train.optimizer != "adamw")
    form.fields["recipe"].widget.value = name
    form.check({})
    assert form.fields["optimizer"].widget.options[0][0] == f"{recipe.train.optimizer} (default)"
    assert form.fields["epochs"].widget.placeholder == str(recipe.train.epochs)
    assert form.fields["cell"].widget.value == "rnn"
    form.fields["recipe"].widget.value = ""
    form.check({})
    assert form.fields["optimizer"].widget.options[0][0] == "adamw (default)"


def test_a_session_says_what_is_offered() -> None:
    runs: list[str] = []
    form = Form(parser_of("generate"), offers={"runs": lambda: runs})
    runs.append("gru-1")
    form.refresh()
    assert form.fields["run"].widget.options == ("gru-1",)


def test_the_field_that_is_wrong_is_marked() -> None:
    form = form_of("train_rnn", lr="-1")
    form.check({})
    marked = [n for n, f in form.fields.items() if "rnn-refused" in f.widget._dom_classes]
    assert marked == ["lr"]
    form.fields["lr"].widget.value = "1"
    assert form.check({}) == ""
    assert "rnn-refused" not in form.fields["lr"].widget._dom_classes


def test_values_become_options() -> None:
    form = form_of("train_rnn", lr="0.25", clip="none", optimizer="sgd", tie=True, epochs="3")
    assert form.line() == "--tie --epochs 3 --optimizer sgd --lr 0.25 --clip none"
    options = parser_of("train_rnn").parse(split_line(form.line(), {}))
    expected = TrainConfig(lr=0.25, clip=None, optimizer="sgd", epochs=3)
    assert options.train == expected


def test_what_is_wrong_is_said_with_labels_instead_of_flags() -> None:
    wrong = form_of("train_rnn", lr="-1").check({})
    assert wrong == "Learning rate must be in (0, 3e+38], not -1.0"
    wrong = form_of("train_rnn", warmup="0.5", schedule="constant", max_time="soon").check({})
    assert wrong == "Most seconds must be a number, not 'soon'"


def test_what_is_missing_is_named_by_its_label() -> None:
    form = form_of("load_rnn")
    assert (form.missing, form.check({})) == (["Path"], "")
    form.fields["path"].widget.value = "a"
    assert form.missing == []


def test_variables_of_the_notebook_are_named_only_where_a_reader_named_them() -> None:
    assert form_of("generate", prefix="$x").line() == '"$x"'
    assert form_of("generate", prefix="{x}").check({}) == ""


def test_choices_are_offered_and_defaults_are_seen() -> None:
    fields = Form(parser_of("train_rnn")).fields
    assert {value for _, value in fields["cell"].widget.options} >= {"rnn", "gru", "lstm", ""}
    defaults = {field.name: field.default for field in describe(TrainConfig)}
    assert fields["epochs"].widget.placeholder == str(defaults["epochs"])


def test_the_number_zero_is_said() -> None:
    form = form_of("generate", prefix="a", temperature="0")
    assert form.line() == "a --temperature 0"


def test_a_word_that_stands_for_a_number_is_offered() -> None:
    seed = form_of("generate", prefix="a", seed="random")
    assert seed.fields["seed"].widget.options == ("random",)
    assert seed.line() == "a --seed random"
    assert seed.check({}) == ""
    assert form_of("generate", prefix="a", seed="rondom").check({}).startswith("Seed must be")


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
    assert form.check({}).startswith("a magic line cannot hold ")
    with pytest.raises(ConfigError, match="cannot hold"):
        form.magic_line()
