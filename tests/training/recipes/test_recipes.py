"""Recipes: the settings of published trainings, and our own."""

from __future__ import annotations

import pytest

from rnn_magics.training.recipes.recipes import RECIPES


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("d2l-")])
def test_every_recipe_of_the_book_trains_as_the_book_does(name: str) -> None:
    recipe = RECIPES[name]
    train = recipe.train
    assert (train.epochs, train.optimizer, train.schedule, train.clip) == (
        *(500, "sgd", "constant", 1.0),
    )
    assert recipe.model.num_hiddens == 256
    assert recipe.source.startswith("Dive into Deep Learning, section ")
    assert recipe.before == (
        "%corpus time_machine --d2l --max-tokens 10000 --valid 0",
        "%vocab --token char",
        "%sample seq --batch-size 32 --num-steps 35",
    )


def test_the_recipes_differ_where_the_chapters_do() -> None:
    table = {
        name: (r.model.cell, r.model.num_layers, r.model.bidirectional, r.train.lr)
        for name, r in RECIPES.items()
        if name.startswith("d2l-")
    }
    assert table == {
        "d2l-rnn": ("rnn", 1, False, 1.0),
        "d2l-gru": ("gru", 1, False, 1.0),
        "d2l-lstm": ("lstm", 1, False, 1.0),
        "d2l-deep-lstm": ("lstm", 2, False, 2.0),
        "d2l-bi-lstm": ("lstm", 2, True, 1.0),
    }


@pytest.mark.parametrize(
    ("name", "seconds"), [("one-minute", 60), ("three-minutes", 180), ("ten-minutes", 600)]
)
def test_our_own_recipes_end_by_time_not_by_epochs(name: str, seconds: int) -> None:
    recipe = RECIPES[name]
    assert recipe.suits_machine
    assert recipe.train.max_time == seconds
    assert recipe.train.epochs == 100_000  # more than any machine reads in that time
    assert recipe.before[0] == "%corpus tiny_shakespeare"
