"""The library call behind a magic: what runs is what ``--explain`` prints."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, cast

import rnn_magics
from rnn_magics.options import Options

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class Variable:
    """An argument that ``--explain`` prints as an expression, such as ``run.vocab``."""

    name: str
    value: Any


def variable(name: str, value: T) -> T:
    """Return an argument that is printed as `name`; its type is that of the value."""
    return cast("T", Variable(name, value))


@dataclass(frozen=True)
class Call(Generic[R]):
    """One library call.

    In the source code, numbers, text and options are literals, a `Variable` is its name, a `Call`
    is the name of its result, and any other argument is the name of its parameter, such as
    ``corpus``.

    Parameters
    ----------
    result
        The name of the variable that the result is assigned to.
    function
        A public function of rnn_magics, or a class method such as ``Corpus.load``.
    arguments
        The arguments by parameter name, without those that equal the default.
    """

    result: str
    function: Callable[..., R]
    arguments: Mapping[str, Any]

    @classmethod
    def of(
        cls, result: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Call[R]:
        """Return the call of `function` with these arguments."""
        bound = inspect.signature(function).bind(*args, **kwargs)
        parameters = bound.signature.parameters
        said = {
            name: value
            for name, value in bound.arguments.items()
            if not _is_default(value, parameters[name].default)
        }
        return cls(result, function, said)

    def __call__(self, **watching: Any) -> R:
        """Make the call.

        Parameters
        ----------
        **watching
            Further arguments that do not change the result, only what drives or watches the call.
        """
        args, kwargs = self._spread()
        named = {name: _value(each) for name, each in kwargs.items()}
        result = self.function(*map(_value, args), **{**named, **watching})
        self.__dict__["value"] = result  # for a later call that takes the result
        return result

    @functools.cached_property
    def value(self) -> R:
        """The latest result; without one, the call is made now."""
        return self()

    def values(self) -> dict[str, Any]:
        """Return all arguments by name, defaults included, without making a `Call` among them."""
        bound = inspect.signature(self.function).bind_partial()
        bound.apply_defaults()
        found = {**bound.arguments, **self.arguments}
        return {name: _looked_up(value) for name, value in found.items()}

    def source(self) -> str:
        """Return the call as Python source, with its imports."""
        args, kwargs = self._spread()
        written = [type(each) for each in (*args, *kwargs.values()) if _is_written(each)]
        named = [(self._path.partition(".")[0], self.function.__module__)]
        named += [(kind.__name__, kind.__module__) for kind in written]
        positional = [name for name in self.arguments if name not in kwargs]
        words = [
            _written(each, name) for name, each in zip(self._labels(positional), args, strict=True)
        ]
        words += [f"{name}={_written(each, name)}" for name, each in kwargs.items()]
        call = f"{self.result} = {self._path}({', '.join(words)})"
        return f"{_imports(named)}\n{call}\n"

    @property
    def _path(self) -> str:
        return self.function.__qualname__

    def _labels(self, positional: list[str]) -> list[str]:
        kinds = inspect.signature(self.function).parameters
        labels = []
        for name in positional:
            several = kinds[name].kind is inspect.Parameter.VAR_POSITIONAL
            labels += [name] * (len(self.arguments[name]) if several else 1)
        return labels

    def _spread(self) -> tuple[list[Any], dict[str, Any]]:
        # Arguments are positional up to the first one that is left out, then by keyword.
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        gap = False
        for name, parameter in inspect.signature(self.function).parameters.items():
            if name not in self.arguments:
                gap = True
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                args += self.arguments[name]
            elif gap or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                kwargs[name] = self.arguments[name]
            else:
                args.append(self.arguments[name])
        return args, kwargs


@dataclass(frozen=True)
class Item:
    """One item of the list that a call returns."""

    call: Call[Any]
    place: int


def result_of(call: Call[R]) -> R:
    """Return a call as an argument of a later call; its type is that of the result."""
    return cast("R", call)


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(value, Options):
        return default is None and not value.changed()
    return value is default or (isinstance(value, str | int | float) and value == default)


def _is_written(value: Any) -> bool:
    return isinstance(value, Options)


def _imports(named: Iterable[tuple[str, str]]) -> str:
    # A name that is not public is imported from its module. A name from a cell needs no import.
    homes = {n: "rnn_magics" if n in dir(rnn_magics) else module for n, module in named}
    lines = [
        f"from {home} import {', '.join(sorted(n for n, at in homes.items() if at == home))}\n"
        for home in sorted({*homes.values()} - {"__main__"})
    ]
    return "".join(lines)


def _looked_up(argument: Any) -> Any:
    if isinstance(argument, list | tuple):
        return type(argument)(map(_looked_up, argument))
    return argument.value if isinstance(argument, Variable) else argument


def _value(argument: Any) -> Any:
    if isinstance(argument, list):
        return [_value(each) for each in argument]
    if isinstance(argument, Item):
        return argument.call.value[argument.place]
    return argument.value if isinstance(argument, Call) else _looked_up(argument)


def _written(argument: Any, name: str) -> str:
    if isinstance(argument, Variable):
        return argument.name
    if isinstance(argument, Call):
        return argument.result
    if isinstance(argument, Item):
        return f"{argument.call.result}[{argument.place}]"
    if isinstance(argument, list):
        return f"[{', '.join(_written(each, name) for each in argument)}]"
    plain = isinstance(argument, str | int | float | tuple | Options) or argument is None
    return repr(argument) if plain else name
