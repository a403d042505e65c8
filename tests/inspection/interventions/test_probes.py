"""Probes and ablations on made-up languages, where the truth is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics import Corpus, ModelConfig, RNNMagicsError, RNNModel, Vocab
from rnn_magics.inspection.interventions.ablation import AblateConfig, inspect_ablate
from rnn_magics.inspection.interventions.probes import (
    TARGETS,
    ProbeConfig,
    in_brackets,
    in_quotes,
    inspect_probe,
    line_position,
    next_space,
)
from rnn_magics.models.rnn_model import read
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.text.vocab import encode_corpus


def bracketed_text() -> str:
    """Letters at random, with brackets that open and close at random, and never nest."""
    random = np.random.default_rng(0)
    text, inside = "", False
    while len(text) < 4000:
        if random.random() < 0.1:
            text, inside = text + "()"[inside], not inside
        text += random.choice([*"abcde"])
    return text


def counting_model(text: str, *, knows: bool) -> Any:
    """A GRU of 6 units, of which the third, if it knows, is 1 inside of brackets, else -1.

    It keeps its value (update 1) but at a bracket, where it takes the candidate.
    """
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.3))
    vocab = Vocab.from_corpus(corpus)
    model = RNNModel(ModelConfig("gru", 6), len(vocab), torch.Generator().manual_seed(0)).eval()
    cell = model.rnn.cells[0]
    if knows:
        with torch.no_grad():
            for weights in (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh):
                for gate in range(3):
                    weights[gate * 6 + 2] = 0
            cell.bias_ih[6 + 2] = 20  # update 1: it keeps its value
            for bracket, value in (("(", 10), (")", -10)):
                cell.weight_ih[6 + 2, vocab[bracket]] = -40  # but here
                cell.weight_ih[12 + 2, vocab[bracket]] = value
    return SimpleNamespace(model=model, vocab=vocab), corpus


def test_a_unit_that_knows_is_found_and_one_that_does_not_is_not() -> None:
    text = bracketed_text()
    run, corpus = counting_model(text, knows=True)
    found = inspect_probe(run, corpus, ProbeConfig(feature="in_brackets"))
    assert found.r2 > 0.99
    assert found.knows
    assert int(found.single.argmax()) == 2
    assert found.single[2] > 0.99
    assert "Unit 2 alone" in repr(found)
    assert found.control.max() < 0.05
    blind = inspect_probe(*counting_model(text, knows=False), ProbeConfig(feature="in_brackets"))
    assert blind.r2 < 0.5


def test_nothing_is_found_of_what_nobody_can_know() -> None:
    run, corpus = counting_model(bracketed_text(), knows=True)

    def coin(tokens: Any) -> Any:
        return np.random.default_rng(1).integers(0, 2, len(tokens))

    found = inspect_probe(run, corpus, target=coin)
    assert found.target == "coin"
    assert found.r2 < 0.02
    assert "does not know" in repr(found) or found.r2 <= found.control.max() + 0.02


def test_the_score_is_that_of_unseen_folds() -> None:
    run, corpus = counting_model(bracketed_text(), knows=False)

    def length(tokens: Any) -> Any:
        return np.array([float(token in "ab") for token in tokens])

    found = inspect_probe(run, corpus, target=length)
    from rnn_magics.inspection.views.corpus_states import read_corpus

    states = read_corpus(run, corpus).states.astype(np.float64)
    values = length([*corpus.data][: len(states)])
    scores = []
    for fold in np.array_split(np.arange(len(values)), 5):
        seen = np.setdiff1d(np.arange(len(values)), fold)
        given = np.column_stack((states, np.ones(len(values))))
        weights, *_ = np.linalg.lstsq(given[seen], values[seen], rcond=None)
        missed = values[fold] - given[fold] @ weights
        scores.append(1 - (missed**2).sum() / ((values[fold] - values[seen].mean()) ** 2).sum())
    np.testing.assert_allclose(found.folds, scores, atol=5e-3)


def test_the_targets_are_what_they_say() -> None:
    text = [*'a "b(c)"\nd']
    assert in_quotes(text).tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]
    assert in_brackets(text).tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert line_position(text).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 0, 1]
    assert next_space(text).tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert in_brackets([")", "(["]).tolist() == [0, 2]
    assert all(len(target(text)) == len(text) for target in TARGETS.values())


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (lambda tokens: tokens, "a number for each token"),
        (lambda _: [1.0], "one for each token"),
        (
            lambda tokens: np.where(np.arange(len(tokens)) == 7, np.nan, 1.0),
            "not finite at token 7",
        ),
        (lambda tokens: np.ones(len(tokens)), "is 1 everywhere"),
    ],
)
def test_a_target_that_is_none_gets_one_line(target: Any, said: str) -> None:
    run, corpus = counting_model(bracketed_text(), knows=True)
    with pytest.raises(RNNMagicsError, match=said) as told:
        inspect_probe(run, corpus, target=target)
    assert len(str(told.value).splitlines()) == 1


def test_a_short_text_is_refused() -> None:
    run, corpus = counting_model(bracketed_text()[:90], knows=True)
    with pytest.raises(RNNMagicsError, match="needs at least 100"):
        inspect_probe(run, corpus)
    with pytest.raises(RNNMagicsError, match="an ablation needs more than 20"):
        inspect_ablate(run, Corpus.from_text("abcde" * 4, CorpusConfig(valid=0)))


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("hold", ["mean", "zero"])
def test_an_ablation_is_what_holding_each_unit_costs(layer: int, hold: str) -> None:
    corpus = Corpus.from_text(bracketed_text(), CorpusConfig(valid=0.3))
    vocab = Vocab.from_corpus(corpus)
    drawn = torch.Generator().manual_seed(1)
    run = SimpleNamespace(
        model=RNNModel(ModelConfig("lstm", 5, 2), len(vocab), drawn).eval(), vocab=vocab
    )
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.mul_(3)
    found = inspect_ablate(run, corpus, AblateConfig(layer=layer, tokens=100, hold=hold))
    from rnn_magics.inspection.interventions.changes import Intervention
    from rnn_magics.inspection.interventions.walk import walk

    ids = torch.tensor(encode_corpus(corpus, vocab).valid[:101].astype(np.int64))
    plain = walk(run.model, ids)
    np.testing.assert_allclose(found.nats, plain.nats, atol=1e-5)
    states = plain.states[layer][0]
    for unit in range(5):
        value = float(states[:, unit].mean()) if hold == "mean" else 0.0
        held = walk(run.model, ids, [Intervention("h", [unit], value=value, layer=layer)])
        lost = held.nats - plain.nats
        assert found.worth[unit] == pytest.approx(float(lost.mean()), abs=1e-5)
        assert found.error[unit] == pytest.approx(float(lost.std() / 10), abs=1e-5)
    assert found.part == "held-out"
    assert found.order[0] == found.worth.argmax()


def test_a_unit_that_nothing_reads_is_worth_nothing() -> None:
    run, corpus = counting_model(bracketed_text(), knows=True)
    with torch.no_grad():
        run.model.output.weight[:, 4] = 0
        run.model.rnn.cells[0].weight_hh[:, 4] = 0
    found = inspect_ablate(run, corpus)
    assert abs(found.worth[4]) < 1e-7  # the order of a sum differs
    assert found.error[4] < 1e-7
    assert read(run.model, torch.tensor([[1]]))[0].isfinite().all()
