"""What workers, hub and notebook say to each other: plain data, since the hub has no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NAMESPACE = "rnn_magics"  # of the actors that have a name
HUB = "run "  # and then the name of the run
_DETAILS = "Worker exit type:"  # Ray goes on for ten lines about what may have been


@dataclass(frozen=True)
class Plan:
    """How the workers of a run are started.

    Parameters
    ----------
    number
        How many there are.
    least
        How many are enough, when a machine is lost.
    threads
        How many threads, and CPUs, each has.
    language
        In which notes and messages are said.
    on_gpus
        Whether each has a GPU.
    begun
        What Ray keeps the pickle of the run and its state by; one, in a list, since Ray would give
        what it keeps instead.
    """

    number: int
    least: int
    threads: int
    language: str
    on_gpus: bool = False
    begun: Sequence[Any] = ()


@dataclass(frozen=True)
class Stay:
    """How long a run stays on a cluster when nobody follows it.

    Parameters
    ----------
    farewell
        The order that stops it.
    patience
        After so many seconds without a sign from its follower the workers wait for it no more.
    alone
        After so many seconds alone it is stopped, as a user stops a run.
    kept
        After so many seconds alone what it has reached is given up, too.
    """

    farewell: bytes
    patience: float
    alone: float
    kept: float


@dataclass(frozen=True)
class Answer:
    """What a worker hears from the hub.

    Parameters
    ----------
    orders
        The orders that it has not carried out, each with its number.
    must_wait
        Whether the notebook has not taken what lies there.
    """

    orders: tuple[tuple[int, bytes], ...]
    must_wait: bool


@dataclass(frozen=True)
class Taken:
    """What the notebook hears from the hub.

    Parameters
    ----------
    updates
        What the workers have put down since.
    lives
        How many groups of workers have begun.
    failure
        An error that would come again, or why the workers have ended; empty without one.
    is_over
        Whether the workers have ended.
    is_mine
        Whether it is still this kernel that follows the run.
    """

    updates: tuple[bytes, ...] = ()
    lives: int = 0
    failure: str = ""
    is_over: bool = False
    is_mine: bool = True


@dataclass(frozen=True)
class Known:
    """What a hub says about its run to one who may attach to it.

    Parameters
    ----------
    number
        How many workers were asked for.
    signs
        How many signs of life its follower has given.
    is_followed
        Whether the last of them is recent.
    is_over
        Whether the workers have ended.
    """

    number: int
    signs: int
    is_followed: bool
    is_over: bool


@dataclass(frozen=True)
class Whole:
    """All that a kernel needs to take a run over.

    Parameters
    ----------
    begun
        The pickle of the run and its state as they began; empty where it was not asked for.
    first
        The pickle of the update with `TrainBegin`; None before it.
    last
        The pickle of the last update that one can go on from; None before the first.
    ordered
        The number of the last order.
    """

    begun: bytes
    first: bytes | None
    last: bytes | None
    ordered: int


def last_line(error: BaseException) -> str:
    """Return the last line of what an error says, which is that of the error itself."""
    lines = [line.strip() for line in f"{error}".splitlines() if line.strip()]
    last = lines[-1] if lines else type(error).__name__
    return last.partition(_DETAILS)[0].rstrip(" .")
