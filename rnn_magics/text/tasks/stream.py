"""Examples of a task, drawn one after the other, with what is known of every token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_magics.errors import ConfigError
from rnn_magics.language import say, say_number
from rnn_magics.options import SEED, Options, Range, option
from rnn_magics.results import Result
from rnn_magics.text.tasks.rules import MOST_SYMBOLS, TASKS, Next, Rule

_MOST_LENGTH = 1000
_MOST_EXAMPLES = 1_000_000


def _taken(name: str) -> str:
    defaults = {task: each.takes[name] for task, each in TASKS.items() if name in each.takes}
    return ", ".join(f"{task} {default}" for task, default in defaults.items())


@dataclass(frozen=True, repr=False)
class TaskConfig(Options):
    """The examples of a made-up task."""

    length: int = option(
        10,
        "of a task: the most symbols, pairs or bits of an example, or how many digits or brackets",
        within=Range(1, _MOST_LENGTH),
        label="Task: length",
    )
    symbols: int | None = option(
        None,
        lambda: say(
            "of a task: how many kinds of symbols, by default {taken}", taken=_taken("symbols")
        ),
        within=Range(1, MOST_SYMBOLS),
        label="Task: symbols",
    )
    delay: int | None = option(
        None,
        lambda: say(
            "of a task: how many tokens to wait for the answer, by default {taken}",
            taken=_taken("delay"),
        ),
        within=Range(0, _MOST_LENGTH),
        label="Task: delay",
    )
    examples: int = option(
        2000,
        "of a task: how many examples",
        within=Range(1, _MOST_EXAMPLES),
        label="Task: examples",
    )
    seed: int = option(0, "of a task: the seed of the examples", within=SEED, label="Task: seed")

    def taken_by(self, name: str) -> dict[str, int]:
        """Return the arguments of the rule of a task.

        Raises
        ------
        ConfigError
            When an option is given that the task does not take.
        """
        taken, arguments = TASKS[name].takes, {"length": self.length}
        for each, value in {"symbols": self.symbols, "delay": self.delay}.items():
            if each in taken:
                arguments[each] = taken[each] if value is None else value
            elif value is not None:
                msg = say("task {task} takes no --{option}; leave it out", task=name, option=each)
                raise ConfigError(msg)
        return arguments


class Drawn(NamedTuple):
    """A token, and what is known of it."""

    token: str
    nats: float
    """-ln of its probability for whoever knows the rule and what came before."""
    distance: int
    """Of an answer: how many tokens back it depends on; 0 for any other token."""
    begins: bool
    """Whether an example begins with it."""


def draw_examples(name: str, config: TaskConfig) -> Iterator[Drawn]:
    """Yield the tokens of ``config.examples`` examples, drawn with a generator of their own.

    Raises
    ------
    ConfigError
        When the task does not take an option, or its value.
    """
    rule, arguments = TASKS[name].rule, config.taken_by(name)
    generator = np.random.default_rng(config.seed)
    for _ in range(config.examples):
        yield from _example(rule(**arguments), generator)


def _example(rule: Rule, generator: np.random.Generator) -> Iterator[Drawn]:
    coming, begins = next(rule), True
    while True:
        token = _chosen(coming, generator)
        yield Drawn(token, -math.log(coming.chances[token]), coming.follows.get(token, 0), begins)
        begins = False
        try:
            coming = rule.send(token)
        except StopIteration:
            return


def _chosen(coming: Next, generator: np.random.Generator) -> str:
    if len(coming.chances) == 1:
        return next(iter(coming.chances))
    point, below, chosen = generator.random(), 0.0, ""
    for token, chance in coming.chances.items():
        if chance > 0:
            chosen, below = token, below + chance
            if point < below:
                break
    return chosen  # the last one where rounding leaves the sum below the point


Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, repr=False, eq=False)
class MadeUp(Result):
    """What is known of a text that follows a rule.

    Parameters
    ----------
    task
        The name of its task.
    config
        Its examples.
    nats
        -ln p of every token under a model that knows the rule, (num_tokens,).
    distances
        Of every token that is an answer, how many tokens back it depends on, else 0, (num_tokens,).
    begins
        The places at which an example begins, rising.
    """

    task: str
    config: TaskConfig
    nats: Floats
    distances: Ints
    begins: Ints

    @property
    def answers(self) -> tuple[str, ...] | None:
        """The tokens among which an answer is looked for; None for all."""
        answers = TASKS[self.task].answers
        return None if answers is None else answers(**self.config.taken_by(self.task))

    def __repr__(self) -> str:
        """One line: the task, and the perplexity that nobody can go below."""
        mean = float(self.nats.mean())
        return say_number(
            len(self.begins),
            "task {task}: {number:,} example; who knows the rule reaches perplexity {best:.3f},"
            " {mean:.3f} nats per token",
            "task {task}: {number:,} examples; who knows the rule reaches"
            " perplexity {best:.3f}, {mean:.3f} nats per token",
            task=self.task,
            best=math.exp(mean),
            mean=mean,
        )
