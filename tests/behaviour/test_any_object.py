"""Objects of a notebook that mean no good, on the lines that take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from rnn_magics.errors import ConfigError, RNNMagicsError
from rnn_magics.notebook.line.words import split_line
from tests.hostile_objects import OfTheRoot, Sneaky, UnshowableError, hostile

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def check_line(error: RNNMagicsError, name: str) -> None:
    assert str(error).isprintable()
    assert repr(name) in str(error)


def with_method(name: str, result: Any, base: type = object, *values: Any) -> Any:
    def method(*_: Any, **__: Any) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    return type("Hostile", (base,), {name: method})(*values)


@given(st.data(), st.sampled_from(["$n", "{n}", "--name=$n"]))
def test_any_object_on_a_line_is_plain_text_or_one_line(data: st.DataObject, typed: str) -> None:
    thing = hostile(lambda options: options[data.draw(st.integers(0, len(options) - 1))])
    try:
        words = split_line(typed, {"n": thing})
    except ConfigError as error:
        check_line(error, "n")
    else:
        assert all(type(word.text) is str for word in words)


# By name, since pytest asks values for their names.
WRITTEN = {
    "int": (5, "5"),
    "numpy": (np.float32(0.5), "0.5"),
    "none": (None, "none"),
    "sneaky": (Sneaky("plain"), "plain"),
    "text": (with_method("__str__", OfTheRoot(), str, "plain"), "plain"),
    "derived": (with_method("__str__", Sneaky("7"), int, 7), "7"),
    "format": (with_method("__format__", OfTheRoot(), int, 7), "7"),
}


@pytest.mark.parametrize("what", WRITTEN)
def test_text_and_numbers_are_written_out_as_plain_text(what: str) -> None:
    value, expected = WRITTEN[what]
    (found,) = split_line("$n", {"n": value})
    assert type(found.text) is str
    assert found.text == expected


NOT_WRITTEN = {
    "huge": (10**5000, r"'n' is an int, and converting it to text fails \(ValueError: 'Exceeds"),
    "root": (with_method("__str__", OfTheRoot("a\nb"), int, 7), r"fails \(OfTheRoot: 'a\\nb'\)"),
    "error": (
        with_method("__str__", UnshowableError(), int, 7),
        "UnshowableError, which cannot be",
    ),
    "wrong": (with_method("__str__", None, int, 7), "TypeError"),
    "closed": (with_method("__getattribute__", ValueError()), "'n' is a Hostile; an option takes"),
    "name": (type("a\nb", (), {})(), r"'n' is an a\\nb; an option takes text, a number or a path"),
}


@pytest.mark.parametrize("what", NOT_WRITTEN)
def test_what_cannot_be_written_out_is_named(what: str) -> None:
    value, said = NOT_WRITTEN[what]
    with pytest.raises(ConfigError, match=said) as caught:
        split_line("--name $n", {"n": value})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_within_an_object_is_an_interrupt(kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        split_line("$n", {"n": with_method("__str__", kind(), int, 7)})


REFUSED = {
    "a number": (5, "'n' is an int, which has no elements"),
    "raises in iter": (with_method("__iter__", ValueError("a\nb")), r"(ValueError: 'a\nb')"),
    "of the root": (with_method("__iter__", OfTheRoot()), "reading it fails (OfTheRoot)"),
    "no memory, it says": (
        with_method("__iter__", RuntimeError("out of memory")),
        "(RuntimeError: 'out of memory')",
    ),
    "no memory": (with_method("__iter__", MemoryError()), "out of memory in %corpus"),
    "unhashable": ([with_method("__hash__", ValueError())] * 2, "element 0 is a Hostile, which"),
    "unlike itself": ([1, with_method("__eq__", False)], "element 1 is a Hostile; tokens must"),
    "not shown": ([1, with_method("__repr__", ValueError())], "which cannot be shown (ValueError)"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_object_that_gives_no_tokens_is_refused_in_one_line(
    notebook: Notebook, what: str
) -> None:
    notebook.variables["n"], said = REFUSED[what]
    assert said in notebook.refused("%corpus --data n --as-tokens")


def test_keys_that_are_no_names_are_no_variables(notebook: Notebook) -> None:
    notebook.variables.update({5: 1, None: 2, "series": [1, 2]})  # as globals()[5] = 1 does
    try:
        for line in ("%corpus --data seriez", "%corpus $seriez"):
            error = notebook.shell.run_cell(line).error_in_exec
            assert type(error) is UsageError
            assert "did you mean 'series'" in str(error)
        assert notebook.complete("%corpus --data ser") == ["series"]
    finally:
        del notebook.variables[5], notebook.variables[None]
