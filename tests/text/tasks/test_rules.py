"""Each rule against texts and probabilities that are made another way: all texts, counted."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from string import ascii_lowercase, ascii_uppercase

import pytest

from rnn_magics.errors import ConfigError
from rnn_magics.text.tasks.rules import END, TASKS, Next

Text = tuple[str, ...]


def all_copies(length: int, symbols: int, delay: int) -> Iterator[tuple[Text, float]]:
    for n in range(1, length + 1):
        for said in itertools.product(ascii_lowercase[:symbols], repeat=n):
            yield (*said, "=", *"." * delay, *said, END), 1 / length / symbols**n


def all_recalls(length: int, symbols: int) -> Iterator[tuple[Text, float]]:
    for n in range(1, length + 1):
        for keys in itertools.permutations(ascii_lowercase[:symbols], n):
            for values in itertools.product(ascii_uppercase[:symbols], repeat=n):
                pairs = [*zip(keys, values, strict=True)]
                p = 1 / length / math.perm(symbols, n) / symbols**n / n
                for key, value in pairs:
                    yield (*itertools.chain(*pairs), "=", key, value, END), p


def all_parities(length: int) -> Iterator[tuple[Text, float]]:
    for n in range(1, length + 1):
        for bits in itertools.product((0, 1), repeat=n):
            yield (*map(str, bits), "=", str(sum(bits) % 2), END), 1 / length / 2**n


def all_sums(length: int) -> Iterator[tuple[Text, float]]:
    for a, b in itertools.combinations(range(length), 2):
        for digits in itertools.product(range(10), repeat=length):
            written = (f"*{d}" if place in (a, b) else f"{d}" for place, d in enumerate(digits))
            p = 1 / math.comb(length, 2) / 10**length
            yield (*"".join(written), "=", str(digits[a] + digits[b]), END), p


def is_balanced(text: Text, symbols: int) -> bool:
    opened: list[str] = []
    for bracket in text:
        if bracket in "([{<"[:symbols]:
            opened.append(bracket)
        elif not opened or opened.pop() + bracket not in ("()", "[]", "{}", "<>"):
            return False
    return not opened


def all_brackets(length: int, symbols: int) -> Iterator[tuple[Text, float]]:
    brackets = "([{<"[:symbols] + ")]}>"[:symbols]
    texts = [t for t in itertools.product(brackets, repeat=2 * length) if is_balanced(t, symbols)]
    return (((*text, END), 1 / len(texts)) for text in texts)


catalan = [1, 1, 2, 5, 14, 42]
CASES: list[tuple[str, dict[str, int], Callable[..., Iterator[tuple[Text, float]]], float]] = [
    (
        "copy",
        {"length": 3, "symbols": 2, "delay": 2},
        all_copies,
        math.log(3) + 2 * math.log(2),
    ),
    ("copy", {"length": 1, "symbols": 3, "delay": 0}, all_copies, math.log(3)),
    (
        "recall",
        {"length": 2, "symbols": 3},
        all_recalls,
        math.log(2)
        + (2 * math.log(3) + math.log(3) + math.log(2) + 2 * math.log(3) + math.log(2)) / 2,
    ),
    ("parity", {"length": 5}, all_parities, math.log(5) + 3 * math.log(2)),
    ("adding", {"length": 3}, all_sums, math.log(3) + 3 * math.log(10)),
    ("dyck", {"length": 4, "symbols": 2}, all_brackets, math.log(14) + 4 * math.log(2)),
    ("dyck", {"length": 5, "symbols": 1}, all_brackets, math.log(42)),
]
IDS = [f"{name}-{options}" for name, options, *_ in CASES]


def walk(name: str, options: dict[str, int]) -> Iterator[tuple[Text, Next]]:
    """Yield every beginning that the rule can write, with what may come next."""
    ahead: list[Text] = [()]
    while ahead:
        done = ahead.pop()
        rule = TASKS[name].rule(**options)
        coming = next(rule)
        try:
            for token in done:
                coming = rule.send(token)
        except StopIteration:
            continue
        yield done, coming
        ahead += [(*done, token) for token, chance in coming.chances.items() if chance > 0]


@pytest.mark.parametrize(("name", "options", "texts", "_nats"), CASES, ids=IDS)
def test_what_may_come_next_is_what_counting_all_texts_gives(
    name: str,
    options: dict[str, int],
    texts: Callable[..., Iterator[tuple[Text, float]]],
    _nats: float,
) -> None:
    begins: dict[Text, float] = defaultdict(float)  # the probability of each beginning
    for text, p in texts(**options):
        for end in range(len(text) + 1):
            begins[text[:end]] += p
    assert begins[()] == pytest.approx(1)
    walked = dict(walk(name, options))
    assert {*walked} == {text for text in begins if END not in text}
    for done, coming in walked.items():
        given = {token: chance for token, chance in coming.chances.items() if chance > 0}
        counted = {text[-1]: p / begins[done] for text, p in followers(begins, done)}
        assert given == pytest.approx(counted)


def followers(begins: dict[Text, float], done: Text) -> Iterator[tuple[Text, float]]:
    alphabet = {text[-1] for text in begins if text}
    longer = ((*done, token) for token in alphabet)
    return ((text, begins[text]) for text in longer if text in begins)


@pytest.mark.parametrize(("name", "options", "_texts", "nats"), CASES, ids=IDS)
def test_the_entropy_of_an_example_is_known_in_closed_form(
    name: str, options: dict[str, int], _texts: object, nats: float
) -> None:
    chances: dict[Text, float] = {(): 1.0}
    entropy = 0.0
    for done, coming in walk(name, options):
        for token, p in coming.chances.items():
            chances[*done, token] = chances[done] * p
            entropy -= chances[done] * p * math.log(p) if p else 0.0
    assert entropy == pytest.approx(nats)


def depends_on(name: str, text: Text, delay: int) -> dict[int, int]:
    """Return the place that each answer depends on, the farthest, from the text alone."""
    ask = text.index("=") if "=" in text else 0
    if name == "copy":
        return {ask + 1 + delay + i: i for i in range(ask)}
    if name == "recall":
        return {ask + 2: text.index(text[ask + 1]) + 1}
    if name == "parity":
        return {ask + 1: 0}
    if name == "adding":
        return {ask + 1: text.index("*") + 1}
    opened: list[int] = []
    found = {}
    for place, bracket in enumerate(text[:-1]):
        if bracket in "([":
            opened.append(place)
        else:
            found[place] = opened.pop()
    return found


@pytest.mark.parametrize(("name", "options", "texts", "_nats"), CASES, ids=IDS)
def test_an_answer_says_how_far_back_it_depends(
    name: str,
    options: dict[str, int],
    texts: Callable[..., Iterator[tuple[Text, float]]],
    _nats: float,
) -> None:
    for text, _ in texts(**options):
        rule, found = TASKS[name].rule(**options), {}
        coming = next(rule)
        for place, token in enumerate(text):
            if token in coming.follows:
                found[place] = place - coming.follows[token]
            if place + 1 < len(text):
                coming = rule.send(token)
        assert found == depends_on(name, text, options.get("delay", 0))


def test_answers_of_brackets_are_those_that_close() -> None:
    answers = TASKS["dyck"].answers
    assert answers is not None
    assert answers(length=4, symbols=3) == (")", "]", "}")
    assert [name for name, task in TASKS.items() if task.answers is None] == [
        "copy",
        "recall",
        "parity",
        "adding",
    ]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("recall", {"length": 12, "symbols": 10}, "--symbols 12 or --length 10"),
        ("recall", {"length": 30, "symbols": 10}, "each pair: --length 10"),
        ("adding", {"length": 1}, "adding marks two digits, so --length must be at least 2, not 1"),
    ],
)
def test_lengths_that_a_rule_cannot_have_are_refused(
    name: str, options: dict[str, int], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        next(TASKS[name].rule(**options))
