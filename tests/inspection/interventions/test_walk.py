"""Interventions, beside a plain recomputation of what they mean."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnn_magics import (
    CELLS,
    Corpus,
    DecodingConfig,
    ModelConfig,
    RNNMagicsError,
    RNNModel,
    Vocab,
    generate,
)
from rnn_magics.decoding.decode import iter_plain
from rnn_magics.decoding.prefix import read_prefix
from rnn_magics.inspection.interventions.changes import KINDS, Intervention
from rnn_magics.inspection.interventions.effect import PatchConfig, inspect_patch, intervene
from rnn_magics.inspection.interventions.walk import walk
from rnn_magics.models.cells import Cell, State
from rnn_magics.models.rnn_model import read
from rnn_magics.text.corpus import CorpusConfig

CONTRIBUTING = Path(__file__).parents[3] / "CONTRIBUTING.md"
TEXT = "the time traveller said so\n"


def made(cell: str = "lstm", layers: int = 2, **more: Any) -> Any:
    corpus = Corpus.from_text(TEXT * 4, CorpusConfig(valid=0))
    vocab = Vocab.from_corpus(corpus)
    drawn = torch.Generator().manual_seed(3)
    model = RNNModel(ModelConfig(cell, 8, layers, **more), len(vocab), drawn).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return SimpleNamespace(model=model, vocab=vocab)


def ids_of(run: Any, text: str = TEXT) -> Tensor:
    return torch.tensor(run.vocab[run.vocab.split(text)])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
@pytest.mark.parametrize("more", [{}, {"embedding_size": 5}, {"tie": True}])
def test_a_walk_without_a_change_is_what_the_model_computes(cell: str, more: Any) -> None:
    run = made(cell, **more)
    ids = ids_of(run)
    found = walk(run.model, ids)
    logits, last = read(run.model, ids[None])
    torch.testing.assert_close(found.logits, logits[0].float(), atol=1e-5, rtol=1e-5)
    for layer, state in enumerate(found.states):
        for part, whole in zip(state, last, strict=True):
            torch.testing.assert_close(part[-1], whole[layer, 0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "config", [DecodingConfig(length=30, seed=4), DecodingConfig(30, greedy=True)]
)
def test_it_goes_on_as_generation_does(config: DecodingConfig) -> None:
    run = made()
    written = walk(run.model, ids_of(run), (), config).ids[len(TEXT) :]
    prefix = read_prefix(run, TEXT)
    plain = torch.cat(
        [w.indices[:, 0] for w in iter_plain(run.model, prefix, config, [config.seed])]
    )
    assert written.tolist() == plain.tolist()


def lstm_by_hand(run: Any, ids: Tensor, hold: tuple[str, int, float]) -> tuple[Tensor, Tensor]:
    """One layer of an LSTM, written out, with one unit of one part held from the third token on."""
    cell = run.model.rnn.cells[0]
    name, unit, value = hold
    h = c = torch.zeros(8)
    hs = []
    for place, token in enumerate(ids.tolist()):
        product = cell.weight_ih[:, token] + cell.bias_ih + cell.weight_hh @ h + cell.bias_hh
        i, f, g, o = product.chunk(4)
        parts = {
            "input": i.sigmoid(),
            "forget": f.sigmoid(),
            "candidate": g.tanh(),
            "output": o.sigmoid(),
        }

        def held(part: str, values: Tensor, place: int = place) -> Tensor:
            if place < 2 or part != name:
                return values
            return torch.where(torch.arange(8) == unit, torch.tensor(value), values)

        parts = {part: held(part, values) for part, values in parts.items()}
        c = held("c", parts["forget"] * c + parts["input"] * parts["candidate"])
        h = held("h", parts["output"] * c.tanh())
        hs.append(h)
    outputs = torch.stack(hs)
    return outputs, outputs @ run.model.output.weight.t() + run.model.output.bias


@pytest.mark.parametrize("part", ["input", "forget", "candidate", "output", "c", "h"])
def test_a_held_unit_of_an_lstm_is_that_of_the_equations(part: str) -> None:
    run = made("lstm", 1)
    ids = ids_of(run)
    with torch.no_grad():
        outputs, logits = lstm_by_hand(run, ids, (part, 5, 0.25))
    found = walk(run.model, ids, [Intervention(part, [5], value=0.25, first=2)])
    torch.testing.assert_close(found.states[0][0], outputs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.logits, logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("part", ["reset", "update", "candidate", "h"])
def test_a_held_unit_of_a_gru_is_that_of_the_equations(part: str) -> None:
    run = made("gru", 1)
    ids, cell = ids_of(run), run.model.rnn.cells[0]
    unit = torch.arange(8) == 2

    def held(name: str, values: Tensor) -> Tensor:
        return torch.where(unit, torch.tensor(0.75), values) if name == part else values

    h = torch.zeros(8)
    states = []
    with torch.no_grad():
        for token in ids.tolist():
            x_r, x_z, x_n = (cell.weight_ih[:, token] + cell.bias_ih).chunk(3)
            h_r, h_z, h_n = (cell.weight_hh @ h + cell.bias_hh).chunk(3)
            reset = held("reset", (x_r + h_r).sigmoid())
            update = held("update", (x_z + h_z).sigmoid())
            candidate = held("candidate", (x_n + reset * h_n).tanh())
            h = held("h", (1 - update) * candidate + update * h)
            states.append(h)
    found = walk(run.model, ids, [Intervention(part, [2], value=0.75)])
    torch.testing.assert_close(found.states[0][0], torch.stack(states), atol=1e-5, rtol=1e-5)


def test_every_kind_of_change_does_what_it_says() -> None:
    run = made("gru", 1)
    ids = ids_of(run)
    plain = walk(run.model, ids).states[0][0][4]
    expected = {
        "set": lambda _: 0.1,
        "add": lambda v: v + 0.1,
        "scale": lambda v: v * 0.1,
        "clamp": lambda v: max(-0.1, min(0.1, v)),
    }
    assert set(expected) == set(KINDS)
    for kind, change in expected.items():
        made_change = Intervention("h", [1, 6], kind, 0.1, first=4, last=5)
        found = walk(run.model, ids, [made_change]).states[0][0]
        for unit in range(8):
            value = float(plain[unit])
            wanted = change(value) if unit in (1, 6) else value
            assert float(found[4, unit]) == pytest.approx(wanted, abs=1e-6)


def test_a_kind_of_ones_own_is_registered_as_the_document_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (line,) = re.findall(r'`("\w+": lambda values, _value: .+?)`', CONTRIBUTING.read_text("utf-8"))
    for name, change in eval(f"{{{line}}}").items():
        monkeypatch.setitem(KINDS, name, change)
    run = made("gru", 1)
    plain = walk(run.model, ids_of(run)).states[0][0][4]
    change = Intervention("h", [1, 6], "negate", first=4, last=5)
    found = walk(run.model, ids_of(run), [change]).states[0][0][4]
    expected = torch.where(torch.isin(torch.arange(8), torch.tensor([1, 6])), -plain, plain)
    torch.testing.assert_close(found, expected)


def test_one_value_for_each_unit() -> None:
    run = made("rnn", 1)
    change = Intervention("h", [7, 0], value=[0.5, -0.5], first=3)
    found = walk(run.model, ids_of(run), [change]).states[0][0]
    assert found[3:, 7].unique().tolist() == [0.5]
    assert found[3:, 0].unique().tolist() == [-0.5]


def test_a_change_leaves_the_model_as_it_was() -> None:
    run = made()
    before = {name: weight.clone() for name, weight in run.model.state_dict().items()}
    walk(run.model, ids_of(run), [Intervention("forget", [0], value=1.0)])
    assert all(torch.equal(before[name], now) for name, now in run.model.state_dict().items())
    assert all("touch" not in vars(cell) for cell in run.model.rnn.cells)


class Mine(Cell):
    """A cell of a user, which names one gate, and calls `touch` for it alone."""

    num_gates, num_states = 2, 2

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        keep, candidate = (x + state[0] @ self.weight_hh.t() + self.bias_hh).chunk(2, dim=-1)
        return {"keep": self.touch("keep", keep.sigmoid()), "candidate": candidate.tanh()}

    def forward(self, x: Tensor, state: State) -> State:
        gates = self.gates(x, state)
        memory = gates["keep"] * state[1] + (1 - gates["keep"]) * gates["candidate"]
        return memory.tanh(), memory


def test_a_cell_of_a_user_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "mine", Mine)
    run = made("mine")
    ids = ids_of(run)
    for part in ("h", "c", "keep"):
        found = walk(run.model, ids, [Intervention(part, [1], value=0.0, layer=0)])
        assert not torch.equal(found.logits, walk(run.model, ids).logits)
    kept = walk(run.model, ids, [Intervention("keep", [1], value=1.0, layer=0)])
    assert kept.states[0][1][:, 1].abs().max() == 0  # it never takes anything in
    with pytest.raises(RNNMagicsError, match="no 'candidate'; it has h, c, keep"):
        walk(run.model, ids, [Intervention("candidate", [0])])


BAD = {
    "no layer 7": {"layer": 7},
    "no 'z'; it has h, c, input, forget": {"part": "z"},
    "no unit 8: its units are 0 to 7": {"units": [8]},
    "no unit -1": {"units": [-1]},
    "at least one unit": {"units": []},
    "a finite number, not nan": {"value": math.nan},
    "a finite number, not inf": {"value": [math.inf]},
    "one value, or one each, not 3": {"units": [0, 1], "value": [1.0, 2.0, 3.0]},
    "no place 99: its places are 0 to 26": {"first": 99},
    "hold no token": {"first": 3, "last": 3},
    "'halve'": {"do": "halve"},
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_gets_one_line(said: str) -> None:
    run = made()
    given = {"part": "h", "units": [0], **BAD[said]}
    with pytest.raises(RNNMagicsError) as told:
        walk(run.model, ids_of(run), [Intervention(**given)])
    assert len(str(told.value).splitlines()) == 1
    assert said in str(told.value)


def test_an_effect_says_what_changed() -> None:
    run = made()
    change = Intervention("h", [0, 1], value=1.0, layer=1, first=5, last=6)
    found = intervene(run, TEXT, [change], DecodingConfig(length=20, seed=2))
    ids = ids_of(run)
    plain, changed = walk(run.model, ids), walk(run.model, ids, [change])
    p, q = (one.logits.double().softmax(-1) for one in (plain, changed))
    felt = [float((a * (a / b).log()).sum()) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(found.felt, felt[5:], atol=1e-5)
    assert max(felt[:5]) == 0
    np.testing.assert_allclose(found.bits[1:6], found.changed_bits[1:6])
    assert math.isnan(found.bits[0])
    np.testing.assert_allclose(found.changed_bits[1:], changed.nats / math.log(2), atol=1e-6)
    assert found.written == generate(run, TEXT, DecodingConfig(length=20, seed=2)).text[len(TEXT) :]
    assert found.title in repr(found)
    same = intervene(run, TEXT, [Intervention("h", [0], "add", 0.0)])
    assert same.felt.max() == 0
    assert same.written == same.changed_written == ""


def test_a_patch_puts_the_whole_state_in() -> None:
    run = made()
    found = inspect_patch(run, "he said", "the time", PatchConfig(place=3, length=10, seed=1))
    # From there on it is the model that has read A, and goes on with the rest of B.
    joined = ids_of(run, "he said" + "the time"[4:])
    follows, _ = read(run.model, joined[None])
    np.testing.assert_allclose(found.changed_logits[3:], follows[0, 6:].float(), atol=1e-5)
    np.testing.assert_allclose(
        found.logits, read(run.model, ids_of(run, "the time")[None])[0][0], atol=1e-5
    )
    last = inspect_patch(run, "he said", "the time")
    assert len(last.felt) == 1
    with pytest.raises(RNNMagicsError, match="no place 8: its places are 0 to 7"):
        inspect_patch(run, "he said", "the time", PatchConfig(place=8))


def test_a_state_of_the_same_text_changes_nothing() -> None:
    run = made("gru", 3)
    found = inspect_patch(run, "the time", "the time", PatchConfig(length=30))
    assert found.felt.max() < 1e-9
    assert found.written == found.changed_written


def test_bidirectional_models_are_refused() -> None:
    run = made(bidirectional=True)
    for call in (
        lambda: intervene(run, TEXT, [Intervention("h", [0])]),
        lambda: inspect_patch(run, TEXT, TEXT),
    ):
        with pytest.raises(RNNMagicsError, match="bidirectional"):
            call()


def test_unknown_tokens_are_named() -> None:
    run = made()
    found = inspect_patch(run, "zzz", "the § time")
    assert found.unknown == ("§",)
    assert "read as <unk>: '§'" in repr(found)
    assert found.to_data()["unknown"] == ["§"]


def test_no_change_is_refused() -> None:
    with pytest.raises(RNNMagicsError, match="nothing is changed"):
        intervene(made(), TEXT, [])


def test_places_count_on_in_what_is_written() -> None:
    run = made()
    ids = ids_of(run)
    config = DecodingConfig(length=10, seed=5)
    change = Intervention("h", [0], value=0.0, first=len(ids) + 4)
    plain, changed = walk(run.model, ids, (), config), walk(run.model, ids, [change], config)
    same = [torch.equal(a, b) for a, b in zip(plain.logits, changed.logits, strict=True)]
    assert list(itertools.takewhile(bool, same)) == [True] * (len(ids) + 4)
    assert not same[len(ids) + 4]
