from __future__ import annotations

import math

import pytest
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.tasks import Accuracy, TaskReport
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.scores.evaluation import Evaluation
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.tasks.rules import TASKS
from rnn_magics.text.tasks.stream import MadeUp, TaskConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run


def run_on(corpus: Corpus, epochs: int) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 8, 20))
    config = TrainConfig(epochs=epochs, lr=0.02, device="cpu")
    return train(batches, ModelConfig("gru", num_hiddens=24), config, name="mine")


def report_on(run: Run, corpus: Corpus) -> TaskReport:
    further = evaluate_text(run, corpus).further
    assert isinstance(further, TaskReport)
    return further


def test_a_model_that_learns_the_rule_reaches_the_optimum_and_never_goes_below() -> None:
    easy = TaskConfig(length=2, symbols=3, delay=0, examples=1500)
    corpus = task_corpus("copy", easy, CorpusConfig(valid=0.2))
    found = report_on(run_on(corpus, 8), corpus)
    assert found.optimum.num_tokens == found.score.num_tokens
    # The held-out part may begin within an example, whose beginning the model has not read.
    assert found.optimum.nats - 0.01 < found.score.nats < found.optimum.nats + 0.03
    assert [each.distance for each in found.by_distance] == ["2", "3"]
    assert found.accuracy > 0.99


@pytest.mark.parametrize("name", TASKS)
def test_answers_are_counted_as_the_plain_definition_does(name: str) -> None:
    corpus = task_corpus(name, TaskConfig(length=4, examples=300), CorpusConfig(valid=0.3))
    run, behind = run_on(corpus, 1), corpus.behind
    found = report_on(run, corpus)
    assert isinstance(behind, MadeUp)
    assert run.vocab is not None
    cut, size = corpus.cut.num_train(len(corpus)), len(corpus)
    ids = torch.tensor(run.vocab[list(corpus.data)])
    with torch.no_grad():
        logits = run.model(ids[None, cut:])[0][0]  # in one pass
    begin = min(place for place in behind.begins if place >= cut)
    right: dict[int, list[bool]] = {}
    for place in range(max(begin, cut + 1), size):
        distance = int(behind.distances[place])
        if distance:
            scores = logits[place - cut - 1]
            answers = behind.answers or run.vocab.to_tokens(list(range(len(run.vocab))))
            best = max(answers, key=lambda token: float(scores[run.vocab[token]]))
            right.setdefault(distance, []).append(best == corpus.data[place])
    plain = {d: (sum(each), len(each)) for d, each in sorted(right.items())}
    assert {each.nearest: (each.right, each.num_answers) for each in found.by_distance} == plain
    nats = behind.nats[cut + 1 :].mean()
    assert found.optimum.nats == pytest.approx(nats)
    assert found.optimum.perplexity == pytest.approx(math.exp(nats))


def test_longer_examples_than_those_of_the_training_can_be_measured() -> None:
    corpus = task_corpus("parity", TaskConfig(length=3, examples=300))
    longer = task_corpus("parity", TaskConfig(length=9, examples=60), CorpusConfig(valid=0.0))
    found = report_on(run_on(corpus, 1), longer)
    assert found.score.num_tokens == len(longer) - 1
    assert {each.nearest for each in found.by_distance} == {*range(2, 11)}
    assert sum(each.num_answers for each in found.by_distance) == 60


def test_many_distances_are_told_in_groups() -> None:
    score = Evaluation(1.0, 10, "carried")
    each = tuple(Accuracy(d, d, d % 2, 2) for d in range(3, 40))
    found = TaskReport("dyck", score, Evaluation(0.5, 10, "carried"), each)
    assert [group.distance for group in found.grouped] == [
        "3",
        "4 to 7",
        "8 to 15",
        "16 to 31",
        "32 to 39",
    ]
    assert sum(group.num_answers for group in found.grouped) == 74
    assert found.accuracy == sum(group.right for group in found.grouped) / 74
    lines = repr(found).split("\n")
    assert lines[0].startswith("knowing the rule of dyck: perplexity 1.649 on the same tokens, 0.5")
    assert lines[1].split() == ["tokens", "back", "right", "answers"]
    assert lines[3].split() == ["4", "to", "7", "25.0%", "8"]


def test_a_part_without_answers_says_so() -> None:
    corpus = task_corpus("copy", TaskConfig(examples=100))
    run = run_on(corpus, 1)
    start = Corpus.from_tokens(corpus.data[:3], CorpusConfig(valid=0.0))
    assert evaluate_text(run, start).further is None
    few = task_corpus("copy", TaskConfig(examples=100), CorpusConfig(valid=0.0, max_tokens=4))
    found = report_on(run, few)
    assert found.by_distance == ()
    assert "it has no answers" in repr(found)
