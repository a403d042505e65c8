"""The library call behind a magic: it is both what runs and what ``--explain`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rnn_magics
from rnn_magics.options import Options


@dataclass(frozen=True)
class Named:
    """An argument that is written as the name of a variable, such as ``corpus``."""

    name: str
    value: Any


@dataclass(frozen=True)
class Call:
    """One call of the library.

    Parameters
    ----------
    result
        The variable that takes the result.
    function
        A public name of rnn_magics, maybe with a method: ``Corpus.load``.
    args, kwargs
        Its arguments. Options that are all defaults and keywords that are None are left out.
    """

    result: str
    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self) -> Any:
        """Make the call and return its result."""
        target: Any = rnn_magics
        for name in self.function.split("."):
            target = getattr(target, name)
        args = [arg.value if isinstance(arg, Named) else arg for arg in self._said_args()]
        return target(*args, **self._said_kwargs())

    def source(self) -> str:
        """Return the call as Python source, imports first."""
        args, kwargs = self._said_args(), self._said_kwargs()
        given = (*args, *kwargs.values())
        names = {type(arg).__name__ for arg in given if isinstance(arg, Options)}
        names.add(self.function.partition(".")[0])
        words = [arg.name if isinstance(arg, Named) else repr(arg) for arg in args]
        words += [f"{name}={value!r}" for name, value in kwargs.items()]
        call = f"{self.result} = {self.function}({', '.join(words)})"
        return f"from rnn_magics import {', '.join(sorted(names))}\n\n{call}\n"

    def _said_args(self) -> list[Any]:
        args = list(self.args)
        while args and isinstance(args[-1], Options) and not args[-1].changed():
            args.pop()
        return args

    def _said_kwargs(self) -> dict[str, Any]:
        return {name: value for name, value in self.kwargs.items() if value is not None}
