"""The machines of a cluster, of which one may be lost while all are asked."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_magics.cluster.machines import ask_each, machines


class UnschedulableError(Exception):
    """No machine takes the task."""


class DiedError(Exception):
    """The machine has died."""


GONE = {"b": UnschedulableError("no such node"), "c": DiedError("it died")}


class Ray:
    """A Ray of four machines, of which it does not know that two are gone."""

    exceptions = SimpleNamespace(
        GetTimeoutError=TimeoutError,
        TaskUnschedulableError=UnschedulableError,
        NodeDiedError=DiedError,
    )

    def __init__(self) -> None:
        def place(node: str, *, soft: bool) -> str:
            assert not soft  # no other machine may answer for it
            return node

        strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=place)
        self.util = SimpleNamespace(scheduling_strategies=strategies)

    def nodes(self) -> list[dict[str, Any]]:
        there = [{"NodeID": name, "Alive": True} for name in "abcd"]
        return [*there, {"NodeID": "e", "Alive": False}]

    def remote(self, **_options: Any) -> Any:
        def made(function: Callable[..., Any]) -> Any:
            def options(scheduling_strategy: str) -> Any:
                return SimpleNamespace(remote=lambda *given: (scheduling_strategy, function, given))

            return SimpleNamespace(options=options)

        return made

    def get(self, reference: Any, timeout: float) -> Any:
        node, function, given = reference
        if node in GONE:
            raise GONE[node]
        if timeout == 0:
            raise TimeoutError
        return function(*given)


def test_a_machine_that_is_lost_is_left_out() -> None:
    ray = Ray()
    there = machines(ray)
    assert [machine["NodeID"] for machine in there] == list("abcd")
    answers = ask_each(ray, there, lambda a, b: a + b, 1, 2, seconds=60)
    assert [(machine["NodeID"], answer) for machine, answer in answers] == [("a", 3), ("d", 3)]


def test_a_machine_that_does_not_answer_is_not_left_out() -> None:
    ray = Ray()
    with pytest.raises(TimeoutError):
        ask_each(ray, machines(ray), lambda: None, seconds=0)


def test_a_question_that_fails_is_not_left_out() -> None:
    ray = Ray()

    def question() -> None:
        msg = "no idea"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="no idea"):
        ask_each(ray, machines(ray), question, seconds=60)
