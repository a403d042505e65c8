"""Documents through the whole library: each is learnt and scored as if it stood alone."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.inspection.doctor import diagnose
from rnn_magics.inspection.views.corpus_states import read_corpus
from rnn_magics.models import recurrent
from rnn_magics.models.cells import CELLS
from rnn_magics.models.engines import ENGINES
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, as_tuple, read
from rnn_magics.reports.mixture import evaluate_mixture
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.scores.evaluation import evaluate, token_log_probs
from rnn_magics.scores.ladder import BaselineConfig, fit_ladder
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import Marks
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.machine.precision import forward_loss
from rnn_magics.training.run import Run
from rnn_magics.training.steps import cuda
from rnn_magics.training.steps.device_step import DeviceStep

NAMES = [f"{first}{last}" for first in ("an", "bo", "cle", "da") for last in ("na", "b", "lio")] * 9
CORPUS = Corpus.from_text("\n".join(NAMES), CorpusConfig(documents="line", valid=0.2, seed=1))
VOCAB = Vocab.from_corpus(CORPUS)
MARKS = VOCAB.marks or Marks(0, 0)


def batches(batching: str, corpus: Corpus = CORPUS, steps: int = 9) -> Batches:
    return make_batches(corpus, VOCAB, BatchConfig(batching, batch_size=5, num_steps=steps))


def model_of(cell: str, seed: int = 0) -> RNNModel:
    config = ModelConfig(cell, 8, num_layers=2)
    model = RNNModel(config, len(VOCAB), torch.Generator().manual_seed(seed)).double()
    model.vocab = VOCAB
    return model


def documents(ids: Tensor) -> list[Tensor]:
    """Each document, with its two marks."""
    marks = (ids == MARKS.begin).nonzero().flatten().tolist()
    return [ids[first : last + 1].long() for first, last in pairwise(marks)]


def alone(model: RNNModel, tokens: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The sum of nats of a part of a document, and the state after it, by a model of one text."""
    plain = RNNModel(model.config, model.vocab_size)
    labels = tokens[1:].clone()
    labels[labels == MARKS.begin] = MARKS.end
    logits, last = torch.func.functional_call(
        plain.double(), dict(model.named_parameters()), (tokens[None, :-1], state)
    )
    return F.cross_entropy(logits[0], labels, reduction="sum"), *as_tuple(last)


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cell", CELLS)
def test_a_minibatch_is_learnt_as_if_each_document_stood_alone(
    cell: str, engine: str, batching: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, made = model_of(cell), batches(batching)
    plan = made.plan(torch.Generator().manual_seed(2))
    hidden = as_tuple(model.begin_state(5))
    for number in range(3):
        X, Y = made.batch(plan, number)
        if not made.carries_state:
            hidden = as_tuple(model.begin_state(5))
        with monkeypatch.context() as patch:
            patch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
            loss, last = forward_loss(model, X, Y, hidden, "float32")
            found = torch.autograd.grad(loss, list(model.parameters()))
        nats, ends = torch.zeros((), dtype=torch.float64), []
        for row in range(5):
            state = tuple(part[:, row : row + 1] for part in hidden)
            begins = (X[row] == MARKS.begin).nonzero().flatten().tolist()
            for first, end in pairwise(sorted({0, *begins, X.shape[1]})):
                if first in begins:
                    state = tuple(torch.zeros_like(part) for part in state)
                text = torch.cat((X[row, first:end], Y[row, end - 1 : end]))
                public = state if len(state) > 1 else state[0]
                some, *state = alone(model, text, public)
                nats = nats + some
            ends.append(state)
        expected = torch.autograd.grad(nats / X.numel(), list(model.parameters()))
        torch.testing.assert_close(loss, nats / X.numel())
        for mine, other in zip(found, expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-7, atol=1e-9)
        for mine, rows in zip(last, zip(*ends, strict=True), strict=True):
            torch.testing.assert_close(mine, torch.cat(rows, dim=1))
        hidden = tuple(part.detach() for part in last)
    assert (made.ids == MARKS.begin).sum() > 50


def test_the_end_of_a_document_is_a_label_and_its_beginning_is_none() -> None:
    for X, Y in batches("random"):
        assert MARKS.end not in X
        assert MARKS.begin not in Y
        assert torch.equal(Y[:, :-1].eq(MARKS.end), X[:, 1:].eq(MARKS.begin))


def losses(engine: str, batching: str, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    config = TrainConfig(epochs=2, lr=0.02, device="cpu", threads=1)
    run, state = begin(batches(batching), ModelConfig("lstm", 16, dropout=0.1), config)
    return [each.loss.item() for each in iter_train(run, state) if isinstance(each, StepEnd)]


@pytest.mark.parametrize("batching", ["seq", "random"])
def test_every_engine_learns_the_same(batching: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = losses("scratch", batching, monkeypatch)
    assert expected[-1] < expected[0]
    for engine in ENGINES:
        assert losses(engine, batching, monkeypatch) == pytest.approx(expected, rel=1e-3)
    # The step of a device takes the same steps, to the last bit.
    monkeypatch.setattr(cuda, "EagerStep", lambda state: DeviceStep(state, TrainConfig(lr=0.02)))
    assert losses("scratch", batching, monkeypatch) == expected


@pytest.fixture(scope="module")
def run() -> Run:
    config = TrainConfig(epochs=3, lr=0.02, device="cpu", threads=1)
    return train(batches("seq"), ModelConfig("gru", 16), config)


def test_a_text_is_scored_as_if_each_document_stood_alone(run: Run) -> None:
    ids = batches("seq").valid
    nats, number = 0.0, 0
    for document in documents(ids):
        zeros = run.model.begin_state(1)
        labels = document[1:].clone()
        labels[-1] = MARKS.end
        logits, _ = read(run.model, document[None, :-1], as_tuple(zeros))
        nats += F.cross_entropy(logits[0], labels, reduction="sum").item()
        number += len(labels)
    score = evaluate(run.model, ids)
    assert score.num_tokens == number == len(ids) - 1
    assert score.nats == pytest.approx(nats / number, rel=1e-5)
    found = evaluate_text(run, CORPUS)
    assert found.score.nats == pytest.approx(score.nats)
    assert found.num_documents == len(documents(ids)) > 10
    assert found.document_perplexity == pytest.approx(
        math.exp(nats / len(documents(ids))), rel=1e-4
    )
    assert "per document" in found.numbers
    assert run.valid_counts is not None
    assert run.valid_counts.num_documents == found.num_documents
    assert run.valid_perplexity == pytest.approx(found.perplexity)


def test_the_order_of_the_documents_does_not_matter_to_their_score(run: Run) -> None:
    ids = batches("seq").valid
    around = [each[:-1] for each in reversed(documents(ids))]
    backwards = torch.cat((*around, ids[-1:].long()))
    assert evaluate(run.model, backwards).nats == pytest.approx(
        evaluate(run.model, ids).nats, rel=1e-6
    )


def test_rows_of_a_long_text_begin_in_the_midst_of_documents(run: Run) -> None:
    # 64 rows of a thousand tokens, each warmed up: the same as one pass.
    ids = torch.cat([batches("seq").ids[:-1]] * 12).long()
    log_probs = token_log_probs(run.model, ids)
    for document in documents(ids)[:: len(documents(ids)) // 50]:
        again = token_log_probs(run.model, document)
        places = (ids.unfold(0, len(document), 1) == document).all(dim=1).nonzero().flatten()
        for place in places.tolist():
            torch.testing.assert_close(
                log_probs[place : place + len(again)], again, rtol=1e-4, atol=1e-5
            )


def test_another_text_is_read_as_documents(run: Run) -> None:
    other = Corpus.from_text("anna\nbob\n\nclelio\n", CorpusConfig(valid=0.0))
    as_lines = Corpus.from_text("anna\nbob\nclelio\n", CorpusConfig(valid=0.0, documents="line"))
    assert evaluate_text(run, other).score == evaluate_text(run, as_lines).score
    assert evaluate_text(run, other).num_documents == 3
    assert evaluate_text(run, other, as_is=True).num_documents == 0


def test_counting_sees_the_same_boundaries(run: Run) -> None:
    ladder = fit_ladder(CORPUS, VOCAB, BaselineConfig("1-4"))
    ids = batches("seq").valid
    assert ladder.num_valid_tokens == len(ids) - 1
    assert ladder.uniform == len(VOCAB)
    # Names of a dozen kinds are known by their beginnings: the ladder is not fooled by the order.
    assert ladder.best.valid_perplexity is not None
    assert ladder.best.valid_perplexity < 2
    mixed = evaluate_mixture(run, CORPUS, 4)
    assert mixed.ngram.score.nats == pytest.approx(math.log(ladder[3].valid_perplexity or 0))
    assert mixed.run.score.nats == pytest.approx(evaluate(run.model, ids).nats)


def test_the_states_along_a_corpus_begin_anew(run: Run) -> None:
    states = read_corpus(run, CORPUS)
    marks = np.flatnonzero(states.ids == MARKS.begin)
    assert len(marks) > 50
    first = states.states[marks]
    np.testing.assert_allclose(first, np.broadcast_to(first[:1], first.shape), atol=1e-3)
    _, state = read(run.model, torch.tensor([[MARKS.begin]]))
    np.testing.assert_allclose(first[0], state[0][0, 0].numpy(), atol=1e-3)


def test_the_doctor_finds_nothing_wrong_with_a_run_on_documents(run: Run) -> None:
    assert diagnose(run.model, batches("seq")).problems == {}


class Careless(nn.Module):
    """A model that does not know where a document begins."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = RNNModel(ModelConfig("gru", 8), len(VOCAB), torch.Generator().manual_seed(0))
        self.begin_state = self.inner.begin_state

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return self.inner(inputs, state)


def test_the_doctor_finds_a_model_that_reads_on() -> None:
    problems = diagnose(Careless(), batches("seq")).problems
    assert problems.keys() == {"boundary"}
    assert "wherever token 1 (<bos>) is read" in problems["boundary"]
