"""The one exception tree."""

from __future__ import annotations

import inspect
import re

import pytest

from rnn_magics import errors
from rnn_magics.errors import ConfigError, RNNMagicsError


def drawn_tree() -> dict[str, str]:
    """Read the parent of every class from the drawing in the docstring."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (inspect.getdoc(errors) or "").splitlines():
        found = re.match(r"(?P<lines>[ │├└─]*)(?P<name>\w+Error)\b", line)
        if found:
            depth = len(found["lines"]) // 4 - 1  # the drawing itself is indented by four
            path = [*path[:depth], found["name"]]
            parents[found["name"]] = path[-2] if depth else ""
    return parents


def test_the_tree_drawn_in_the_docstring_is_the_real_one() -> None:
    real = {
        name: next(base.__name__ for base in cls.__bases__ if base.__module__ == errors.__name__)
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and cls is not RNNMagicsError
    }
    drawn = drawn_tree()
    assert drawn.pop("RNNMagicsError") == ""
    assert drawn == real


def test_all_lists_every_error() -> None:
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    assert errors.__all__ == [*sorted(classes), "is_out_of_memory"]


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n.endswith("Error")])
def test_every_error_is_caught_by_the_base(name: str) -> None:
    assert issubclass(getattr(errors, name), RNNMagicsError)


def test_a_config_error_is_also_a_value_error() -> None:
    assert issubclass(ConfigError, ValueError)
