"""The public names: complete, sorted, and not paid for before they are used."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

import rnn_magics

MODULES = [
    found.name
    for found in pkgutil.walk_packages(rnn_magics.__path__, "rnn_magics.")
    if not found.name.startswith("rnn_magics.notebook")
]


def test_the_public_names_are_sorted_and_complete() -> None:
    names = rnn_magics.__all__
    # As ruff sorts them: constants, then classes, then the rest.
    groups = [
        [name for name in names if name.isupper()],
        [name for name in names if not name.isupper() and name[0].isupper()],
        [name for name in names if name[0].islower()],
    ]
    assert names == [name for group in groups for name in sorted(group)]
    extension = {"load_ipython_extension", "unload_ipython_extension"}
    assert set(names) == set(rnn_magics._HOMES) | extension


@pytest.mark.parametrize("name", rnn_magics.__all__)
def test_every_public_name_is_that_of_its_module(name: str) -> None:
    found = getattr(rnn_magics, name)
    if name in rnn_magics._HOMES:
        home = importlib.import_module(f"rnn_magics.{rnn_magics._HOMES[name]}")
        assert found is getattr(home, name)
    else:
        assert callable(found)
    assert name in dir(rnn_magics)


def test_every_public_name_is_known_to_type_checkers() -> None:
    source = importlib.util.find_spec("rnn_magics").loader.get_source("rnn_magics")  # type: ignore[attr-defined,union-attr]
    imported = {
        (node.module, alias.name)
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for name, home in rnn_magics._HOMES.items():
        assert (f"rnn_magics.{home}", name) in imported


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'rnn_magics' has no attribute 'nothing'"):
        _ = rnn_magics.nothing
    with pytest.raises(ImportError):
        exec("from rnn_magics import nothing")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_the_names_it_promises(name: str) -> None:
    module: Any = importlib.import_module(name)
    assert module.__doc__
    for promised in getattr(module, "__all__", ()):
        assert hasattr(module, promised)


@pytest.mark.parametrize(
    "imported",
    ["rnn_magics", "rnn_magics.errors", "rnn_magics.options, rnn_magics.text.reading.sources"],
)
def test_the_import_waits_for_nothing_heavy(imported: str) -> None:
    program = f"""if True:
        import sys
        import {imported}
        heavy = ("torch", "matplotlib", "IPython", "numpy", "pandas", "requests", "pooch", "jieba",
                 "ipywidgets")
        print(*sorted(name for name in heavy if name in sys.modules))
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.mark.parametrize(("old", "new"), rnn_magics._RENAMED.items())
def test_a_renamed_name_works_for_one_release_and_names_the_new_one(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"rnn_magics.{old} is called rnn_magics.{new} now"):
        found = getattr(rnn_magics, old)
    assert found is getattr(rnn_magics, new)
    assert old not in rnn_magics.__all__


def test_no_two_public_names_differ_only_by_case() -> None:
    counted = Counter(name.lower() for name in rnn_magics.__all__)
    assert [name for name, number in counted.items() if number > 1] == []
