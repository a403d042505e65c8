"""Where the shards of a text are worked on: in this process, or in processes started for it.

What is executed is a pure function of one item, so it may be executed anywhere, and again if the
process that had it was killed.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from rnn_magics.errors import CorpusError, RNNMagicsError
from rnn_magics.language import language, say
from rnn_magics.text.sharding.pipes import python_process, receive, send

T = TypeVar("T")
R = TypeVar("R")
_MOST_DEATHS = 2  # of the processes that had the same item


class Executor(Protocol):
    """Applies a function to items, wherever that is."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the results in the order of the items; an error of one of them is raised.

        Parameters
        ----------
        function
            A pure function of a module, which other processes can import.
        items
            What it is applied to; they can be pickled, and so can the results.
        """
        ...


class Here:
    """Works on one item after the other, in this process."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the results in the order of the items."""
        return map(function, items)


class Processes:
    """Works on several items at once, in processes of this machine.

    Parameters
    ----------
    number
        How many processes.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the results in the order of the items.

        Raises
        ------
        CorpusError
            If the processes of one item keep dying.
        """
        work = _Work(function, items, min(self._number, len(items)))
        try:
            for place in range(len(items)):
                yield work.result(place)
        finally:
            work.end()


class _Work:
    # A thread for each process hands it one item after the other.
    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], number: int) -> None:
        self._function, self._items = function, items
        self._waiting = iter(range(len(items)))
        self._found: dict[int, Any] = {}
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._hands = [_Hand() for _ in range(number)]
        for hand in self._hands:
            threading.Thread(target=self._serve, args=(hand,), daemon=True).start()

    def result(self, place: int) -> Any:
        with self._changed:
            # With a timeout, an interrupt is heard on Windows, too.
            while place not in self._found and self._error is None:
                self._changed.wait(0.2)
            if self._error is not None:
                raise self._error
            return self._found.pop(place)

    def end(self) -> None:
        with self._changed:
            self._waiting = iter(())
        for hand in self._hands:
            hand.end()

    def _serve(self, hand: _Hand) -> None:
        try:
            while True:
                with self._changed:
                    place = next(self._waiting, None)
                if place is None:
                    return
                found = hand.asked(self._function, self._items[place])
                with self._changed:
                    self._found[place] = found
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001  (raised where the result is waited for)
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()


class _Hand:
    # One process; a new one where it was killed.
    def __init__(self) -> None:
        self._process = self._started()
        self._is_over = False

    @staticmethod
    def _started() -> Any:
        return python_process("rnn_magics.text.sharding.process", language(), threads=1)

    def asked(self, function: Callable[[Any], Any], item: Any) -> Any:
        for _ in range(_MOST_DEATHS + 1):
            process = self._process
            reply: Answer | None = None
            with suppress(OSError, ValueError):  # it was killed
                send(process.stdin, (function, item))
                reply = receive(process.stdout)
            if reply is not None:
                return reply.result()
            self._close()
            if self._is_over:
                break
            self._process = self._started()
        raise CorpusError(
            say(
                "a worker was killed {deaths} times at the same part of the text; is there enough"
                " memory? try fewer --workers",
                deaths=_MOST_DEATHS + 1,
            )
        )

    def end(self) -> None:
        self._is_over = True
        self._process.kill()
        self._close()

    def _close(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError, ValueError):
                pipe.close()


def answered(function: Callable[[T], R], item: T) -> Answer:
    """Return what a worker says of an item: its result, or what went wrong."""
    host = socket.gethostname()
    try:
        return Answer(host, function(item))
    except (RNNMagicsError, OSError) as error:
        return Answer(host, error=error)
    except Exception as error:  # noqa: BLE001  (raised where the result is waited for)
        return Answer(host, error=f"{type(error).__name__}: {error}")


@dataclass(frozen=True, eq=False)
class Answer:
    """What a worker says of an item.

    Parameters
    ----------
    host
        The machine that it runs on.
    value
        The result.
    error
        What went wrong; None if nothing did.
    """

    host: str
    value: Any = None
    error: RNNMagicsError | OSError | str | None = None

    def result(self) -> Any:
        """Return the result.

        Raises
        ------
        CorpusError
            What went wrong, and on which machine if it was another.
        OSError
            Likewise, on this one.
        """
        if self.error is None:
            return self.value
        if isinstance(self.error, str):
            raise CorpusError(say("a worker failed: {error}", error=self.error))
        if self.host != socket.gethostname():
            raise CorpusError(say("on {host}: {error}", host=self.host, error=self.error))
        raise self.error
