"""%train_rnn --recipe: settings by name, of which some follow the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.events import Compiling
from rnn_magics.training.recipes import budget
from rnn_magics.training.recipes.budget import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnn_magics.batching import Batches
    from rnn_magics.training.config import TrainConfig
    from tests.notebook.conftest import Notebook

BRIEF = "%train_rnn --recipe one-minute --threads 1 --no-baseline"
SMALL = f"{BRIEF} --num-hiddens 4 --epochs 1"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """A machine on which a minute is the last row of the sizes; returns the times asked for."""
    asked: list[float | None] = []

    def measured(_batches: Batches, train: TrainConfig, tell: Callable[[Any], object]) -> float:
        asked.append(train.max_time)
        tell(Compiling("the lstm cell", 15))
        return SIZES[-1].tokens / 60

    monkeypatch.setattr(budget, "measure_rate", measured)
    return asked


def test_the_model_follows_the_machine_and_says_why(
    prepared: Notebook, slow: list[float | None]
) -> None:
    tokens = len(prepared.session.require_batches().ids)
    out = prepared.printed(SMALL).replace("\n", " ")
    run = prepared.session.runs["gru-1"]
    assert slow == [60]
    assert "# compiling the lstm cell for this CPU, once (about 15 seconds)" in out
    assert f"read about {tokens / 1e6:.1f} million tokens, the training text 1.0 times" in out
    assert (
        out.index("# one-minute:") < out.index("# suited to this") < out.index("epoch  train ppl")
    )
    assert run.config.model.num_hiddens == 4
    assert run.config.model.num_layers == SIZES[0].model.num_layers
    assert run.config.train.weight_decay == 0.1
    assert run.config.train.lr == SIZES[0].lr


def test_what_is_typed_wins(prepared: Notebook, slow: list[float | None]) -> None:
    run = prepared.run(f"{SMALL} --num-layers 3 --dropout 0.5 --max-time 9 --max-tokens 20")
    assert slow == [9]
    assert run.config.model == ModelConfig("gru", num_hiddens=4, num_layers=3, dropout=0.5)
    assert (run.config.train.max_time, run.config.train.max_tokens) == (9, 20)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    ("typed", "lr"),
    [("--lr 0.5", 0.5), ("--optimizer sgd", None), ("--optimizer adamw", SIZES[0].lr)],
)
def test_a_learning_rate_is_one_of_its_optimizer(
    prepared: Notebook, typed: str, lr: float | None
) -> None:
    assert prepared.run(f"{SMALL} --max-tokens 20 {typed}").config.train.lr == lr


def test_what_is_typed_wins_although_it_is_a_default(
    prepared: Notebook, slow: list[float | None]
) -> None:
    said = prepared.printed(f"{BRIEF} --cell gru --num-hiddens 256 --explain")
    assert slow == [60]
    assert SIZES[-1].model.cell != "gru"
    assert "ModelConfig(num_layers=2" in said


def test_the_call_that_is_explained_has_the_model_of_this_machine(
    prepared: Notebook, slow: list[float | None]
) -> None:
    said = prepared.printed(f"{BRIEF} --explain")
    model = SIZES[-1].model
    assert slow == [60]
    assert f"cell='{model.cell}'" in said
    assert f"num_hiddens={model.num_hiddens}" in said
    assert f"num_layers={model.num_layers}" in said
    assert "max_time=60.0" in said
    assert "# suited to" not in said
    assert not prepared.session.runs


def test_all_seeds_have_one_model(prepared: Notebook, slow: list[float | None]) -> None:
    runs = prepared.run(f"{SMALL} --seeds 2")
    assert slow == [60]
    assert runs[0].config.model == runs[1].config.model


def test_a_recipe_of_a_book_is_not_measured(prepared: Notebook, slow: list[float | None]) -> None:
    run = prepared.run("%train_rnn --recipe d2l-gru --num-hiddens 4 --epochs 1 --threads 1")
    assert not slow
    assert run.config.model == ModelConfig("gru", num_hiddens=4)
