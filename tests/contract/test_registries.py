"""What every entry of a registry must do; whoever adds one is tested here at once."""

from __future__ import annotations

import itertools
import json
import math
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnn_magics.batching import BATCHERS, BatchConfig, Batches
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.form import CHARACTER_CLASSES, Form
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import RNNMagicsError
from rnn_magics.inspection.inspectors import INSPECTORS
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.extension import MAGICS, load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.magics.inspect_rnn import InspectOptions
from rnn_magics.notebook.magics.rnn import ACTIONS, RnnOptions
from rnn_magics.notebook.magics.train_rnn import TrainOptions
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.preferences import RNNMagics
from rnn_magics.notebook.session.session import Session
from rnn_magics.options import Options, describe
from rnn_magics.plotting.inspection import FIGURES
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.text.formats.formats import FORMATS, FileConfig
from rnn_magics.text.series.levels import BINS, LevelsConfig
from rnn_magics.text.tasks.rules import TASKS
from rnn_magics.text.tasks.stream import TaskConfig, draw_examples
from rnn_magics.text.tokenizers import TOKENIZERS, tokenizer_of
from rnn_magics.text.vocab import VocabConfig
from rnn_magics.training.config import OPTIMIZERS, SCHEDULES, TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.recipes.recipes import RECIPES
from tests.registries import as_they_were, registries

SAMPLE = "one two three\nfour, five six (seven) eight; nine ten!"


