from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.tasks import made_up
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.tasks.rules import END, TASKS, Next, Task, certain, evenly
from rnn_magics.text.tasks.stream import MadeUp, TaskConfig


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_a_corpus_of_its_examples(name: str) -> None:
    corpus = task_corpus(name, TaskConfig(length=5, examples=400))
    behind = corpus.behind
    assert isinstance(behind, MadeUp)
    assert corpus.name == f"task:{name}"
    assert corpus.default_token == "given"
    assert len(corpus) == len(behind.nats) == len(behind.distances)
    ends = np.flatnonzero([token == END for token in corpus.data])
    assert behind.begins.tolist() == [0, *(ends[:-1] + 1)]
    assert repr(behind).startswith(f"task {name}: 400 examples; who knows the rule reaches")


def test_the_best_perplexity_of_a_corpus_is_that_of_its_rule() -> None:
    corpus = task_corpus("parity", TaskConfig(length=4, examples=4000))
    behind = corpus.behind
    assert isinstance(behind, MadeUp)
    # In each example ln 4 for its length and ln 2 for each of its bits, 2.5 of them on average.
    bits = sum(len(example.split("=")[0]) for example in "".join(map(str, corpus.data)).split(END))
    assert behind.nats.sum() == pytest.approx(4000 * math.log(4) + bits * math.log(2))


def test_a_corpus_may_be_shorter_than_its_examples() -> None:
    corpus = task_corpus("copy", TaskConfig(examples=1_000_000), CorpusConfig(max_tokens=500))
    assert len(corpus) == 500
    assert isinstance(corpus.behind, MadeUp)
    assert len(corpus.behind.nats) == 500


def test_bad_input_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"task: 'cpoy' is not one of .*; did you mean 'copy'"):
        task_corpus("cpoy")
    monkeypatch.setattr(made_up, "MOST_TOKENS", 1000)
    with pytest.raises(CorpusError, match="these examples have more than 1,000 tokens; lower --ex"):
        task_corpus("copy")


def test_a_task_of_ones_own() -> None:
    def coin(length: int):  # noqa: ANN202
        heads = yield Next(evenly("HT"))
        for _ in range(length):
            yield certain(heads, 1)
        yield certain(END)

    TASKS["coin"] = Task(coin, "one toss, told again")
    corpus = task_corpus("coin", TaskConfig(length=2, examples=10))
    assert isinstance(corpus.behind, MadeUp)
    assert corpus.behind.nats.sum() == pytest.approx(10 * math.log(2))
    assert corpus.behind.distances[:4].tolist() == [0, 1, 1, 0]
