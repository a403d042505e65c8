"""Objects that mean no good: classes whose methods raise, lie or never end.

Shared by the property tests and ``benchmarks/torture``. Everything is drawn by a function
`choose(sequence)`, so that both Hypothesis and `random.Random` can make them.
"""

from __future__ import annotations

import itertools
from collections import UserDict, UserList, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

Choose = Callable[[Sequence[Any]], Any]


class UnshowableError(Exception):
    """An error that raises when it is told."""

    def __str__(self) -> str:
        raise ValueError

    __repr__ = __str__


class WrongMessageError(Exception):
    """An error whose message is none."""

    def __str__(self) -> Any:
        return 5  # noqa: PLE0307  (that is the point)


class OfTheRoot(BaseException):
    """One that ``except Exception`` does not catch."""


class Sneaky(str):
    """A text whose methods all raise."""

    __slots__ = ()

    def _raise(self, *_: Any) -> Any:
        raise ValueError

    __str__ = __repr__ = __len__ = __iter__ = __format__ = __eq__ = __hash__ = _raise
    encode = removesuffix = isprintable = replace = splitlines = join = lower = _raise


ERRORS = [
    ValueError("two\nlines"),
    TypeError("\x1b[31mred\u2028\u202e\ud800\0"),
    RuntimeError("out of memory"),
    AttributeError("x" * 10_000),
    KeyError(()),
    StopIteration(3),
    StopAsyncIteration(),
    GeneratorExit(),
    RecursionError(),
    OSError(2, "gone\r", "file\n"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    UnshowableError(),
    WrongMessageError(),
    OfTheRoot("root\x85"),
    ValueError(Sneaky("sneaky")),
]
WRONG = [
    None,
    5,
    -1,
    "text",
    b"b",
    2**70,
    float("nan"),
    (),
    [1, [2]],
    NotImplemented,
    object,
    Sneaky("s"),
]
METHODS = [
    "__repr__",
    "__str__",
    "__len__",
    "__iter__",
    "__next__",
    "__getitem__",
    "__contains__",
    "__eq__",
    "__ne__",
    "__hash__",
    "__lt__",
    "__bool__",
    "__format__",
    "__getattr__",
    "__getattribute__",
    "__class__",
    "__array__",
    "__index__",
    "__int__",
    "__float__",
    "__length_hint__",
    "__reversed__",
    "__sizeof__",
    "__reduce__",
    "__dir__",
    "__add__",
    "__instancecheck__",
    "__subclasscheck__",
    "__mro_entries__",
    "tolist",
    "ndim",
    "shape",
    "dtype",
    "keys",
    "values",
    "items",
    "removesuffix",
    "replace",
    "startswith",
    "isprintable",
    "encode",
    "__name__",
    "__qualname__",
    "__module__",
    "__doc__",
    "_ipython_display_",
]
BASES: list[type] = [
    object, list, tuple, dict, str, int, float, bytes, set, frozenset, deque, UserList, UserDict,
]  # fmt: skip
NAMES = ["Hostile", "two\nlines", "\x1b[2J", "\u202e'\"", "", "x" * 500]
CONTENT = {
    list: [1, 2], tuple: (1, 2), dict: {1: 2, 3: 4}, str: "ab c", int: 5, float: 0.5,
    bytes: b"ab", set: {1, 2}, frozenset: {1, 2}, deque: [1, 2], UserList: [1, 2], UserDict: {1: 2},
}  # fmt: skip


def hostile_class(choose: Choose, kind: type = type, base: type | None = None) -> type:
    """Return a class with some methods that raise, return what they must not, or never end."""
    base = choose(BASES) if base is None else base
    members = {choose(METHODS): _behaviour(choose) for _ in range(choose(range(1, 5)))}
    # Without these, no class could be made or used at all.
    for needed in ("__mro_entries__", "__qualname__", "__doc__", "__module__"):
        members.pop(needed, None)
    name = choose(NAMES)
    try:
        return kind(name, (base,), members)
    except BaseException:  # noqa: BLE001  (its metaclass is so hostile that it cannot be)
        return type(name, (base,), members)


def hostile_metaclass(choose: Choose) -> type:
    return hostile_class(choose, base=type)


def _behaviour(choose: Choose) -> Any:
    error, wrong = choose(ERRORS), choose(WRONG)

    def raises(*_: Any, **__: Any) -> Any:
        raise error

    def lies(*_: Any, **__: Any) -> Any:
        return wrong

    def endless(*_: Any, **__: Any) -> Any:
        return itertools.count()

    def deeper() -> Any:  # takes nothing: Python 3.13.0 does not count calls of *args, **kwargs
        return deeper()

    def deep(*_: Any, **__: Any) -> Any:
        return deeper()

    def itself(self: Any = None, *_: Any, **__: Any) -> Any:
        return self

    return choose([raises, lies, endless, deep, itself, property(raises), property(lies), wrong])


def hostile(choose: Choose) -> Any:
    """Return one object: hostile itself, or an ordinary one that holds what is hostile."""
    return choose([_instance, _instance, _holding, _holding, _ordinary])(choose)


def _instance(choose: Choose) -> Any:
    metaclass = hostile_metaclass(choose) if choose([False, False, True]) else type
    made = hostile_class(choose, metaclass)
    try:
        base = type.__dict__["__base__"].__get__(made)
        return made(CONTENT[base]) if base in CONTENT else made()
    except BaseException:  # noqa: BLE001  (so hostile that it cannot be)
        return object()


def _holding(choose: Choose) -> Any:
    inner = [_instance(choose) for _ in range(choose(range(1, 4)))] + choose([[], [1], ["a", "b"]])
    wrap = choose(
        [list, tuple, _generator, _array, _series, _nested, _mapping, iter, deque, _repeated]
    )
    try:
        return wrap(inner)
    except BaseException:  # noqa: BLE001  (of numpy or pandas, which asked it something)
        return inner


def _generator(inner: list[Any]) -> Iterator[Any]:
    yield from inner


def _array(inner: list[Any]) -> Any:
    found = np.empty(len(inner), object)
    for place, element in enumerate(inner):
        found[place] = element
    return found


def _series(inner: list[Any]) -> Any:
    return pd.Series(_array(inner))


def _nested(inner: list[Any]) -> Any:
    return [inner, (inner, tuple(inner))]


def _mapping(inner: list[Any]) -> Any:
    return dict(enumerate(inner))


def _repeated(inner: list[Any]) -> Any:
    return itertools.cycle(inner)


HALFWAY = ValueError("half\nway")


def _failing() -> Iterator[int]:
    yield 1
    yield 2
    raise HALFWAY


def _ordinary(choose: Choose) -> Any:
    make: list[Callable[[], Any]] = [
        lambda: 5,
        lambda: None,
        lambda: "ab",
        lambda: b"abc",
        lambda: bytearray(b"abc"),
        lambda: memoryview(b"abc"),
        lambda: {1, 2},
        lambda: {"a": 1},
        {"a": 1}.keys,
        lambda: [[1], [2]],
        lambda: [1, {}],
        lambda: [None, None],
        lambda: range(5),
        itertools.count,
        lambda: itertools.repeat("a"),
        _failing,
        lambda: np.array(5),
        lambda: np.arange(6).reshape(2, 3),
        lambda: np.array([1, "a", None], object),
        lambda: np.array(["2020-01-01", "NaT"], "datetime64[D]"),
        lambda: np.zeros(3, [("a", int)]),
        lambda: np.array([1 + 2j, np.nan]),
        lambda: pd.Series([1, pd.NA, 2], dtype="Int64"),
        lambda: pd.Series([pd.Timestamp(0), pd.NaT]),
        lambda: pd.Series(["a", None, "b"]),
        lambda: pd.DataFrame({"a": [1, 2], "b": [3, 4]}),
        lambda: pd.Index([1, 2, 2]),
        lambda: pd.Categorical(["a", "b", "a"]),
        lambda: torch.arange(4),
        lambda: torch.ones(2, 2),
        lambda: torch.tensor(3),
        lambda: torch.ones(3, dtype=torch.bfloat16, requires_grad=True),
        lambda: torch.empty(3, device="meta"),
        lambda: torch.eye(3).to_sparse(),
        lambda: int,
        lambda: len,
        lambda: np,
        lambda: NotImplemented,
        lambda: ...,
        lambda: Sneaky("sneaky"),
        lambda: [Sneaky("sneaky"), "a", Sneaky("b")],
        lambda: 10**5000,
        lambda: [10**5000, 1],
        lambda: ["\ud800", "\0"],
    ]
    return choose(make)()
