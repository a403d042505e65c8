"""Every example in a docstring runs, and prints what stands under it.

The examples share what the first of them, that of `train`, makes: a corpus, its vocabulary, its
minibatches and a run. ``docs/api/index.md`` says so to readers.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rnn_magics

SHOWN = {  # what is used most, so it shows how
    "batching.make_batches",
    "decoding.generate.generate",
    "decoding.score.score_text",
    "inspection.inspectors.inspect_rnn",
    "reports.texts.evaluate_text",
    "scores.evaluation.evaluate",
    "scores.ladder.fit_ladder",
    "storage.loading.load_run",
    "storage.model_file.save_run",
    "text.corpus.Corpus.from_text",
    "text.vocab.Vocab.from_corpus",
    "training.loop.train",
}


def found() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages(rnn_magics.__path__, "rnn_magics."):
        yield from (
            test
            for test in finder.find(importlib.import_module(module.name), globs={})
            if test.examples
        )


TESTS = {test.name.removeprefix("rnn_magics."): test for test in found()}


def failures(test: doctest.DocTest, names: dict[str, Any]) -> str:
    """Run an example, leave its names in `names`, and return what went otherwise."""
    said: list[str] = []
    test.globs = names
    doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    return "".join(said)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    names = {name: getattr(rnn_magics, name) for name in rnn_magics.__all__}
    assert failures(TESTS["training.loop.train"], names) == ""
    return names


def test_what_is_used_most_has_an_example() -> None:
    assert TESTS.keys() >= SHOWN


@pytest.mark.parametrize("name", sorted(TESTS))
def test_an_example_prints_what_stands_under_it(
    name: str, made: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert failures(TESTS[name], dict(made)) == ""


def test_an_example_that_is_wrong_is_found() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    assert "Expected:\n    3\nGot:\n    2" in failures(wrong, {})
