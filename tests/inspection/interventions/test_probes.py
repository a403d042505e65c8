"""Probes and ablations on made-up languages, where the truth is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics import Corpus, ModelConfig, RNNMagicsError, RNNModel, Vocab
from rnn_magics.inspection.interventions.ablation import AblateConfig, inspect_ablate
from rnn_magics.inspection.interventions.changes import Intervention
from rnn_magics.inspection.interventions.probes import (
    TARGETS,
    ProbeConfig,
    in_brackets,
    in_quotes,
    inspect_probe,
    line_position,
    next_space,
)
from rnn_magics.inspection.interventions.walk import walk
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


TYPED = "ab(cd)e" * 5


def two_layers() -> Any:
    corpus = Corpus.from_text(bracketed_text(), CorpusConfig(valid=0.3))
    vocab = Vocab.from_corpus(corpus)
    drawn = torch.Generator().manual_seed(2)
    model = RNNModel(ModelConfig("gru", 5, 2), len(vocab), drawn).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return SimpleNamespace(model=model, vocab=vocab)


GROUPS = {
    "2": ([(0, (0, 1, 2)), (0, (3, 4))], ["0-2", "3-4"]),
    "layers": ([(0, range(5)), (1, range(5))], ["0", "1"]),
    "3,1 0-2,4": ([(0, (1, 3)), (0, (0, 1, 2, 4))], ["1,3", "0-2,4"]),
    None: ([(0, (unit,)) for unit in range(5)], [*"01234"]),
}


@pytest.mark.parametrize("groups", GROUPS)
def test_groups_are_held_together_and_a_text_may_be_typed(groups: str | None) -> None:
    run = two_layers()
    layer = None if groups == "layers" else 0
    found = inspect_ablate(run, TYPED, AblateConfig(layer=layer, groups=groups))
    ids = torch.tensor(run.vocab[run.vocab.split(TYPED)])
    plain = walk(run.model, ids)
    expected, names = GROUPS[groups]
    assert [group.name for group in found.groups] == names
    for place, (at, units) in enumerate(expected):
        means = plain.states[at][0][:, list(units)].mean(dim=0)
        change = Intervention("h", [*units], value=means.tolist(), layer=at)
        lost = walk(run.model, ids, [change]).nats - plain.nats
        np.testing.assert_allclose(found.lost[place], lost, atol=1e-5)
        assert found.worth[place] == pytest.approx(float(lost.mean()), abs=1e-5)
    assert found.tokens == [*TYPED]
    assert found.part == "text"
    assert found.to_data()["lost"]["shape"] == [len(names), len(TYPED) - 1]
    assert str(found.groups[found.order[0]]) in found.title


def test_the_text_of_a_corpus_does_not_stand_in_what_is_drawn() -> None:
    run, corpus = counting_model(bracketed_text(), knows=True)
    data = inspect_ablate(run, corpus, AblateConfig(tokens=30)).to_data()
    assert data["tokens"] == []
    assert data["lost"]["shape"] == [0, 30]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"groups": "0"}, "5 units make 1 to 5 groups, not 0"),
        ({"groups": "6"}, "5 units make 1 to 5 groups, not 6"),
        ({"groups": "3,5"}, "layer 1 has no unit 5: its units are 0 to 4"),
        ({"groups": "2-1"}, "such as '0-7,12 20-30', not '2-1'"),
        ({"groups": "one"}, "such as '0-7,12 20-30', not 'one'"),
        ({"groups": " "}, "such as '0-7,12 20-30', not ' '"),
        ({"groups": "1,,2"}, "not '1,,2'"),
        ({"groups": "\u0663"}, "not '\u0663'"),
        ({"groups": "layers", "layer": 0}, "leave one of the two out"),
        ({"layer": 2}, "no layer 2"),
    ],
)
def test_groups_that_are_not_there_get_one_line(options: Any, said: str) -> None:
    with pytest.raises(RNNMagicsError) as told:
        inspect_ablate(two_layers(), TYPED, AblateConfig(**options))
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("inspect", [inspect_ablate, inspect_probe])
def test_a_bidirectional_model_is_refused(inspect: Any) -> None:
    run, corpus = counting_model(bracketed_text(), knows=True)
    config = ModelConfig("gru", 4, bidirectional=True)
    both = SimpleNamespace(model=RNNModel(config, len(run.vocab)), vocab=run.vocab)
    with pytest.raises(RNNMagicsError, match="reads forwards") as told:
        inspect(both, corpus)
    assert len(str(told.value).splitlines()) == 1


def test_unknown_tokens_of_a_text_are_named() -> None:
    found = inspect_ablate(two_layers(), TYPED + "!")
    assert found.unknown == ("!",)
    assert "read as <unk>: '!'" in repr(found)


def test_a_unit_that_nothing_reads_is_worth_nothing() -> None:
    run, corpus = counting_model(bracketed_text(), knows=True)
    with torch.no_grad():
        run.model.output.weight[:, 4] = 0
        run.model.rnn.cells[0].weight_hh[:, 4] = 0
    found = inspect_ablate(run, corpus)
    assert abs(found.worth[4]) < 1e-7  # the order of a sum differs
    assert found.error[4] < 1e-7
    assert read(run.model, torch.tensor([[1]]))[0].isfinite().all()
