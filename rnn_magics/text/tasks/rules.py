"""TASKS: texts that follow a rule, each written as what may come next.

A rule is a generator: it yields the tokens that may come next with their probabilities, and is sent
the one that came. Examples are drawn from these probabilities, so a model that knows the rule
predicts exactly them, and no model predicts better. To add a task, write its rule and a line in
`TASKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase

from rnn_magics.errors import ConfigError
from rnn_magics.language import marked, say

ASK, END, MARK, WAIT = "=", ";", "*", "."
DIGITS = tuple("0123456789")
PAIRS = (*zip("([{<", ")]}>", strict=True), *zip(ascii_lowercase, ascii_uppercase, strict=True))
MOST_SYMBOLS = len(ascii_lowercase)


@dataclass(frozen=True)
class Next:
    """What may come next.

    Parameters
    ----------
    chances
        The probability of each token; together 1.
    follows
        Of the tokens that are answers: how many tokens back stands what the answer depends on, the
        farthest of it. Other tokens, which chance decides or which only give the form, are left
        out.
    """

    chances: Mapping[str, float]
    follows: Mapping[str, int] = field(default_factory=dict)


Rule = Generator[Next, str, None]


@dataclass(frozen=True)
class Task:
    """A kind of text with a known rule.

    Parameters
    ----------
    rule
        Called with ``length`` and what `takes` names; writes one example.
    help
        One line for the help of ``%corpus``.
    takes
        The further options of the rule, ``symbols`` or ``delay``, with their defaults.
    answers
        Called as the rule; returns the tokens among which an answer is looked for. By default all.
    """

    rule: Callable[..., Rule]
    help: str
    takes: Mapping[str, int] = field(default_factory=dict)
    answers: Callable[..., tuple[str, ...]] | None = None


def copy(length: int, symbols: int, delay: int) -> Rule:
    """Write 1 to `length` symbols, wait, and write them again."""
    said: list[str] = []
    while (token := (yield one_more(ascii_lowercase[:symbols], len(said), length))) != ASK:
        said.append(token)
    for _ in range(delay):
        yield certain(WAIT)
    for symbol in said:
        yield certain(symbol, len(said) + 1 + delay)
    yield certain(END)


def recall(length: int, symbols: int) -> Rule:
    """Write 1 to `length` pairs of a key and a value, ask for a key, and write its value."""
    if length > symbols:
        more = say("--symbols {length} or ", length=length) if length <= MOST_SYMBOLS else ""
        msg = say(
            "recall needs a key of its own for each pair: {more}--length {symbols}",
            more=more,
            symbols=symbols,
        )
        raise ConfigError(msg)
    keys, values = ascii_lowercase[:symbols], ascii_uppercase[:symbols]
    pairs: dict[str, str] = {}
    while True:
        left = [key for key in keys if key not in pairs]
        key = yield one_more(left, len(pairs), length)
        if key == ASK:
            break
        pairs[key] = yield Next(evenly(values))
    asked = yield Next(evenly(pairs))
    place = list(pairs).index(asked)
    yield certain(pairs[asked], 2 * (len(pairs) - place) + 1)
    yield certain(END)


def parity(length: int) -> Rule:
    """Write 1 to `length` bits, and whether the number of ones is odd."""
    bits: list[str] = []
    while (token := (yield one_more("01", len(bits), length))) != ASK:
        bits.append(token)
    yield certain(str(bits.count("1") % 2), len(bits) + 1)
    yield certain(END)


def adding(length: int) -> Rule:
    """Write `length` digits, two of them marked, and the sum of these two."""
    if length < 2:  # noqa: PLR2004  (the marked ones)
        msg = say(
            "adding marks two digits, so --length must be at least 2, not {length}", length=length
        )
        raise ConfigError(msg)
    marked: list[int] = []
    first = 0  # how many tokens from the first marked digit to the next token
    for place in range(length):
        first += bool(marked)
        mark = (2 - len(marked)) / (length - place)
        token = yield Next({MARK: mark, **evenly(DIGITS, 1 - mark)})
        if token == MARK:
            first += bool(marked)
            marked.append(int((yield Next(evenly(DIGITS)))))
    yield certain(ASK)
    yield certain(str(sum(marked)), first + 2)
    yield certain(END)


def dyck(length: int, symbols: int) -> Rule:
    """Write `length` pairs of brackets, nested; all such texts are equally likely."""
    pairs = dict(PAIRS[:symbols])
    open_now: list[tuple[str, int]] = []  # each with its place
    place, left = 0, length  # pairs still to be opened
    while left or open_now:
        depth = len(open_now)
        # The share of the ways to the end that begin with one more bracket (the ballot numbers).
        opens = left * (depth + 2) / ((2 * left + depth) * (depth + 1))
        chances, follows = evenly(pairs, opens), {}
        if open_now:
            bracket, since = open_now[-1]
            chances[pairs[bracket]] = 1 - opens
            follows[pairs[bracket]] = place - since
        token = yield Next(chances, follows)
        if token in pairs:
            open_now.append((token, place))
            left -= 1
        else:
            open_now.pop()
        place += 1
    yield certain(END)


def closing(length: int, symbols: int) -> tuple[str, ...]:  # noqa: ARG001  (called as the rule)
    """Return the brackets that close: whether one closes is chance, and which one is the rule."""
    return tuple(close for _, close in PAIRS[:symbols])


def evenly(tokens: Iterable[str], share: float = 1.0) -> dict[str, float]:
    """Return tokens that are equally likely, and together as likely as `share`."""
    listed = list(tokens)
    return {token: share / len(listed) for token in listed}


def one_more(tokens: Iterable[str], written: int, most: int) -> Next:
    """Let one more token come, or ASK: every number of tokens from 1 to `most` is as likely."""
    ends = 1 / (most - written + 1) if written else 0.0
    goes_on = evenly(tokens, 1 - ends) if written < most else {}
    return Next({**goes_on, ASK: ends} if ends else goes_on)


def certain(token: str, distance: int = 0) -> Next:
    """Let one token come; it is an answer if it depends on one `distance` tokens back."""
    return Next({token: 1.0}, {token: distance} if distance else {})


TASKS: dict[str, Task] = {
    "copy": Task(copy, marked("symbols again, after a delay"), {"symbols": 8, "delay": 5}),
    "recall": Task(recall, marked("the value of a key"), {"symbols": 10}),
    "parity": Task(parity, marked("whether ones are odd in number")),
    "adding": Task(adding, marked("the sum of two marked digits")),
    "dyck": Task(dyck, marked("nested brackets"), {"symbols": 2}, closing),
}
