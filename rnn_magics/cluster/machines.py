"""The machines of a cluster: who is there, and what each of them answers."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")
Machine = dict[str, Any]
"""What Ray says of a machine: ``NodeID``, ``NodeManagerAddress``, ``Resources``, ..."""


def machines(ray: Any) -> list[Machine]:
    """Return the machines that are there, so far as Ray knows."""
    return [machine for machine in ray.nodes() if machine["Alive"]]


def ask_each(
    ray: Any, asked: list[Machine], question: Callable[..., T], *given: Any, seconds: float
) -> list[tuple[Machine, T]]:
    """Ask machines, and return those that answer with their answers.

    A machine that is lost meanwhile, or was before Ray noticed, is left out.

    Parameters
    ----------
    ray
        The connected module.
    asked
        Some of `machines`.
    question, *given
        A function within a function, which travels as it is, and its arguments.
    seconds
        How long to wait for all of them.

    Raises
    ------
    ray.exceptions.GetTimeoutError
        If a machine does not answer in the time.
    """
    place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    task = ray.remote(num_cpus=0, max_retries=0)(question)
    sent = [
        task.options(scheduling_strategy=place(machine["NodeID"], soft=False)).remote(*given)
        for machine in asked
    ]
    lost = ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError
    answers, until = [], monotonic() + seconds
    for machine, reference in zip(asked, sent, strict=True):
        try:
            answer = ray.get(reference, timeout=max(until - monotonic(), 0.0))
        except lost:
            continue
        answers.append((machine, answer))
    return answers
