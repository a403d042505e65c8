"""Any object of a notebook ends in a corpus or in one line."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import CorpusError, RNNMagicsError
from rnn_magics.foreign import foreign_code, kind_of
from rnn_magics.text import given as reading
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from tests.hostile_objects import ERRORS, OfTheRoot, hostile, hostile_class, hostile_metaclass


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 300)


def chooser(data: st.DataObject) -> Callable[[Sequence[Any]], Any]:
    """Return what draws one of several by its place, since Hypothesis asks what it draws from."""
    return lambda options: options[data.draw(st.integers(0, len(options) - 1))]


def check_line(error: RNNMagicsError, name: str) -> None:
    line = str(error)
    assert line.isprintable()
    assert repr(name) in line
    assert len(line) < 2000


@given(st.data(), st.sampled_from(["from_data", "from_tokens"]))
def test_any_object_ends_in_a_corpus_or_one_line(data: st.DataObject, method: str) -> None:
    thing = hostile(chooser(data))
    try:
        corpus = getattr(Corpus, method)(thing, name="n")
    except CorpusError as error:
        check_line(error, "n")
        return
    assert len(corpus) >= 2
    assert repr(corpus).isprintable()
    assert len(corpus.fingerprint) == 64
    vocab = Vocab.from_corpus(corpus)
    assert vocab.to_tokens(vocab[corpus.tokens()[:1]]) is not None
    make_batches(corpus, vocab, BatchConfig(batch_size=1, num_steps=1))


@given(st.data())
def test_the_name_of_a_class_is_told_whatever_its_metaclass_does(data: st.DataObject) -> None:
    choose = chooser(data)
    made = hostile_class(choose, hostile_metaclass(choose), object)
    try:
        thing = type.__call__(made)
    except BaseException:  # noqa: BLE001  (so hostile that it cannot be)
        return
    assert kind_of(thing).isprintable()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_of_foreign_code_is_one_line(error: BaseException) -> None:
    with pytest.raises(CorpusError) as caught, foreign_code("'n' fails", CorpusError):
        raise error
    check_line(caught.value, "n")
    assert type(error).__name__ in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("method", ["__iter__", "__hash__", "__eq__", "__repr__"])
def test_what_is_no_matter_of_the_object_passes(method: str, kind: type[BaseException]) -> None:
    def stop(*_: Any) -> Any:
        raise kind

    members = {"__hash__": object.__hash__, method: stop}
    thing = type("Stopping", (), members)()
    with pytest.raises(kind):
        Corpus.from_tokens(thing if method == "__iter__" else [thing, thing], name="n")


class Endless:
    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[int]:
        return itertools.count()


class EndlessItems:
    def __getitem__(self, place: int) -> int:
        return place


GONE = OSError("gone\naway")


def failing() -> Iterator[int]:
    yield 1
    raise GONE


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (5, "'n' is an int, which has no elements; pass a list"),
        (None, "'n' is a NoneType, which has no elements"),
        (np.array(5), "'n' is a ndarray, which has no elements"),
        (torch.tensor(5), "'n' is a Tensor, which has no elements"),
        (itertools.count(), "'n' is a count that yields more than 300 elements and may never end"),
        (Endless(), "'n' is an Endless that yields more than 300 elements"),
        (EndlessItems(), "'n' is an EndlessItems that yields more than 300 elements"),
        (range(10**15), "'n' is a range that yields more than 300 elements"),
        (failing(), r"'n' is a generator, and reading it fails \(OSError: 'gone\\naway'\)"),
        ({1, 2}, "'n' is a set, which has no order"),
        ({1: 2}, "'n' is a dict; make a list of its keys or of its values"),
        (pd.DataFrame({"a": [1], "b": [2]}), "'n' is a DataFrame of 2 dimensions"),
        (torch.ones(2, 2), "element 0 is a list; tokens must be hashable"),
        (pd.Series([1, pd.NA]), "element 1 is a NAType, which cannot be compared with itself"),
        (pd.Series([pd.Timestamp(0), pd.NaT]), "element 1 is a NaTType, which equals nothing"),
        ([1, 10**5000], r"element 1 is an int, which cannot be shown \(ValueError"),
        ([(1, [2]), 3], r"element 0 is a tuple; tokens must be hashable \(numbers, .*'list'"),
    ],
)
def test_what_gives_no_tokens_is_named(tokens: Any, said: str) -> None:
    with pytest.raises(CorpusError, match=said) as caught:
        Corpus.from_tokens(tokens, name="n")
    check_line(caught.value, "n")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (torch.tensor([3, 3, 4]), (3, 3, 4)),
        (torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True), (1.0, 2.0)),
        (np.array([3, 4]), (3, 4)),
        (pd.Series(["a", "b"]), ("a", "b")),
        (b"ab", (97, 98)),
        ("ab", ("a", "b")),
        ((n for n in range(3)), (0, 1, 2)),
        ({"a": 1, "b": 2}.values(), (1, 2)),
    ],
)
def test_whatever_has_elements_gives_tokens(tokens: Any, expected: tuple[Any, ...]) -> None:
    found = Corpus.from_tokens(tokens, name="n").data
    assert found == expected
    assert isinstance(found, tuple)
    assert [*map(type, found)] == [*map(type, expected)]


def test_a_list_is_taken_whole_however_long() -> None:
    assert len(Corpus.from_tokens([1] * 1000)) == 1000


@pytest.mark.parametrize("method", ["__str__", "__len__", "__eq__", "__iter__", "removesuffix"])
def test_a_text_of_a_derived_class_is_plain_text(method: str) -> None:
    def refuse(*_: Any) -> Any:
        raise OfTheRoot

    kind: Any = type("Text", (str,), {"__hash__": str.__hash__, method: refuse})
    assert Corpus.from_data(kind("ab"), name="n").data == "ab"
    assert Corpus.from_data([kind("ab"), kind("c")], name="n").data == "ab\nc"
    assert Corpus.from_tokens([kind("ab"), kind("c")], name="n").data == ("ab", "c")
