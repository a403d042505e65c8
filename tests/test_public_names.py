"""The public names: complete, typed, and not paid for before they are used."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import rnn_magics
from rnn_magics import INSPECTORS, inspection

ROOT = Path(rnn_magics.__file__).parent
STUB = ast.parse(ROOT.joinpath("__init__.pyi").read_text(encoding="utf-8"))
IMPORTED = [
    (node.module, alias)
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
]
HOMES = {alias.name: module for module, alias in IMPORTED}
MODULES = [
    found.name
    for found in pkgutil.walk_packages(rnn_magics.__path__, "rnn_magics.")
    if not found.name.startswith("rnn_magics.notebook")
]


def test_the_public_names_are_those_of_the_stub() -> None:
    extension = {"load_ipython_extension", "unload_ipython_extension"}
    assert set(rnn_magics.__all__) == HOMES.keys() | extension
    assert len(rnn_magics.__all__) == len(HOMES) + len(extension)
    assert set(dir(rnn_magics)) >= HOMES.keys()


def test_every_public_name_has_a_page_of_the_site() -> None:
    page = (Path(__file__).parents[1] / "docs/api/index.md").read_text(encoding="utf-8")
    listed = {*re.findall(r"^   (\w+)$", page, re.MULTILINE)}
    for_ipython = {"load_ipython_extension", "unload_ipython_extension"}
    assert listed == {*rnn_magics.__all__} - for_ipython - {"inspection"}  # a room


def test_every_public_name_is_known_to_type_checkers_and_editors() -> None:
    # A stub exports what it imports under its own name; the marker says that the package has types.
    assert [alias.name for _, alias in IMPORTED if alias.asname != alias.name] == []
    assert ROOT.joinpath("py.typed").exists()


@pytest.mark.parametrize("name", rnn_magics.__all__)
def test_every_public_name_is_that_of_its_module(name: str) -> None:
    found = getattr(rnn_magics, name)
    if name not in HOMES:
        assert callable(found)
    elif HOMES[name] is None:  # a package
        assert found is importlib.import_module(f"rnn_magics.{name}")
    else:
        assert found is getattr(importlib.import_module(f"rnn_magics.{HOMES[name]}"), name)


@pytest.mark.parametrize(
    "name",
    ["BATCHERS", "CELLS", "DECODERS", "INSPECTORS", "OPTIMIZERS", "SCHEDULES", "TOKENIZERS"],
)
def test_what_a_user_registers_in_is_public(name: str) -> None:
    assert isinstance(getattr(rnn_magics, name), dict)


@pytest.mark.parametrize("view", INSPECTORS)
def test_the_options_and_the_result_of_a_view_stand_together(view: str) -> None:
    inspector = INSPECTORS[view]
    result = get_type_hints(inspector.inspect)["return"]
    for public in (inspector.inspect, inspector.config, result):
        assert getattr(inspection, public.__name__) is public
        assert public.__name__ in inspection.__all__
    assert issubclass(result, inspection.Trace)
    assert result.kind == view


def test_a_training_is_driven_by_hand_with_public_names() -> None:
    from rnn_magics import (
        Corpus,
        EpochEnd,
        ModelConfig,
        StepEnd,
        TrainConfig,
        TrainEnd,
        Vocab,
        begin,
        iter_train,
        make_batches,
    )

    corpus = Corpus.from_text("the time traveller came back\n" * 60)
    batches = make_batches(corpus, Vocab.from_corpus(corpus))
    config = TrainConfig(epochs=1, device="cpu", threads=1)
    run, state = begin(batches, ModelConfig(num_hiddens=4), config)
    kinds = [type(event) for event in iter_train(run, state)]
    assert {StepEnd, EpochEnd} <= set(kinds)
    assert kinds[-1] is TrainEnd


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
    said = f"^rnn_magics.{old} is called rnn_magics.{new} now$"
    with pytest.warns(DeprecationWarning, match=said) as by_attribute:
        found = getattr(rnn_magics, old)
    with pytest.warns(DeprecationWarning, match=said) as by_import:
        exec(compile(f"from rnn_magics import {old}", __file__, "exec"))
    assert {each.filename for each in (*by_attribute, *by_import)} == {
        __file__
    }  # who has to mend it
    assert found is getattr(rnn_magics, new)
    assert old not in rnn_magics.__all__


def test_no_two_public_names_differ_only_by_case() -> None:
    counted = Counter(name.lower() for name in rnn_magics.__all__)
    assert [name for name, number in counted.items() if number > 1] == []
