"""A tape of calls on arrays that stay where they are, so that all of them can be made again.

Around the compiled functions of a step Python allocates, looks at shapes and lays out views. For
minibatches of one shape that is the same every time. So it is done once, and what changed any
memory on the way is written on a tape; to play it takes the step again. It is to the CPU what a
CUDA graph is to a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_recording: ContextVar[Tape | None] = ContextVar("_recording", default=None)


class Tape:
    """Calls in the order in which they were made."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Write down what `do` calls within this context."""
        token = _recording.set(self)
        try:
            yield
        finally:
            _recording.reset(token)

    def write(self, function: Callable[..., object], given: tuple[Any, ...]) -> None:
        """Add a call to the end."""
        self._calls.append((function, given))

    def play(self) -> None:
        """Make all calls again."""
        for function, given in self._calls:
            function(*given)


def do(function: Callable[..., object], *given: Any) -> None:
    """Make a call that changes arrays in place, and write it down if somebody records."""
    tape = _recording.get()
    if tape is not None:
        tape.write(function, given)
    function(*given)
