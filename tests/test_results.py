"""What the library returns for people to read can be printed anywhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import pytest

import rnn_magics
from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.options import Options
from rnn_magics.reports.texts import evaluate_texts
from rnn_magics.results import Result
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

HOSTILE = "\x1b[31mred\x1b[0m \u202e \u2028 \ud800"
SHOWN = "\\x1b[31mred\\x1b[0m \\u202e \\u2028 \\ud800"
MODULES = [found.name for found in pkgutil.walk_packages(rnn_magics.__path__, "rnn_magics.")]


def written_by_hand(module: str) -> list[type]:
    """Return the classes of a module that say themselves how they look."""
    found = importlib.import_module(module)
    return [
        getattr(found, node.name)
        for node in ast.parse(inspect.getsource(found)).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.FunctionDef) and part.name == "__repr__" for part in node.body)
    ]


def test_whatever_says_itself_how_it_looks_is_a_result() -> None:
    classes = [cls for module in MODULES for cls in written_by_hand(module)]
    assert len(classes) > 20
    # The repr of options is that of their values, which `repr` has made harmless; the members
    # of an enumeration are ours.
    assert [cls for cls in classes if not issubclass(cls, (Result, Options, Enum))] == []


class Named(Result):
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        """The name."""
        return f"{self.name}\n\tsecond line"


class Inherits(Named):
    pass


@dataclass(repr=False)
class Overrides(Named):
    name: str

    def __repr__(self) -> str:
        """The name, and that of the class above."""
        return f"{self.name}: {super().__repr__()}"


@pytest.mark.parametrize(
    ("cls", "shown"),
    [
        (Named, f"{SHOWN}\n\tsecond line"),
        (Inherits, f"{SHOWN}\n\tsecond line"),
        (Overrides, f"{SHOWN}: {SHOWN}\n\tsecond line"),
    ],
)
def test_what_would_act_in_a_repr_is_written_out(cls: Any, shown: str) -> None:
    assert repr(cls(HOSTILE)) == shown
    assert repr([cls(HOSTILE)]) == f"[{shown}]"


def test_a_report_on_hostile_names_is_harmless_in_a_script() -> None:
    corpus = Corpus.from_text("the time traveller\n" * 20, CorpusConfig(valid=0.2), name="tiny")
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    config = TrainConfig(epochs=1, device="cpu", threads=1)
    run = train(batches, ModelConfig(num_hiddens=4), config)
    run.name = HOSTILE  # no such name is taken; a file may hold one
    found = evaluate_texts([run], [replace(corpus, name=HOSTILE)])
    for shown in (repr(run), repr(found), repr(found[0])):
        assert "\\x1b[31mred" in shown
        assert not set("\x1b\u202e\u2028\ud800") & set(shown)