@pytest.mark.parametrize(
    ("config", "field", "registry"),
    [
        (FileConfig, "format", FORMATS),
        (VocabConfig, "token", TOKENIZERS),
        (LevelsConfig, "bins", BINS),
        (BatchConfig, "batching", BATCHERS),
        (ModelConfig, "cell", CELLS),
        (TrainConfig, "optimizer", OPTIMIZERS),
        (TrainConfig, "schedule", SCHEDULES),
        (DecodingConfig, "decoder", DECODERS),
        (RnnOptions, "action", ACTIONS),
        (InspectOptions, "view", INSPECTORS),
        (TrainOptions, "recipe", RECIPES),
    ],
)
def test_the_choices_of_an_option_are_the_registry(
    config: type[Options], field: str, registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (described,) = (option for option in describe(config) if option.name == field)
    assert described.choices is not None
    assert list(described.choices()) == list(registry)
    monkeypatch.setitem(registry, "one_of_my_own", next(iter(registry.values())))
    assert "one_of_my_own" in described.choices()
    assert getattr(config.from_dict({field: "one_of_my_own"}), field) == "one_of_my_own"


@pytest.mark.parametrize("name", CHARACTER_CLASSES)
def test_a_class_has_some_characters_and_not_all(name: str) -> None:
    belongs = [CHARACTER_CLASSES[name](character) for character in map(chr, range(0x4FFF))]
    assert set(belongs) == {True, False}
    assert Form(only=(name,)).belongs("") is True
    assert name in described_help(Form, "only")


def described_help(options: type[Options], name: str) -> str:
    (described,) = (option for option in describe(options) if option.name == name)
    return described.help


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_tokenizer_splits_and_joins(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    if tokenizer.learning is not None:
        tokenizer = tokenizer_of(name, tokenizer.learning.learn([SAMPLE] * 9, 270, 1))
    tokens = tokenizer.split(SAMPLE)
    assert len(tokens) > 5
    assert len({*tokens}) > 1  # so they can be keys
    assert tokenizer.split("") == []
    text = tokenizer.join(tokens)
    assert tokenizer.split(text) == tokens
    streamed = [tokenizer.glue(None, tokens[0])]
    streamed += [tokenizer.glue(a, b) for a, b in itertools.pairwise(tokens)]
    assert "".join(streamed) == text
    assert tokenizer.help
    assert "\n" not in tokenizer.help


@pytest.mark.parametrize("name", BINS)
def test_bins_have_edges_that_hold_every_value(name: str) -> None:
    values = np.random.default_rng(0).normal(size=200)
    edges = BINS[name](values, 7)
    assert len(edges) == 8
    assert (np.diff(edges) > 0).all()
    assert (edges[0], edges[-1]) == (values.min(), values.max())


@pytest.mark.parametrize("name", TASKS)
def test_a_task_says_what_may_come_next(name: str) -> None:
    task, config = TASKS[name], TaskConfig(length=5, examples=20)
    assert task.help
    assert "\n" not in task.help
    answers, place = 0, 0
    for drawn in draw_examples(name, config):
        place = 0 if drawn.begins else place + 1
        assert not any(character.isspace() for character in drawn.token)  # a prefix is split there
        assert 0 <= drawn.nats < math.inf
        assert 0 <= drawn.distance <= place
        answers += drawn.distance > 0
    assert answers
    coming = next(task.rule(**config.taken_by(name)))
    assert sum(coming.chances.values()) == pytest.approx(1)


@pytest.mark.parametrize("length", [36, 37, 40, 101, 500])
@pytest.mark.parametrize("name", BATCHERS)
def test_a_batcher_cuts_windows_that_lie_in_the_text_and_apart(name: str, length: int) -> None:
    size, steps = 3, 5
    batcher = BATCHERS[name]
    starts = batcher.starts(length, size, steps, torch.Generator().manual_seed(0))
    assert starts.dtype == torch.long
    assert starts.shape == (len(starts), size)
    assert len(starts) >= 1
    places = starts.flatten().sort().values
    assert places[0] >= 0
    assert places[-1] + steps < length  # the label of its last token
    assert (places.diff() >= steps).all()
    again = batcher.starts(length, size, steps, torch.Generator().manual_seed(0))
    assert torch.equal(starts, again)
    assert batcher.help


@pytest.mark.parametrize("name", BATCHERS)
def test_a_batcher_that_carries_the_state_goes_on_where_it_stood(name: str) -> None:
    batcher = BATCHERS[name]
    starts = batcher.starts(500, 3, 5, torch.Generator().manual_seed(0))
    goes_on = bool((starts.diff(dim=0) == 5).all())
    assert goes_on is batcher.carries_state


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_takes_a_step(name: str) -> None:
    cell = CELLS[name](7, 4)
    cell.reset_parameters(torch.Generator().manual_seed(0))
    product = cell.input_product(torch.tensor([[0, 6], [3, 3]]))
    assert product.shape == (2, 2, cell.num_gates * 4)
    state = tuple(torch.zeros(2, 4) for _ in range(cell.num_states))
    after = cell(product[0], state)
    assert isinstance(after, tuple)
    assert [part.shape for part in after] == [(2, 4)] * cell.num_states
    assert not any(torch.equal(part, before) for part, before in zip(after, state, strict=True))
    assert cell.weight_ih.shape == (cell.num_gates * 4, 7)
    if cell.multiplies_state:
        assert cell.weight_hh.shape == (cell.num_gates * 4, 4)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "dropout": 0.1}, {"tie": True}])
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_learns_and_writes(name: str, options: dict[str, Any], batches: Batches) -> None:
    model = ModelConfig.from_dict({"cell": name, "num_hiddens": 12, **options})
    run = train(batches, model, TrainConfig(epochs=8, lr=0.02))
    assert run.history.train_perplexity[-1] < 0.8 * run.history.train_perplexity[0]
    assert all(parameter.grad is not None for parameter in run.model.parameters())
    assert len(generate(run, "the ", DecodingConfig(length=5)).tokens) == 5


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_lowers_the_perplexity(
    name: str, clip: float | None, batches: Batches
) -> None:
    config = TrainConfig(epochs=5, optimizer=name, clip=clip, schedule="constant", warmup=0.0)
    run = train(batches, ModelConfig(num_hiddens=12), config)
    assert run.reason == "epochs"
    assert run.history.train_perplexity[-1] < 0.9 * run.history.train_perplexity[0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_obeys_the_learning_rate_of_its_groups(name: str) -> None:
    parameter = nn.Parameter(torch.ones(3))
    optimizer = OPTIMIZERS[name].make([parameter], lr=1.0, weight_decay=0.0)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    parameter.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(parameter, torch.ones(3))
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    optimizer.step()
    assert (parameter < 1).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_pulls_towards_zero(name: str) -> None:
    moved = []
    for decay in (0.0, 0.5):
        parameter = nn.Parameter(torch.full((3,), 2.0))
        optimizer = OPTIMIZERS[name].make([parameter], lr=0.1, weight_decay=decay)
        parameter.grad = torch.tensor([-1.0, 0.0, 1e-3])
        optimizer.step()
        moved.append(parameter.detach())
    assert (moved[1] <= moved[0]).all()
    assert moved[1].sum() < moved[0].sum()


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_gives_a_share_of_the_learning_rate(name: str, warmup: float) -> None:
    shares = [SCHEDULES[name](place / 200, warmup) for place in range(201)]
    assert all(math.isfinite(share) and -1e-12 <= share <= 1 + 1e-12 for share in shares)
    assert max(shares) > 0.9  # at its highest it is the learning rate asked for


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_chooses_a_token_for_every_row(name: str) -> None:
    logits = torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    before = logits.clone()
    config = DecodingConfig(decoder=name)
    u = torch.tensor([0.0, 0.1, 0.5, 0.9, 0.99, 1 - 2**-53], dtype=torch.float64)
    chosen = [DECODERS[name](logits, config, u) for _ in range(2)]
    assert chosen[0].shape == (6,)
    assert chosen[0].dtype == torch.long
    assert ((chosen[0] >= 0) & (chosen[0] < 9)).all()
    assert torch.equal(*chosen)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_never_chooses_what_is_impossible(name: str) -> None:
    logits = torch.full((50, 9), -math.inf)
    logits[:, [2, 5]] = 0.0
    u = torch.arange(50, dtype=torch.float64) / 50
    chosen = DECODERS[name](logits, DecodingConfig(decoder=name), u)
    assert set(chosen.tolist()) <= {2, 5}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_followed(name: str, batches: Batches) -> None:
    recipe = RECIPES[name]
    assert recipe.source
    assert all(line.startswith("%") for line in recipe.before)
    run = train(batches, replace(recipe.model, num_hiddens=8), replace(recipe.train, epochs=1))
    assert run.reason == "epochs"


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_takes_a_session_without_a_run(name: str) -> None:
    action = ACTIONS[name]
    assert action.help
    shell: Any = SimpleNamespace(user_ns={})
    with suppress(RNNMagicsError):  # one line, and no other error
        action.do(Desk(shell, Session(), RNNMagics()), ())


@pytest.mark.parametrize("name", MAGICS)
def test_a_magic_has_help_and_options(name: str) -> None:
    magic = load_magic(name)
    assert magic.run.__name__ == name
    assert f"%{name}" in (magic.run.__doc__ or "")
    parser = MagicParser(name, magic.options)
    assert all(action.help for action in parser.actions)
    assert isinstance(magic.calls, str) or callable(magic.calls)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_file_comes_back(name: str, batches: Batches) -> None:
    run = train(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1))
    written = json.loads(json.dumps(PARTS[name].write(run)))
    assert (written is None) <= PARTS[name].optional
    if written is not None:
        read = replace(run, **PARTS[name].read(written))
        assert json.loads(json.dumps(PARTS[name].write(read))) == written


def test_what_a_test_registers_or_removes_is_as_before_after_it() -> None:
    before = list(TOKENIZERS)
    with as_they_were(registries()):
        del TOKENIZERS["char"]
        TOKENIZERS["mine"] = TOKENIZERS["word"]
        TOKENIZERS["char"] = TOKENIZERS["mine"]
        assert list(TOKENIZERS) != before
    assert list(TOKENIZERS) == before
    assert TOKENIZERS["char"] is not TOKENIZERS["word"]


def test_every_registry_is_found() -> None:
    known = [
        TOKENIZERS,
        BINS,
        TASKS,
        BATCHERS,
        CELLS,
        OPTIMIZERS,
        SCHEDULES,
        DECODERS,
        INSPECTORS,
        RECIPES,
    ]
    found = registries().values()
    for registry in (*known, ACTIONS, PARTS, MAGICS, FIGURES):
        assert any(registry is other for other in found)
